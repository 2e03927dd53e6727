/** Definitions of assembly files. */
import { expect, test } from '@jest/globals';
import { indexAssembly } from '../../src/review/asm-index.js';

const SOURCE = `/* a comment with ENTRY(none) */
#define WIDTH 8
	.set page_size, 4096
ENTRY(first)
	movl	$1, %eax	/* first: */
.Lagain:
	jmp	.Lagain
1:	nop
ENDPROC(first)
	.globl second
second:
	.quad	0
GLOBAL(third)	.long 0
SYM_CODE_START(fourth)
	ret
SYM_CODE_END(fourth)
SYM_DATA(fifth, .quad 1)
NEXT_PAGE(table)
	.fill	512,8,0
`;

test('entry points, labels, data and macros with their lines', () => {
  const found = indexAssembly('a.S', SOURCE).definitions;
  expect(found.map(({ name, kind, line }) => `${line} ${kind} ${name}`)).toEqual([
    '2 macro WIDTH',
    '3 macro page_size',
    '4 function first',
    '6 label .Lagain',
    '11 variable second',
    '13 variable third',
    '14 function fourth',
    '17 variable fifth',
    '18 variable table',
  ]);
});

test('a function ends where the macro says, and has its local labels in it', () => {
  const [first] = indexAssembly('a.S', SOURCE).all('first');
  expect(first?.endLine).toBe(8);
  expect(first?.body?.text).toContain('.Lagain');
  expect(first?.body?.text).not.toContain('second');
});

test('values of macros', () => {
  const index = indexAssembly('a.S', SOURCE);
  expect(index.all('WIDTH')[0]?.body).toEqual({ text: '8', line: 2 });
  expect(index.all('page_size')[0]?.body).toEqual({ text: '4096', line: 3 });
});
