/** Definitions of C files, from their syntax trees. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Parser } from 'web-tree-sitter';
import { cParser } from '../../src/node/c-parser.js';
import { indexC } from '../../src/review/c-index.js';
import type { FileIndex } from '../../src/review/definition.js';
import { tokens } from '../../src/review/tokens.js';

let parser: Parser;
beforeAll(async () => {
  parser = await cParser();
});

const index = (text: string): FileIndex => indexC('a.c', text, parser);
const list = (text: string): string[] =>
  index(text).definitions.map(({ name, kind, line }) => `${line} ${kind} ${name}`);

test('functions, with attribute macros, pointers and old layouts', () => {
  const text = `static int __init plain(void) { return 0; }
void __init *
pointer(unsigned long a,
	unsigned long b)
{
}
asmlinkage __visible void __init start(void)
{
}
int __weak weak(void) { return 1; }
#ifdef CONFIG_A
static inline int choice(void) { return 1; }
#else
static inline int choice(void) { return 2; }
#endif
`;
  expect(list(text)).toEqual([
    '1 function plain',
    '3 function pointer',
    '7 function start',
    '10 function weak',
    '12 function choice',
    '14 function choice',
  ]);
});

test('macros, enumerators, variables, members and declarations', () => {
  const text = `#define BITS 23
#define MASK (1ULL << BITS) /* one bit */
#define CALL(x) call((x), \\
	BITS)
enum kind { FIRST = 4, SECOND };
struct box { int a; unsigned char *b[4]; };
static struct box boxes[2] __initdata = { { 1 } };
extern int there;
int function(int a);
`;
  expect(list(text)).toEqual([
    '1 macro BITS',
    '2 macro MASK',
    '3 macro CALL',
    '5 constant FIRST',
    '5 constant SECOND',
    '6 member box.a',
    '6 member box.b',
    '7 variable boxes',
    '8 declaration there',
    '9 declaration function',
  ]);
  expect(index(text).all('MASK')[0]?.body?.text).toBe('(1ULL << BITS)');
});

test('constants of asm-offsets.c, and static variables of functions', () => {
  const text = `void common(void)
{
	static const int table[] = { 1 };
	OFFSET(BP_line, params, line);
	DEFINE(SIZE, sizeof(struct box));
}
`;
  expect(list(text)).toEqual([
    '1 function common',
    '4 constant BP_line',
    '5 constant SIZE',
    '3 variable table',
  ]);
});

test('words of a body are in order, without those of comments and strings', () => {
  const [found] = index('int f(void)\n{\n\t/* b */ a("c");\n\treturn b(\'d\');\n}\n').definitions;
  const words = tokens(found?.body ?? { text: '', line: 0 });
  expect(words.map(({ text, line }) => `${line} ${text}`)).toEqual(['3 a', '4 return', '4 b']);
});

test('a definition without a value, with a space at its end, ends there', () => {
  expect(list('#define A \n#define B 1\n')).toEqual(['1 macro A', '2 macro B']);
});

test('a macro that makes declarations, without a semicolon, is passed over', () => {
  const text =
    'make_reader(int, "l")\nmake_writer(int)\n\n#define alias other\nint\nhead(int a)\n{\n}\n';
  expect(list(text)).toEqual(['4 macro alias', '6 function head']);
});

test('a text that is no C has what can be read of it', () => {
  expect(list('}}} int g(void) { return 1; }\n')).toContain('1 function g');
  expect(list('')).toEqual([]);
});
