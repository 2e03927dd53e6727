/** The definitions of an assembly file of the kernel: entry points, labels, data and macros. */
import { type Definition, FileIndex } from './definition.js';
import { withStrings } from './tokens.js';

/** include/linux/linkage.h and arch/x86/include/asm/linkage.h: the macros that define a global symbol. */
const ENTRY =
  /^\s*(?:ENTRY|GLOBAL|WEAK|SYM_(?:FUNC|CODE|DATA|INNER|TYPED_FUNC)_?\w*|SYM_DATA|NEXT_PAGE|NEXT_PGD_PAGE)\s*\(\s*([\w.]+)/;
const END = /^\s*(?:END|ENDPROC|ENDDATA|SYM_\w+_END)\s*\(/;
const LABEL = /^\s*([A-Za-z_.$][\w.$]*)\s*:/;
const MACRO = /^\s*#\s*define\s+([A-Za-z_]\w*)(\([^)]*\))?\s*(.*)$/;
const SET = /^\s*\.set\s+([\w.]+)\s*,\s*(.*)$/;
const DATA = /^\s*\.(?:long|quad|byte|word|asciz|ascii|string|zero|skip|fill|space)\b/;

interface Mark {
  readonly name: string;
  readonly at: number;
  readonly local: boolean;
}

/** The lines where a symbol starts; a line with `.globl` alone does not define one. */
function marksOf(lines: readonly string[]): Mark[] {
  return lines.flatMap((text, at) => {
    if (END.test(text)) return [];
    const name = (ENTRY.exec(text) ?? LABEL.exec(text))?.[1];
    return name === undefined ? [] : [{ name, at, local: name.startsWith('.L') }];
  });
}

/** The line after a symbol's code: that of the next symbol that is not local, or of the macro that ends this one. */
function endOf({ at, local }: Mark, marks: readonly Mark[], lines: readonly string[]): number {
  const next = marks.find((mark) => mark.at > at && (local || !mark.local))?.at ?? lines.length;
  const end = lines.slice(at + 1, next).findIndex((text) => END.test(text));
  return end === -1 ? next : at + 1 + end;
}

/** Whether the first directive or instruction after a symbol is one of data. */
function isData(lines: readonly string[], at: number, end: number): boolean {
  if (/^\s*SYM_DATA/.test(lines[at] ?? '')) return true;
  const [head = '', ...rest] = lines.slice(at, end);
  const after = head.replace(/^\s*(?:\w+\s*\([^)]*\)|[\w.$]+\s*:)/, '');
  const first = [after, ...rest].find((text) => /\S/.test(text));
  return first !== undefined && DATA.test(first);
}

/** The definitions of a file of assembly. */
export function indexAssembly(path: string, text: string): FileIndex {
  const lines = withStrings(text).split('\n');
  const marks = marksOf(lines);
  const symbols = marks.map((mark): Definition => {
    const { name, at, local } = mark;
    const end = endOf(mark, marks, lines);
    const code = local ? 'label' : 'function';
    return {
      ...{ name, line: at + 1, endLine: end },
      kind: isData(lines, at, end) ? 'variable' : code,
      body: { text: lines.slice(at, end).join('\n'), line: at + 1 },
    };
  });
  const macros = lines.flatMap((line, at): Definition[] => {
    const [, name, , value] = MACRO.exec(line) ?? [];
    const [, symbol, set] = SET.exec(line) ?? [];
    const found = name ?? symbol;
    if (found === undefined) return [];
    const body = { text: (value ?? set ?? '').trim(), line: at + 1 };
    return [{ name: found, kind: 'macro', line: at + 1, endLine: at + 1, body }];
  });
  return new FileIndex(
    path,
    [...symbols, ...macros].sort((a, b) => a.line - b.line),
  );
}
