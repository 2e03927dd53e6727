import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'sme-boot-cycles-'));
  mkdirSync(join(project, 'src', 'machine'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, 'tsconfig.json'), '{ "compilerOptions": { "module": "NodeNext" } }');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

/** Runs the project's cycle check on a project of the given files; returns exit status and output. */
function check(files: Record<string, string>): { status: number | null; output: string } {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(project, 'src', 'machine', name), text);
  }
  const depcruise = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = resolve('.dependency-cruiser.mjs');
  const run = spawnSync(process.execPath, [depcruise, '--config', config, 'src'], {
    cwd: project,
    encoding: 'utf8',
  });
  return { status: run.status, output: run.stdout + run.stderr };
}

describe('the check for import cycles', () => {
  const tlb = 'export const tlb = 1;\n';
  const mmu = "import { tlb } from './tlb.js';\nexport const mmu = tlb;\n";

  test('passes a chain of imports', () => {
    const { status, output } = check({ 'tlb.ts': tlb, 'mmu.ts': mmu });
    expect(output).toContain('2 modules, 1 dependencies');
    expect(status).toBe(0);
  });

  test('refuses a cycle of value imports', () => {
    const round = "import { mmu } from './mmu.js';\nexport const tlb = (): unknown => mmu;\n";
    const { status, output } = check({ 'tlb.ts': round, 'mmu.ts': mmu });
    expect(output).toContain('error no-circular');
    expect(status).not.toBe(0);
  });

  test('passes a cycle with a type-only import', () => {
    const round = "import type { Mmu } from './mmu.js';\nexport type Tlb = Mmu[];\n";
    const typed = "import type { Tlb } from './tlb.js';\nexport interface Mmu { tlb: Tlb }\n";
    const { status, output } = check({ 'tlb.ts': round, 'mmu.ts': typed });
    expect(output).not.toContain('no-circular');
    expect(status).toBe(0);
  });

  test('refuses an import of a file that does not exist', () => {
    const { status, output } = check({ 'mmu.ts': mmu });
    expect(output).toContain('error resolvable');
    expect(status).not.toBe(0);
  });
});
