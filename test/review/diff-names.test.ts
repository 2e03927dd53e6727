import { describe, expect, test } from '@jest/globals';
import { namesOf, unplacedIn } from '../../src/review/diff-names.js';
import { parseDiff, type DiffFile } from '../../src/review/diff-parse.js';

/** The diff of a file that has one hunk with these lines, each with its sign. */
function file(path: string, heading: string, lines: readonly string[]): DiffFile {
  const count = (sign: string): number => lines.filter((line) => line[0] !== sign).length;
  const text = [
    `diff --git a/${path} b/${path}`,
    `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -10,${count('+')} +10,${count('-')} @@ ${heading}`,
    ...lines,
  ];
  const { files, problems } = parseDiff(text);
  expect(problems).toEqual([]);
  const [only] = files;
  if (only === undefined) throw new Error('no file');
  return only;
}

const names = (path: string, heading: string, lines: readonly string[]): string[] =>
  namesOf(file(path, heading, lines)).map(
    ({ name, kinds, how, line, slight }) =>
      `${how} ${name} ${kinds.join('/')} ${line}${slight ? ' slight' : ''}`,
  );

describe('names in fragments of C', () => {
  test.each<[string, string, string[], string[]]>([
    [
      'a new function',
      '',
      ['+int __init widget_init(void)', '+{', '+\twidget = 1;', '+\tuse(widget);', '+}'],
      ['added widget_init function 10'],
    ],
    [
      'its type on a line of its own',
      '',
      [
        '+static void __init *',
        '+widget_map(int a,',
        '+\t   int b)',
        '+{',
        '+\tint c;',
        '+\tuse(&c);',
        '+}',
      ],
      ['added widget_map function 11'],
    ],
    [
      'a stub',
      '',
      ['+static inline int widget_on(void)', '+{', '+\treturn 0;', '+}'],
      ['added widget_on function 10 slight'],
    ],
    [
      'a stub on one line',
      '',
      ['+static inline void widget_off(void) { }'],
      ['added widget_off function 10 slight'],
    ],
    [
      'a prototype',
      '',
      ['+extern int widget_size(int a,', '+\t\t       int b);'],
      ['added widget_size function 10 slight'],
    ],
    [
      'a changed prototype',
      '',
      [' void widget_set(int a,', '-\t\tint b);', '+\t\tint b, int c);'],
      ['changed widget_set function 11 slight'],
    ],
    [
      'a function by the heading',
      'static void widget_go(int a)',
      [' \ta = 1;', '-\tb = 1;', '+\tb = 2;', ' }'],
      ['changed widget_go function 11'],
    ],
    [
      'by the line of the hunk, not by the heading',
      'static void before(int a)',
      [' }', ' ', ' int after(void)', ' {', '+\treturn 1;'],
      ['changed after function 14'],
    ],
    [
      'a heading that is cut',
      'static inline void widget_cut(enum widget_state state,',
      ['+\tgo();', ' }'],
      ['changed widget_cut function 10'],
    ],
    [
      'a changed signature',
      '',
      ['-int widget_a(int a)', '+int widget_a(int a, int b)', ' {', ' \treturn a;', ' }'],
      ['changed widget_a function 10 slight'],
    ],
    [
      'a renamed function',
      '',
      ['-int widget_old(int a)', '+int widget_new(int a)', ' {', ' \tgo(a);', ' \tgo(b);'],
      ['added widget_new function 10', 'removed widget_old function 10'],
    ],
    [
      'a comment in a function',
      'void widget_go(void)',
      [' \tgo();', '+\t/* go() was called', '+\t * twice() */', ' }'],
      [],
    ],
    [
      'a hunk within a comment',
      'void widget_go(void)',
      [' \t * one', '+\t * two', ' \t * three'],
      [],
    ],
    [
      'a function after the end of a comment',
      '',
      [' * one', '+ * two', ' */', '+int widget_x;'],
      ['added widget_x variable 13'],
    ],
    [
      'variables',
      '',
      [
        '+static char widget_buf[PAGE_SIZE] __aligned(PAGE_SIZE);',
        '+unsigned long widget_mask __section(.data) = 0;',
        '+static u64 __read_mostly a, *b;',
        '+extern int widget_out;',
      ],
      [
        'added widget_buf variable 10',
        'added widget_mask variable 11',
        'added a variable 12',
        'added b variable 12',
        'added widget_out variable 13 slight',
      ],
    ],
    [
      'variables by a macro',
      '',
      [
        '+static DEFINE_SPINLOCK(widget_lock);',
        '+DEFINE_PER_CPU(int, widget_count);',
        '+LIST_HEAD(widgets);',
      ],
      [
        'added widget_lock variable 10',
        'added widget_count variable 11',
        'added widgets variable 12',
      ],
    ],
    [
      'an initializer by its heading',
      'static struct widget_ops ops = {',
      [' \t.a = a,', '+\t.b = b,', ' };'],
      ['changed ops variable 11'],
    ],
    [
      'macros and constants',
      '',
      [
        '+#define WIDGET_BIT\t3',
        '+#define widget(x)\t((x) | WIDGET)',
        '+# define WIDGET (1UL << \\',
        '+\t\tWIDGET_BIT)',
      ],
      ['added WIDGET_BIT constant 10', 'added widget macro 11', 'added WIDGET constant 12'],
    ],
    [
      'a macro in both branches',
      '',
      ['+#ifdef A', '+#define widget(x) f(x)', '+#else', '+#define widget g', '+#endif'],
      ['added widget macro/constant 11'],
    ],
    [
      'a changed line of a macro',
      '',
      [' #define WIDGETS (A | \\', '-\tB)', '+\tB | C)'],
      ['changed WIDGETS constant 11'],
    ],
    [
      'a macro that only moves',
      '',
      ['-#define A\t1', '+#define B 2', '+#define A 1'],
      ['added B constant 10'],
    ],
    [
      'members',
      'struct widget {',
      [
        ' \tint a;',
        '+\tunsigned long flags;',
        '+\tint (*go)(struct widget *w, int a);',
        '-\tint old : 3;',
        ' };',
      ],
      ['added widget.flags member 11', 'added widget.go member 12', 'removed widget.old member 11'],
    ],
    [
      'a new struct',
      '',
      ['+struct widget {', '+\tint a, b[3];', '+};'],
      ['added widget.a member 11', 'added widget.b member 11'],
    ],
    [
      'enumerators',
      'enum widget_state',
      [' \tWIDGET_A = 3,', '+\tWIDGET_B,', '+\tWIDGET_C = 7, /* seven */', ' };'],
      ['added WIDGET_B constant 11', 'added WIDGET_C constant 12'],
    ],
    [
      'options',
      '',
      ['+early_param("widget", widget_setup);', '+__setup("widgets=", widgets_setup);'],
      ['added widget option 10', 'added widgets option 11'],
    ],
    [
      'exports and includes',
      '',
      [
        '+#include <linux/widget.h>',
        '+EXPORT_SYMBOL_GPL(widget_go);',
        '+module_init(widget_init);',
      ],
      [],
    ],
    [
      'a label keeps its function',
      'int widget_go(void)',
      [' again:', '+\tgo();'],
      ['changed widget_go function 11'],
    ],
    [
      'strings hide nothing and define nothing',
      'void widget_go(void)',
      ['+\tpr_info("struct a { int b; /* ");', '+\tgo();'],
      ['changed widget_go function 10'],
    ],
  ])('%s', (_name, heading, lines, expected) => {
    expect(names('mm/widget.c', heading, lines)).toEqual(expected);
  });

  test('enumerators have the text of their values', () => {
    const found = namesOf(
      file('a.h', 'enum widget_state {', [' \tA = 3,', '+\tB,', '+\tC,', '+\tD = (1 << 4),']),
    );
    expect(found.map(({ texts }) => texts)).toEqual([['(A) + 1'], ['(B) + 1'], ['(1 << 4)']]);
  });

  test('lines of a definition that the diff does not show are told', () => {
    expect(unplacedIn(file('a.c', 'again:', [' \ta();', '+\tb();']))).toEqual([
      { line: 11, at: 5 },
    ]);
    expect(unplacedIn(file('a.c', '', [' \tf(x); \\', '+\tg(x)']))).toEqual([{ line: 11, at: 5 }]);
    expect(unplacedIn(file('a.c', 'int f(void)', ['+\tb();']))).toEqual([]);
    expect(unplacedIn(file('a.S', '', ['+\tmovl %eax, %ebx']))).toEqual([{ line: 10, at: 4 }]);
  });
});

