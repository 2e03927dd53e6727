/**
 * The packed project, installed from its tarball into an empty folder without a network and with an empty cache; and the
 * programs of docs/library.md, compiled there and run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { blocksOf } from '../docs/blocks.js';

const LIMIT = 300_000;
const PAGE = 'docs/library.md';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const blocks = blocksOf(PAGE, readFileSync(PAGE, 'utf8'));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** The environment without what npm and jest set for this process: npm would use the project's folder and settings. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$/i.test(name)),
);

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let work: string;
let project: string;
let packed: Packed;

/** Runs a program in the folder where the package is installed. */
function run(program: string, ...argv: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, argv, {
    cwd: project,
    env,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return { status, output: stdout + stderr };
}

/** Runs the installed command. */
const sme = (...argv: string[]): ReturnType<typeof run> =>
  run(join(project, 'node_modules/.bin/sme-boot'), ...argv);

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'sme-boot-package-'));
  project = join(work, 'project');
  mkdirSync(project);
  // `prepare` builds what is packed.
  const listed = execFileSync('npm', ['pack', '--json', '--pack-destination', work], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [first] = JSON.parse(listed.slice(listed.search(/^\[/m))) as Packed[];
  if (first === undefined) throw new Error(`npm pack listed nothing: ${listed}`);
  packed = first;
  const tarball = join(work, packed.filename);
  const npm = ['install', '--offline', '--cache', join(work, 'cache'), '--no-audit', '--no-fund'];
  execFileSync('npm', [...npm, tarball], { cwd: project, env, stdio: 'pipe' });
}, LIMIT);
afterAll(() => {
  rmSync(work, { recursive: true });
});

