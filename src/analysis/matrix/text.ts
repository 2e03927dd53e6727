/** Prints a matrix for a terminal and as Markdown. */
import { missingOf, type MatrixReport, type MatrixRow } from './report.js';
import {
  byScenario,
  causeText,
  oneLine,
  outcomeText,
  readerText,
  totalsOf,
  totalsText,
  wholeText,
  writerText,
  wrongText,
  subjectOf,
} from './words.js';

/** Colours of the text. */
export interface MatrixPainter {
  /** The name of a scenario, headings of columns. */
  heading(text: string): string;
  /** A row equal to the whole series, and secondary text. */
  quiet(text: string): string;
  /** The outcome `booted`. */
  good(text: string): string;
  /** Any other outcome, and wrong reads. */
  bad(text: string): string;
}

const unchanged = (text: string): string => text;

/** No colours. */
export const plainMatrixPainter: MatrixPainter = {
  heading: unchanged,
  quiet: unchanged,
  good: unchanged,
  bad: unchanged,
};

/** Width of the text if the terminal's is not known. */
const DEFAULT_COLUMNS = 76;
/** Greatest widths of the columns before the last (our choice). */
const MAX_WIDTHS = { hunk: 32, how: 7, outcome: 12, wrong: 28 };
/** Least widths of the wrong read and the cause for a row on one line (our choice). */
const MIN_WIDTHS = { wrong: 14, cause: 22 };
const INDENT = '  ';
const GAP = '  ';
const NOTHING = '-';

type Paint = (text: string) => string;
interface Cell {
  readonly text: string;
  readonly paint: Paint;
}