describe('names in fragments of other languages', () => {
  test.each<[string, string, string, string[], string[]]>([
    [
      'a symbol of assembly',
      'a.S',
      '',
      ['+ENTRY(widget_on)', '+\tret', '+ENDPROC(widget_on)', '+SYM_FUNC_START(widget_off)'],
      ['added widget_on function 10', 'added widget_off function 13'],
    ],
    [
      'labels',
      'a.S',
      'widget_on:',
      ['+\tjmp 1f', '+.Ldone:', '+1:', '+widget_data:', '+\t.byte 0'],
      ['added .Ldone label 11', 'added widget_data label 13', 'changed widget_on function 10'],
    ],
    [
      'the symbol of the hunk',
      'a.S',
      'ENTRY(widget_on)',
      [' \tret', ' ENDPROC(widget_on)', ' NEXT_PAGE(widget_pgt)', '+\t.quad 0'],
      ['changed widget_pgt function 13'],
    ],
    [
      'code after a local label',
      'a.S',
      '',
      [' ENDPROC(before)', '+.Lcopy_start:', '+\tmov %rbx, %cr3', '+.Lcopy_stop:'],
      ['added .Lcopy_start label 11', 'added .Lcopy_stop label 13'],
    ],
    [
      'constants for assembly',
      'arch/x86/kernel/asm-offsets.c',
      'void common(void) {',
      ['+\tOFFSET(BP_widget, boot_params, widget);', '+\tDEFINE(WIDGET_SIZE, sizeof(int));'],
      [
        'added BP_widget constant 10',
        'added WIDGET_SIZE constant 11',
        'changed common function 10',
      ],
    ],
    [
      'macros of assembly',
      'a.S',
      '',
      ['+#define WIDGET 1', '+.macro widget_push', '+\tpush %rax', '+.endm'],
      ['added WIDGET constant 10', 'added widget_push macro 11'],
    ],
    [
      'Kconfig',
      'arch/x86/Kconfig',
      'config BEFORE',
      [' \tbool', '+config WIDGET', '+\tbool "a widget"', '+\thelp', '+\t  config ME'],
      ['added CONFIG_WIDGET config 11'],
    ],
    [
      'a changed symbol of Kconfig',
      'Kconfig.debug',
      'config WIDGET',
      ['+\tdepends on X'],
      ['changed CONFIG_WIDGET config 10'],
    ],
    [
      'kernel parameters',
      'Documentation/kernel-parameters.txt',
      '',
      [' \tmeow=\t[HW] a cat', '+\twidget=on\t[X86_64] turn it on', '+\t\t\tmore of it'],
      ['added widget option 11'],
    ],
    ['a Makefile', 'arch/x86/mm/Makefile', '', ['+obj-y += widget.o'], []],
  ])('%s', (_name, path, heading, lines, expected) => {
    expect(names(path, heading, lines)).toEqual(expected);
  });
});