describe('the package', () => {
  test('has what a user needs, and neither tests nor sources nor CI', () => {
    const folders = new Set(packed.files.map(({ path }) => path.replace(/(?<=\/).*/, '')));
    expect([...folders].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES',
      'dist/',
      'docs/',
      'findings/',
      'man/',
      'package.json',
      'patches/',
      'probes/',
      'questions/',
      'scenarios/',
      'schemas/',
      'traces/',
    ]);
    const others = packed.files.filter(
      ({ path }) => path.startsWith('dist/') && !/\.(?:js|css|d\.ts|wasm)$/.test(path),
    );
    expect(others).toEqual([]);
  });

  test('depends on no other package', () => {
    const installed = JSON.parse(
      readFileSync(join(project, 'node_modules/sme-boot/package.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(Object.keys(installed).filter((key) => /(?<!dev)dependencies$/i.test(key))).toEqual([]);
    expect(run('ls', 'node_modules').output).toBe('sme-boot\n');
  });
});

describe('the installed command', () => {
  test('prints its version, which is also in the header of a trace', () => {
    expect(sme('--version')).toEqual({ status: 0, output: `${version}\n` });
    const { status } = sme('run', 'bios-minimal', '--stage', '3', '--trace', 'trace.yaml');
    expect(status).toBe(0);
    expect(readFileSync(join(project, 'trace.yaml'), 'utf8')).toMatch(
      new RegExp(`^header:\n {2}version: ${version.replaceAll('.', '\\.')}$`, 'm'),
    );
  });

  test('parses C: a tree without files has none of the claims', () => {
    mkdirSync(join(project, 'tree'));
    writeFileSync(join(project, 'tree/Makefile'), 'VERSION = 4\nPATCHLEVEL = 6\n');
    const { status, output } = sme('review', '--tree', 'tree');
    expect([status, output.split('\n')[0]]).toEqual([1, 'Linux 4.6']);
    expect(output).toContain('start_kernel: missing');
  });

  test('finds its scenarios, expected traces, patches, series, probes and schemas', () => {
    const own = 'node_modules/sme-boot';
    const commands = [
      ['run', 'bios-minimal', '--series', 'fixed'],
      ['check', `${own}/traces/bios-minimal/stage-18.yaml`, `${own}/traces/match/initrd.yaml`],
      ['matrix', 'bios-minimal', '--only', '09/initrd', '--jobs', '2'],
      ['view', 'bios-minimal', '--output', 'view.html'],
      ['patches'],
      ['findings'],
      ['probe', `${own}/probes/03-mask.yaml`],
      ['probe', 'swapped-ciphertext'],
      ['questions', '17', '--run'],
      ['schema', 'trace'],
    ];
    const failed = commands
      .map((argv) => ({ argv, ...sme(...argv) }))
      .filter(({ status }) => status !== 0);
    expect(failed).toEqual([]);
  });

  test(
    'lays a project of its own, which passes its check from its folder and from another',
    () => {
      expect(sme('init', 'own')).toMatchObject({ status: 0 });
      const command = join(project, 'node_modules/.bin/sme-boot');
      const inside = spawnSync(command, ['check'], {
        cwd: join(project, 'own'),
        env,
        encoding: 'utf8',
      });
      expect([inside.status, inside.stdout]).toEqual([
        0,
        expect.stringMatching(/^3 passed, 0 failed$/m),
      ]);
      expect(sme('check', 'own/traces').status).toBe(0);
      // Every schema that a file names is there.
      const files = readdirSync(join(project, 'own'), { recursive: true, encoding: 'utf8' });
      const named = files.flatMap((file) => {
        if (!file.endsWith('.yaml')) return [];
        const path = join(project, 'own', file);
        const [, schema] =
          /^# yaml-language-server: \$schema=(\S+)/.exec(readFileSync(path, 'utf8')) ?? [];
        return schema === undefined ? [] : [join(dirname(path), schema)];
      });
      expect(named.length).toBeGreaterThan(3);
      expect(named.filter((schema) => !existsSync(schema))).toEqual([]);
    },
    LIMIT,
  );

  test.each(['bash', 'zsh', 'fish'])('completes in %s', (shell) => {
    const { status, output } = sme('completion', shell);
    expect(status).toBe(0);
    expect(output).toContain('sme-boot');
    expect(sme('__complete', '--line', 'sme-boot in').output).toMatch(/^inspect\ninit\n/);
  });

  test('has a man page of its own version, which is what the command prints', () => {
    const { man } = JSON.parse(
      readFileSync(join(project, 'node_modules/sme-boot/package.json'), 'utf8'),
    ) as { man: string };
    const page = readFileSync(join(project, 'node_modules/sme-boot', man), 'utf8');
    expect(page).toContain(`sme\\-boot ${version}"`);
    expect(sme('man')).toEqual({ status: 0, output: page });
  });
});

describe('the library', () => {
  const programs = blocks.filter(({ info: [kind] }) => kind === 'ts');
  const outputs = new Map(
    blocks.filter(({ info: [kind] }) => kind === 'text').map(({ info, lines }) => [info[1], lines]),
  );
  const nameOf = (info: readonly string[]): string => info[1] ?? '';

  beforeAll(() => {
    for (const { info, lines } of programs) {
      writeFileSync(join(project, nameOf(info)), `${lines.join('\n')}\n`);
    }
    writeFileSync(join(project, 'modules.ts'), MODULES);
    // The strictest options a user may have. No declarations of Node: the library's must not need them.
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      types: [],
    };
    writeFileSync(join(project, 'console.d.ts'), CONSOLE);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const { name, ...installed } = JSON.parse(
      readFileSync(join(project, 'package.json'), 'utf8'),
    ) as Record<string, unknown>;
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: name ?? 'project', ...installed, type: 'module' }),
    );
  });

  test(
    'compiles with the programs of its page, and these print what the page says',
    () => {
      expect(programs.length).toBeGreaterThan(2);
      expect(run(process.execPath, tsc, '-p', '.')).toEqual({ status: 0, output: '' });
      for (const { info } of programs) {
        const name = nameOf(info);
        const { status, output } = run(process.execPath, name.replace(/\.ts$/, '.js'));
        expect({ name, status, lines: output.split('\n').slice(0, -1) }).toEqual({
          name,
          status: 0,
          lines: outputs.get(name),
        });
      }
    },
    LIMIT,
  );

  test(
    'types the modules of docs/own-hunks.md, which the installed command takes',
    () => {
      const { compilerOptions } = JSON.parse(
        readFileSync(join(project, 'tsconfig.json'), 'utf8'),
      ) as { compilerOptions: object };
      const page = readFileSync('docs/own-hunks.md', 'utf8');
      const modules = blocksOf('docs/own-hunks.md', page).filter(
        ({ info: [kind, name = ''] }) => kind === 'js' && name !== 'long-map.mjs',
      );
      const names = modules.map(({ info }) => nameOf(info));
      mkdirSync(join(project, 'hunks'));
      for (const { info, lines } of modules) {
        writeFileSync(join(project, 'hunks', nameOf(info)), `${lines.join('\n')}\n`);
      }
      const options = { ...compilerOptions, allowJs: true, checkJs: true, noEmit: true };
      writeFileSync(
        join(project, 'hunks/tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: names }),
      );
      // Only the name that is misspelt on purpose is an error.
      const { output } = run(process.execPath, tsc, '-p', 'hunks', '--pretty', 'false');
      const errors = output.split('\n').filter((line) => /\.mjs\(/.test(line));
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.filter((line) => !/misspelt\.mjs\(/.test(line))).toEqual([]);
      expect(errors[0]).toMatch(/'reserve_initd' does not exist in type/);
      const { status, output: booted } = sme(
        ...['run', 'ap-syscfg-clear', '--hunks', 'hunks/parked-ap.mjs'],
      );
      expect([status, booted]).toEqual([0, expect.stringMatching(/\nbooted: Run \/init/)]);
    },
    LIMIT,
  );

  test('has the errors of one class in all its modules, and refuses what it does not export', () => {
    if (!existsSync(join(project, 'modules.js'))) run(process.execPath, tsc, '-p', '.');
    expect(run(process.execPath, 'modules.js')).toEqual({ status: 0, output: 'E_TRACE\n' });
    const inner = "import('sme-boot/dist/lib/trace.js').catch(({ code }) => console.log(code))";
    expect(run(process.execPath, '-e', inner).output).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  test('documents the keys of traces and scenarios by what their schemas say', () => {
    const types = join(project, 'node_modules/sme-boot/dist/types');
    const trace = readFileSync(join(types, 'trace/trace.d.ts'), 'utf8');
    expect(trace).toContain("/** The scenario's name. */\n    scenario: string;");
    const scenario = readFileSync(join(types, 'scenario/scenario.d.ts'), 'utf8');
    expect(scenario).toContain('/** Lines in a set. */\n            ways: number;');
  });

  test('has a machine and traces that need no module of Node', () => {
    const imported = new Set<string>();
    const visit = (file: string): void => {
      if (imported.has(file)) return;
      imported.add(file);
      const text = readFileSync(join(project, 'node_modules/sme-boot/dist/lib', file), 'utf8');
      for (const [, from = ''] of text.matchAll(/^(?:import|\} from) ?"([^"]+)"/gm)) visit(from);
    };
    visit('machine.js');
    visit('trace.js');
    expect([...imported].filter((file) => file.startsWith('node:'))).toEqual([]);
    expect(imported.size).toBeGreaterThan(2);
  });
});

/** What the programs of the page use of the host. */
const CONSOLE = 'declare const console: { log(...what: unknown[]): void };\n';

const MODULES = `import { InputError as OfMachine } from 'sme-boot/machine';
import { InputError as OfTrace, parseTrace } from 'sme-boot/trace';
import { InputError, parseTrace as parse } from 'sme-boot';

try {
  parse('a.yaml', 'schema: 2');
} catch (error) {
  const one = [InputError, OfMachine, OfTrace].every((each) => error instanceof each);
  if (one && error instanceof InputError && parse === parseTrace) console.log(error.code);
}
`;
