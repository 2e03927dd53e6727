import { describe, expect, test } from '@jest/globals';
import { endOf, isSpan } from '../../src/trace/event.js';
import { pa, va } from './helpers.js';

describe('a span', () => {
  test('ends after its last address, also where virtual addresses are negative', () => {
    expect(endOf(pa(0x1000, 1))).toBe(0x1001);
    expect(endOf(va(-0x1000, 0x1000))).toBe(0);
  });

  test.each([['text'], [0], [0n], [false], [undefined]])('is distinguished from %p', (field) => {
    expect(isSpan(field)).toBe(false);
    expect(isSpan(pa(0))).toBe(true);
  });
});
