/** More sequences of accesses than watch-lines.test.ts has. */
import { test } from '@jest/globals';
import { checkUnwatchedLines } from './watched-accesses.js';

test('accesses that do not record a line neither depend on its contents nor change it', () => {
  checkUnwatchedLines(4000);
}, 120_000);
