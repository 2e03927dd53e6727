/** Rows of text in columns. */

/** Rows with each cell padded to the width of its column; trailing spaces are cut. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) =>
    rows.reduce((max, row) => Math.max(max, (row[i] ?? '').length), 0),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
