/** Lines recorded by watchLines(): accesses do not depend on other lines. 4000 sequences: watch-lines.exhaustive.test.ts. */
import { test } from '@jest/globals';
import { checkUnwatchedLines } from './watched-accesses.js';

test('accesses that do not record a line in the LineSet neither depend on its contents nor change it', () => {
  checkUnwatchedLines(200);
});
