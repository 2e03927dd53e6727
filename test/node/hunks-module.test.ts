/** Modules of own hunks. Each test has files of its own: a process loads a module once. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBoot, compose, loadHunks, ownHunks } from '../../src/node/library.js';
import { intact, sha256 } from '../helpers.js';
import { messageOf } from '../series/message-of.js';
import { exhaustiveTest } from '../cases.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-modules-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const write = (name: string, text: string): string => {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const HUNK = "{ id: '20/own', file: 'a.c', what: 'own' }";

describe('a module of own hunks', () => {
  test.each([
    ['a list named hunks', `export const hunks = [${HUNK}];`],
    ['a default list', `export default [${HUNK}];`],
    [
      'a function',
      `export default ({ va, rdmsr, constants, kernelFile, fn }) => [va, rdmsr, constants.MSR_EFER, kernelFile, fn].includes(undefined) ? [] : [${HUNK}];`,
    ],
    ['a part of a patch', `export const hunks = { patch: 20, hunks: [${HUNK}] };`],
  ])('exports %s', (what, text) => {
    const file = write(`form-${what.replaceAll(' ', '-')}.mjs`, `${text}\n`);
    expect(loadHunks(file)).toEqual({
      hunks: [{ id: '20/own', file: 'a.c', what: 'own' }],
      modules: [
        {
          path: relative('.', file),
          digest: sha256(new TextEncoder().encode(`${text}\n`)),
          hunks: ['20/own'],
        },
      ],
    });
  });

  test('is recorded with the files that it imports by a relative path, and those that they import', () => {
    const inner = write('parts/inner.mjs', "export const what = 'own';\n");
    const helper = write('parts/helper.mjs', "export { what } from './inner.mjs';\n");
    const file = write(
      'importing.mjs',
      `// import './not-there.mjs'\nimport { what } from './parts/helper.mjs';\nexport const hunks = [{ id: '20/own', file: 'a.c', what }];\n`,
    );
    const [module] = loadHunks(file).modules;
    expect(module?.imports?.map(({ path }) => path)).toEqual(
      [helper, inner].map((path) => relative('.', path)),
    );
  });

  test.each<[what: string, name: string, text: string, message: RegExp]>([
    [
      'has no export',
      'none.mjs',
      'const hunks = [];',
      /none\.mjs: expected one export: .*found no export/,
    ],
    [
      'exports something else',
      'other.mjs',
      'export const hunk = [];',
      /other\.mjs: expected one export: .*found hunk$/,
    ],
    ['exports both', 'both.mjs', 'export const hunks = []; export default [];', /found both/],
    [
      'exports no hunk',
      'empty.mjs',
      'export const hunks = [];',
      /empty\.mjs, hunks: expected at least one hunk, found none/,
    ],
    [
      'gives no list',
      'fn.mjs',
      'export default () => undefined;',
      /fn\.mjs, default: expected a list of hunks/,
    ],
    [
      'is not JavaScript',
      'syntax.mjs',
      'export const hunks = [\n  ;\n',
      /syntax\.mjs:2: not a module of JavaScript: Unexpected token ';'/,
    ],
    ['is YAML', 'yaml.mjs', 'name: a\ntitle: b c\n', /yaml\.mjs:2: not a module of JavaScript/],
    [
      'throws',
      'throws.mjs',
      '\nnull.x;\n',
      /throws\.mjs:2:6: it threw when it was loaded: TypeError: Cannot read properties of null/,
    ],
    [
      'throws in its function',
      'late.mjs',
      'export default () => {\n  nothing();\n};',
      /late\.mjs:2:3: it threw when it was loaded: ReferenceError: nothing is not defined/,
    ],
    [
      'throws a text',
      'text.mjs',
      "throw 'a\\u001b[2J';",
      /text\.mjs: it threw when it was loaded: a value: a\\u001b\[2J/,
    ],
    [
      'awaits',
      'await.mjs',
      'await 1; export const hunks = [];',
      /await\.mjs: the module has an await at its top level/,
    ],
    [
      'imports what is not there',
      'import.mjs',
      "import './gone.mjs'; export const hunks = [];",
      /import\.mjs: it threw when it was loaded: Error: Cannot find module/,
    ],
    [
      'imports a name that is not there',
      'names.mjs',
      "import { nope } from './none.mjs'; export const hunks = [];",
      /names\.mjs: not a module of JavaScript: .*does not provide an export named 'nope'/,
    ],
    [
      'has another ending',
      'hunks.ts',
      'export const hunks = [];',
      /hunks\.ts: expected a module of JavaScript, whose name ends in \.mjs or \.js/,
    ],
    ['is binary', 'binary.mjs', '\0\u0001', /binary\.mjs:1: not a module of JavaScript/],
    [
      'is too large',
      'large.mjs',
      ' '.repeat(2 ** 20 + 1),
      /E_FILE_TOO_LARGE: .*large\.mjs: expected at most 1048576 bytes/,
    ],
  ])('that %s is refused', (_what, name, text, message) => {
    const file = write(name, text);
    expect(messageOf(() => loadHunks(file))).toMatch(message);
  });

  test('that is not there, a folder or stdin is refused', () => {
    write('fixes.mjs', `export const hunks = [${HUNK}];`);
    expect(messageOf(() => loadHunks(join(dir, 'fixs.mjs')))).toMatch(
      /^E_READ: .*no such file; did you mean \S*fixes\.mjs\?/,
    );
    expect(messageOf(() => loadHunks(dir))).toMatch(/^E_READ: .*it is a directory/);
    expect(messageOf(() => loadHunks('-'))).toMatch(/^E_OWN_HUNK: -: .*expected a regular file/);
  });

  test('is given once, and two modules have different ids', () => {
    const [a, b] = ['a.mjs', 'b.mjs'].map((name) => write(name, `export const hunks = [${HUNK}];`));
    expect(messageOf(() => loadHunks(a ?? '', a ?? ''))).toMatch(
      /a\.mjs: the module is given twice/,
    );
    expect(messageOf(() => loadHunks(a ?? '', b ?? ''))).toMatch(
      /^E_OWN_HUNK: two own hunks have one id; expected each id once, found 20\/own/,
    );
  });

  test('that was changed after it was loaded is refused: the process has the code of before', () => {
    const file = write('changing.mjs', `export const hunks = [${HUNK}];`);
    expect(loadHunks(file)).toEqual(loadHunks(file));
    write('changing.mjs', `export const hunks = [${HUNK.replace('own', 'other')}];`);
    expect(messageOf(() => loadHunks(file))).toMatch(
      /changing\.mjs: the module was changed after it was loaded/,
    );
  });
});

describe('a boot of a program', () => {
  const SHORT = `export default ({ PAGE_SIZE }) => [{
    id: '09/initrd', file: 'arch/x86/kernel/setup.c', what: 'without the last page',
    replaces: { 'reserve_initrd:before-mapped': (previous) => (k, image, end) => {
      previous(k, image, end);
      k.fn.sme_early_mem_enc(image, end - image - PAGE_SIZE);
    } },
  }];`;

  test('has own hunks of a module, whose path and digest are in its header', () => {
    const hunks = loadHunks(write('short.mjs', SHORT));
    const trace = createBoot('bios-minimal', { hunks }).run();
    expect(trace.header.ownHunks).toEqual(hunks.modules);
    expect(trace.header.with).toEqual([]);
    expect(intact(trace, 'initrd')).toBe(false);
    expect(compose({ hunks }).find(({ id }) => id === '09/initrd')?.what).toBe(
      'without the last page',
    );
  });

  exhaustiveTest('has own hunks from a list, which its header has without a path', () => {
    const list = [{ id: '09/initrd', file: 'a.c', what: 'nothing' }];
    for (const hunks of [list, ownHunks(list)]) {
      const trace = createBoot('bios-minimal', { hunks, stage: 9 }).run();
      expect(trace.header.ownHunks).toEqual([{ hunks: ['09/initrd'] }]);
    }
    expect(
      createBoot('bios-minimal', { hunks: [], stage: 0 }).run().header.ownHunks,
    ).toBeUndefined();
    expect(
      messageOf(() => createBoot('bios-minimal', { hunks: [{ ...list[0], id: 'x' } as never] })),
    ).toMatch(/^E_OWN_HUNK: hunks\[0\]\.id/);
  });
});
