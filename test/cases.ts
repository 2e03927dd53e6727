/**
 * What `npm test` leaves to `npm run test:all`: of a table of boots the rows after the first few, and single tests that
 * take long. scripts/jest.mjs sets SME_BOOT_CASES to `first` or `all`, and adds up the file SME_BOOT_CASES_LEFT.
 */
import { appendFileSync } from 'node:fs';
import { test } from '@jest/globals';

function leave(count: number): void {
  const file = process.env.SME_BOOT_CASES_LEFT;
  if (file !== undefined && count > 0) appendFileSync(file, `${String(count)}\n`);
}

const first = process.env.SME_BOOT_CASES === 'first';

/** The first `n` rows of a table, which cover one case of each kind; all rows in test:all and if a path is given. */
export function firstOf<const Row>(n: number, rows: readonly Row[]): Row[] {
  if (!first) return [...rows];
  leave(rows.length - n);
  return rows.slice(0, n);
}

/** A test of test:all, and of runs with a path. */
export function exhaustiveTest(
  title: string,
  body: () => void | Promise<void>,
  timeout?: number,
): void {
  if (first) leave(1);
  else test(title, body, timeout);
}
