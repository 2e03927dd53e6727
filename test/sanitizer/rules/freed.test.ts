import { describe, expect, test } from '@jest/globals';
import { Bench, C_BIT } from '../bench.js';

const pages = (first: number, count = 1) => ({ at: first * 4096, size: count * 4096 });

describe('freed-with-attribute', () => {
  const encrypted = Array.from({ length: 32 }, (_, i) => i);

  test('pages with C=0 among free memory with C=1, each range once', () => {
    const b = new Bench(encrypted);
    b.sanitizer.freed([pages(0, 8)]);
    b.setEntry(10, 10);
    b.setEntry(11, 11);
    b.as('free', () => {
      b.sanitizer.freed([pages(10, 3)]);
    });
    expect(b.reports).toEqual([
      {
        rule: 'freed-with-attribute',
        ...{ step: 'first', at: 'a000+2000', va: 'a000+2000', C: 0, in: 'free' },
        what: 'pages are freed that are mapped C=0 WB; most of free memory is mapped C=1 WB',
        outcome: 'nothing yet',
      },
    ]);
  });

  test.each<[string, (b: Bench) => void, string]>([
    [
      'another memory type',
      (b) => {
        b.setEntry(10, 10, C_BIT | 0x18n);
      },
      'C=1 UC',
    ],
    [
      'no write permission',
      (b) => {
        b.setEntry(10, 10, C_BIT, 0x65n);
      },
      'C=1 WB read-only',
    ],
    [
      'no mapping',
      (b) => {
        b.setEntry(10, 10, 0n, 0n);
      },
      'not present',
    ],
  ])('%s', (_what, change, attributes) => {
    const b = new Bench(encrypted);
    b.sanitizer.freed([pages(0, 8)]);
    change(b);
    b.sanitizer.freed([pages(10)]);
    expect(b.reports.map(({ what }) => what)).toEqual([
      `pages are freed that are mapped ${attributes}; most of free memory is mapped C=1 WB`,
    ]);
  });

  test('not pages like the rest, nor the first pages of all', () => {
    const b = new Bench([]);
    b.sanitizer.freed([pages(0, 8), pages(9)]);
    b.sanitizer.freed([pages(10)]);
    expect(b.rules).toEqual([]);
  });

  test('what was freed before goes back with a snapshot', () => {
    const b = new Bench(encrypted);
    b.sanitizer.freed([pages(0, 8)]);
    const before = b.sanitizer.snapshot();
    b.setEntry(10, 10);
    b.sanitizer.freed([pages(10)]);
    const reported = b.reports;
    expect(reported).toHaveLength(1);
    b.sanitizer.restore(before);
    expect(b.reports).toEqual([]);
    b.sanitizer.freed([pages(10)]);
    expect(b.reports).toEqual(reported);
  });
});
