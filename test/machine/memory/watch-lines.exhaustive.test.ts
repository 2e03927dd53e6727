/** More sequences of accesses than in watch-lines.test.ts. */
import { test } from '@jest/globals';
import { checkUnwatchedLines } from './watched-accesses.js';

test('accesses that do not record a line in the LineSet neither depend on its contents nor change it', () => {
  checkUnwatchedLines(4000);
}, 120_000);
