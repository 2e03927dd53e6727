/** `check --jobs`: the built program with worker threads. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exhaustiveTest } from '../cases.js';
import { buildProgram } from './program.js';

let dir: string;
let program: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-jobs-'));
  program = buildProgram(dir);
  const write = (name: string, run: string, outcome = 'booted'): void => {
    const text = `expect: match\nrun: {scenario: bios-minimal, ${run}}\noutcome: {kind: ${outcome}}\n`;
    writeFileSync(join(dir, name), text);
  };
  write('a.yaml', 'stage: 3');
  write('b.yaml', 'stage: 0', 'panic');
  write('c.yaml', 'stage: 1, without: [09/gone]');
  writeFileSync(join(dir, 'd.yaml'), 'expect: match\nrun: {');
  write('e.yaml', 'stage: 2');
  write('f.yaml', 'stage: 0');
}, 60_000);
afterAll(() => {
  rmSync(dir, { recursive: true });
});

function check(...flags: string[]): { status: number | null; out: string; err: string } {
  const files = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.yaml`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, 'check', ...files, ...flags],
    { encoding: 'utf8', cwd: dir },
  );
  return { status, out: stdout, err: stderr };
}

describe('sme-boot check --jobs', () => {
  test('has the same report with workers as without, in the same order', () => {
    const alone = check('--jobs', '1');
    expect(alone.status).toBe(2);
    expect(alone.out.match(/^\w+ +\w\.yaml/gm)).toEqual([
      'ok     a.yaml',
      'FAILED b.yaml',
      'FAILED c.yaml',
      'FAILED d.yaml',
      'ok     e.yaml',
      'ok     f.yaml',
    ]);
    expect(check('--jobs', '3')).toEqual(alone);
  }, 60_000);

  exhaustiveTest(
    'ends with the first failure with --fail-fast',
    () => {
      const { status, out } = check('--jobs', '2', '--fail-fast');
      expect([status, out]).toEqual([
        1,
        expect.stringContaining('\n1 passed, 1 failed, 4 not run\n'),
      ]);
    },
    60_000,
  );
});
