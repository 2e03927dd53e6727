/** Rows of text in columns. */
import { fitted } from './fit.js';

/** Between two columns. */
const GAP = '  ';
/** Fewest columns for the last cell beside the others (our choice). */
const LEAST_LAST = 24;
/** Columns by which a last cell below the others is indented (our choice). */
const INDENT = 4;

/** A text as lines of at most `columns`, without indentation. */
const lines = (text: string, columns: number): string[] => fitted(text, columns, 0).split('\n');

/**
 * Rows with each cell padded to the width of its column; trailing spaces are cut. If a row is wider than `columns`, the last
 * cells are continued below each other, or, if the others leave too little room, in lines of their own.
 */
export function table(rows: readonly (readonly string[])[], columns = Infinity): string {
  const widths = (rows[0] ?? []).map((_, i) =>
    rows.reduce((max, row) => Math.max(max, (row[i] ?? '').length), 0),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const beside = columns - before;
  const text = (row: readonly string[]): string[] => {
    const cells = row.map((cell, i) => cell.padEnd(widths[i] ?? 0));
    const whole = cells.join(GAP).trimEnd();
    if (whole.length <= columns) return [whole];
    const head = cells.slice(0, -1).join(GAP);
    const last = row.at(-1) ?? '';
    if (beside >= LEAST_LAST) {
      return lines(last, beside).map((line, i) =>
        (i === 0 ? `${head}${GAP}${line}` : ' '.repeat(before) + line).trimEnd(),
      );
    }
    const indent = ' '.repeat(INDENT);
    return [head.trimEnd(), ...lines(last, columns - INDENT).map((line) => indent + line)];
  };
  return rows.flatMap((row) => text(row).map((line) => `${line}\n`)).join('');
}
