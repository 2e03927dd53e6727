import { test } from '@jest/globals';
import { compare, numbers, programOf, randomPrograms, SEED, STRAIGHT } from './twins.js';

const FIRST = SEED + 50;

test('500 more random programs', () => randomPrograms(FIRST, 500), 600_000);

test('each form, alone in its loop', () => {
  for (const [index, form] of STRAIGHT.entries()) {
    compare(programOf(numbers(index + 1), [form]), SEED + index);
  }
}, 600_000);
