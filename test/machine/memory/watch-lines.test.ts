/** Lines that accesses are about: what is done without touching a line is the same whatever is in it. 4000 sequences: watch-lines.exhaustive.test.ts. */
import { test } from '@jest/globals';
import { checkUnwatchedLines } from './watched-accesses.js';

test('accesses that do not record a line neither depend on its contents nor change it', () => {
  checkUnwatchedLines(200);
});
