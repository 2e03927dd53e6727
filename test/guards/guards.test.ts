/**
 * Rules that the compiler checks: each row is a snippet that must not compile, with its error, and a variant that
 * compiles, so that the first fails for that reason only.
 */
import { describe, expect, test } from '@jest/globals';
import { firstOf } from '../cases.js';
import { Compiler } from './compile.js';

interface Guard {
  readonly title: string;
  /** The file of the snippets, relative to the project's root. */
  readonly path: string;
  readonly wrong: string;
  /** The only error of `wrong`: its code, a part of its message, and its file if that is not `path`. */
  readonly error: { readonly code: number; readonly message: string; readonly file?: string };
  readonly right: string;
}

/** An event that is emitted; `fields` may use `C` and `computed`. */
const emits = (kind: string, fields: string): string => `
import type { Recorder } from './recorder.js';
export declare const C: number | undefined;
export declare const computed: boolean;
export const emits = (recorder: Recorder): void =>
  recorder.emit(${kind}, ${fields}, { fn: 'f' });
`;

/** An event that the kernel model emits. */
const traces = (fields: string): string => `
import type { Kernel } from './kernel.js';
export const traces = (k: Kernel): void => k.trace.emit('wrmsr', ${fields});
`;

/** An event as data. */
const event = (fields: string): string => `
import type { EventInput } from './event.js';
export const event: EventInput = { kind: 'decrypt', fields: ${fields} };
`;

/** A name that is declared without a body. */
const declares = (entries: string): string => `
import type { Kernel } from './kernel.js';
declare module './table.js' {
  interface ${entries} { bodiless(k: Kernel): void }
}
`;

const GUARDS: readonly Guard[] = [
  {
    title: 'base code that uses a name added by a patch',
    path: 'src/kernel/snippet.ts',
    wrong: `
import type { Kernel } from './kernel.js';
export const enc = (k: Kernel): bigint => k.fn._PAGE_ENC();
`,
    error: { code: 2339, message: "Property '_PAGE_ENC' does not exist" },
    right: `
import type { PatchedKernel } from './table.js';
export const enc = (k: PatchedKernel): bigint => k.fn._PAGE_ENC();
`,
  },
  {
    title: 'a name of the base that has no body',
    path: 'src/kernel/snippet.ts',
    wrong: declares('Entries'),
    error: { code: 1360, message: 'bodiless', file: 'src/linux/index.ts' },
    // The body of a name added by a patch is in one of its hunks.
    right: declares('PatchEntries'),
  },
  {
    title: 'an event with a field of another kind',
    path: 'src/trace/snippet.ts',
    wrong: emits("'console'", "{ text: 'x', C: 1 }"),
    error: { code: 2322, message: "Type 'number' is not assignable to type 'undefined'" },
    right: emits("'fill'", "{ at: 'x', C: 1 }"),
  },
  {
    title: 'an event with a field of another kind that is spread in',
    path: 'src/trace/snippet.ts',
    wrong: emits("'console'", "{ text: 'x', ...(C === undefined ? {} : { C }) }"),
    error: { code: 2345, message: "Types of property 'C' are incompatible" },
    right: emits("'fill'", "{ at: 'x', ...(C === undefined ? {} : { C }) }"),
  },
  {
    title: 'an event with a field that no kind has',
    path: 'src/trace/snippet.ts',
    wrong: emits("'console'", "{ text: 'x', flavour: 'y' }"),
    error: { code: 2353, message: "'flavour' does not exist in type" },
    right: emits("'console'", "{ text: 'x', cpu: 1 }"),
  },
  {
    title: 'an event without the principal field of its kind',
    path: 'src/trace/snippet.ts',
    wrong: emits("'map'", "{ pa: 'x', C }"),
    error: { code: 2345, message: "Property 'va' is missing" },
    right: emits("'map'", "{ va: 'x', pa: 'x', C }"),
  },
  {
    title: 'an event whose principal field may be undefined',
    path: 'src/trace/snippet.ts',
    wrong: emits("'console'", '{ text: C }'),
    error: { code: 2322, message: "Type 'undefined' is not assignable to type 'Field" },
    right: emits("'console'", '{ text: C ?? 0, cpu: C }'),
  },
  {
    title: 'an event of a kind that the vocabulary lacks',
    path: 'src/trace/snippet.ts',
    wrong: emits("'flavour'", "{ text: 'x' }"),
    error: { code: 2345, message: 'Argument of type \'"flavour"\' is not assignable' },
    right: emits("'console'", "{ text: 'x' }"),
  },
  {
    title: 'an event of a computed kind with fields that suit one of the two kinds',
    path: 'src/trace/snippet.ts',
    wrong: emits("computed ? 'unmap' : 'protect'", "{ va: 'x', was: 'y' }"),
    error: { code: 2322, message: "Type 'string' is not assignable to type 'undefined'" },
    right: emits("computed ? 'unmap' : 'protect'", "{ va: 'x', flags: 'y' }"),
  },
  {
    title: 'an event of the kernel model with a field of another kind',
    path: 'src/kernel/snippet.ts',
    wrong: traces("{ msr: 'EFER', reg: 'CR0' }"),
    error: { code: 2322, message: "Type 'string' is not assignable to type 'undefined'" },
    right: traces("{ msr: 'EFER', value: '0x0' }"),
  },
  {
    title: 'an event as data with a field of another kind',
    path: 'src/trace/snippet.ts',
    wrong: event("{ pa: 'x', what: 'y' }"),
    error: { code: 2322, message: "Types of property 'what' are incompatible" },
    right: event("{ pa: 'x', via: 'y' }"),
  },
];