/** Breaks a text at spaces into lines of at most `columns`, and of one at least; a longer word is cut. */
function wrap(text: string, columns: number): string[] {
  const width = Math.max(1, columns);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((each) => each !== '')) {
    if (line !== '' && line.length + 1 + word.length <= width) {
      line = `${line} ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  return [...lines, line];
}

/** A row of cells, each wrapped to its width. */
function rowLines(cells: readonly Cell[], widths: readonly number[]): string[] {
  const wrapped = cells.map(({ text }, index) => wrap(text, widths[index] ?? Infinity));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) => {
    const filled = wrapped.findLastIndex((lines) => (lines[y] ?? '') !== '');
    const parts = cells.slice(0, filled + 1).map(({ paint }, x) => {
      const text = wrapped[x]?.[y] ?? '';
      const padding = x === filled ? '' : ' '.repeat((widths[x] ?? 0) - text.length);
      return (text === '' ? '' : paint(text)) + padding;
    });
    return `${INDENT}${parts.join(GAP)}`;
  });
}

/** The cells of a row, the cause last. */
function cellsOf(row: MatrixRow, paint: MatrixPainter): Cell[] {
  const { hunk, how, outcome, same } = row;
  const calm: Paint = same ? paint.quiet.bind(paint) : unchanged;
  const end = outcome.kind === 'booted' ? paint.good.bind(paint) : paint.bad.bind(paint);
  const wrong = oneLine(wrongText(row));
  return [
    { text: oneLine(hunk), paint: calm },
    { text: how, paint: calm },
    { text: outcome.kind, paint: same ? calm : end },
    { text: wrong || NOTHING, paint: row.wrong === undefined ? calm : paint.bad.bind(paint) },
    { text: oneLine(causeText(row)) || NOTHING, paint: calm },
  ];
}

/** The rows of a scenario below the headings of the columns. */
function tableLines(rows: readonly MatrixRow[], paint: MatrixPainter, columns: number): string[] {
  const heading = paint.heading.bind(paint);
  const heads = ['hunk', 'how', 'outcome', 'read wrongly', 'cause'].map((text): Cell => ({
    text,
    paint: heading,
  }));
  const lines = [heads, ...rows.map((row) => cellsOf(row, paint))];
  const widths = Object.values(MAX_WIDTHS).map((widest, x) =>
    lines.reduce((most, cells) => Math.min(widest, Math.max(most, cells[x]?.text.length ?? 0)), 0),
  );
  const left = columns - widths.reduce((sum, width) => sum + width + GAP.length, INDENT.length);
  const wrong = widths.at(-1) ?? 0;
  const lent = Math.max(0, Math.min(MIN_WIDTHS.cause - left, wrong - MIN_WIDTHS.wrong));
  if (left + lent >= MIN_WIDTHS.cause) {
    const all = [...widths.slice(0, -1), wrong - lent, left + lent];
    return lines.flatMap((cells) => rowLines(cells, all));
  }
  // Not enough room: the cause, and the wrong read if it has no room either, are printed below the others, indented.
  const room = wrong + left + GAP.length;
  const beside = room >= Math.min(wrong, MIN_WIDTHS.wrong);
  const above = beside ? [...widths.slice(0, -1), Math.min(wrong, room)] : widths.slice(0, -1);
  return lines.flatMap((cells) => [
    ...rowLines(cells.slice(0, above.length), above),
    ...cells.slice(above.length).flatMap((cell, i, { length }) =>
      // Of the cells below, only the cause says that there is nothing.
      i < length - 1 && cell.text === NOTHING ? [] : belowLines(cell, columns),
    ),
  ]);
}

/** A cell below the others of its row, indented twice. */
function belowLines({ text, paint }: Cell, columns: number): string[] {
  const inside = `${INDENT}${INDENT}`;
  return wrap(text, columns - inside.length).map((line) => inside + paint(line));
}

/**
 * A report for a terminal of `columns` columns (0: not known): a block per scenario, then the totals and the missing rows. Ends with a
 * newline. Words are split only if they are wider than their column.
 */
export function matrixText(
  report: MatrixReport,
  paint: MatrixPainter = plainMatrixPainter,
  columns = DEFAULT_COLUMNS,
): string {
  if (columns < 1) return matrixText(report, paint);
  const blocks = byScenario(report).map(([scenario, rows]) => {
    const whole = wrap(oneLine(wholeText(scenario)), Math.max(1, columns - INDENT.length));
    return [
      paint.heading(oneLine(scenario.name)),
      ...whole.map((text) => INDENT + paint.quiet(text)),
      ...(rows.length === 0 ? [] : tableLines(rows, paint, columns)),
      '',
    ];
  });
  const { rows } = report;
  const missing = missingOf(report);
  const total = `${oneLine(subjectOf(report))} without each hunk: ${totalsText(totalsOf(rows))}`;
  const lines = [...blocks.flat(), ...wrap(total, columns).map((text) => paint.heading(text))];
  if (missing.length > 0) {
    lines.push(paint.bad(`missing: ${missing.length}`));
    for (const each of missing) {
      const wrapped = wrap(oneLine(each), columns - INDENT.length);
      for (const text of wrapped) lines.push(INDENT + text);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A text escaped for Markdown, also inside a table cell. */
function markdown(text: string): string {
  return oneLine(text)
    .replace(/[\\`*[\]<>|~]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])/g, (run) => '\\_'.repeat(run.length));
}

const markdownRow = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => markdown(cell) || NOTHING).join(' | ')} |`;

const MARKDOWN_HEADS = [
  ...['hunk', 'how', 'outcome', 'read wrongly', 'written by', 'read by', 'cause'],
];

/** A report in GitHub's Markdown: a table per scenario. Ends with a newline. */
export function matrixMarkdown(report: MatrixReport): string {
  const lines = [
    `# ${markdown(subjectOf(report))} without each hunk`,
    '',
    `${totalsText(totalsOf(report.rows))}.`,
  ];
  for (const [scenario, rows] of byScenario(report)) {
    lines.push('', `## ${markdown(scenario.name)}`, '');
    lines.push(`The whole series: ${markdown(wholeText(scenario))}.`);
    if (rows.length === 0) continue;
    lines.push('', markdownRow(MARKDOWN_HEADS), `|${' --- |'.repeat(MARKDOWN_HEADS.length)}`);
    for (const row of rows) {
      const end = outcomeText(row.outcome);
      lines.push(
        markdownRow([
          row.hunk,
          row.how,
          row.same ? `${end} (same)` : end,
          wrongText(row),
          writerText(row),
          readerText(row),
          causeText(row),
        ]),
      );
    }
  }
  const missing = missingOf(report);
  if (missing.length > 0) {
    lines.push('', '## Missing rows', '');
    for (const each of missing) lines.push(`- ${markdown(each)}`);
  }
  return `${lines.join('\n')}\n`;
}
