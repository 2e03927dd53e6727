/** The fenced blocks and inline commands of a Markdown page. */

/** A fenced block: the words of its info string, and its lines without the fence. */
export interface Block {
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly info: readonly string[];
  readonly lines: readonly string[];
}

/** A command with the output that is quoted below it. */
export interface Quoted {
  readonly command: string;
  /** Index in the block's lines of the command, and of the first line after its output. */
  readonly from: number;
  readonly to: number;
  readonly output: readonly string[];
}

const FENCE = /^( *)(`{3,})(.*)$/;

/** All fenced blocks of a page. Throws for a fence that is not closed. */
export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const open = FENCE.exec(lines[at] ?? '');
    if (open === null) continue;
    const [, indent = '', ticks = '', info = ''] = open;
    const end = lines.findIndex((line, i) => i > at && line.trim() === ticks);
    if (end < 0) throw new Error(`${page}:${String(at + 1)}: this fence is not closed`);
    blocks.push({
      page,
      line: at + 1,
      info: info.trim().split(/\s+/).filter(Boolean),
      lines: lines.slice(at + 1, end).map((line) => line.slice(indent.length)),
    });
    at = end;
  }
  return blocks;
}

/** The commands of a `console` block, each with its output. A command continues on lines that begin with `> `. */
export function quotedOf({ page, line, lines }: Block): Quoted[] {
  const starts = lines.flatMap((text, i) => (text.startsWith('$ ') ? [i] : []));
  if (starts[0] !== 0) {
    throw new Error(`${page}:${String(line + 1)}: a console block begins with "$ " and a command`);
  }
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? lines.length;
    let next = from + 1;
    while (lines[next]?.startsWith('> ') === true) next++;
    const command = [lines[from] ?? '', ...lines.slice(from + 1, next)]
      .map((text) => text.slice('$ '.length))
      .join('\n')
      .replaceAll('\\\n', '');
    return { command, from, to, output: lines.slice(next, to) };
  });
}

/** The commands of a `sh` block: its lines, continued ones joined, without blank lines and comments. */
export function shellLinesOf({ lines }: Block): string[] {
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((text) => text.trim() !== '' && !text.startsWith('#'));
}

/** `sme-boot …` in running text; one with a placeholder (FILE, N, `…`) is a form and not a command. */
export function inlineCommandsOf(text: string): string[] {
  const prose = text.replaceAll(/^ *(`{3,}).*\n[\s\S]*?^ *\1$/gm, '');
  return [...prose.matchAll(/`(sme-boot\s[^`]+)`/g)]
    .map((match) => (match[1] ?? '').replaceAll(/\s+/g, ' '))
    .filter(
      (command) =>
        !/…|[ =<[/]?\b[A-Z]{1,9}\b(?![_a-z=\]])/.test(command.replaceAll(/'[^']*'|"[^"]*"/g, '')),
    );
}