// One for all tests: the first program takes the time to parse src/.
const compiler = new Compiler();
const PARSING_MS = 60_000;

describe('the compiler refuses', () => {
  test.each(firstOf(3, GUARDS))(
    '$title',
    ({ path, wrong, error: { code, message: part, file = path } }) => {
      const message: unknown = expect.stringContaining(part);
      expect(compiler.compile(path, wrong, file === path ? [] : [file])).toEqual([
        { code, message, file },
      ]);
    },
    PARSING_MS,
  );
});

describe('the compiler accepts the valid variant of', () => {
  test.each(GUARDS)(
    '$title',
    ({ path, right, error: { file = path } }) => {
      expect(compiler.compile(path, right, file === path ? [] : [file])).toEqual([]);
    },
    PARSING_MS,
  );
});

describe('a snippet', () => {
  const PATH = 'src/trace/snippet.ts';

  test.each([
    ['an import of no file', "export * from './nothing.js';", 2307],
    ['a syntax error', 'export const = 1;', 1134],
    [
      'an error only with the settings of the project',
      'export const first = (list: string[]): string => list[0];',
      2322,
    ],
  ])(
    'with %s does not compile',
    (_what, text, code) => {
      const codes = compiler.compile(PATH, text).map((found) => found.code);
      expect(new Set(codes)).toEqual(new Set([code]));
    },
    PARSING_MS,
  );

  test(
    'that adds to an interface causes errors in other files, and none in later programs',
    () => {
      const adds =
        "import './event.js';\ndeclare module './event.js' { interface Origin { added: 1 } }";
      const elsewhere = 'src/trace/recorder.ts';
      expect(compiler.compile(PATH, adds)).toEqual([]);
      const [error] = compiler.compile(PATH, adds, [elsewhere]);
      expect(error).toMatchObject({ code: 2741, file: elsewhere });
      expect(compiler.compile(PATH, 'export {};', [elsewhere])).toEqual([]);
    },
    PARSING_MS,
  );

  test(
    'replaces the file of the same path',
    () => {
      const errors = compiler.compile('src/trace/event.ts', 'export {};', ['src/trace/fold.ts']);
      expect(errors[0]).toMatchObject({ code: 2305, file: 'src/trace/fold.ts' });
    },
    PARSING_MS,
  );
});
