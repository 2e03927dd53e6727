import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, va } from '../../../src/machine/address.js';
import { Bench } from '../bench.js';

/** Page 3 is mapped with the C-bit, and once more, as page 4, without. */
function bench(): Bench {
  const b = new Bench([3]);
  b.setEntry(4, 3);
  return b;
}

/** Reads page `from` and writes what was read to page `to`, as a conversion in place does. */
function convert(b: Bench, from: number, to: number, change = (bytes: Uint8Array) => bytes): void {
  b.as('convert', () => {
    const bytes = new Uint8Array(4096);
    b.cpu.read(va(from * 4096), bytes);
    b.cpu.wbinvd();
    b.cpu.write(va(to * 4096), change(bytes));
    b.cpu.wbinvd();
  });
}

const twice = (b: Bench) => b.reports.filter(({ rule }) => rule === 'encrypted-twice');

describe('encrypted-twice', () => {
  test('memory that was encrypted is encrypted in place', () => {
    const b = bench();
    b.as('first', () => {
      b.place(3, KEY_HOST);
    });
    convert(b, 4, 3);
    expect(twice(b)).toEqual([
      {
        rule: 'encrypted-twice',
        ...{ step: 'first', at: '3000+1000', va: '3000+1000', C: 1, in: 'convert' },
        what: 'a write with C=1 of what a read with C=0 got from the same place: encrypted twice',
        earlier: { what: 'written', in: 'first', step: 'first', C: 1 },
        outcome: 'data lost',
      },
    ]);
  });

  test('memory that is plain is decrypted in place', () => {
    const b = bench();
    b.place(3);
    convert(b, 3, 4);
    expect(twice(b)[0]?.what).toMatch(/: decrypted twice$/);
  });

  test.each<[string, (b: Bench) => void]>([
    [
      'encrypted once',
      (b) => {
        b.place(3);
        convert(b, 4, 3);
      },
    ],
    [
      'read wrongly, and written with other bytes',
      (b) => {
        b.place(3, KEY_HOST);
        convert(b, 4, 3, (bytes) => bytes.fill(0));
      },
    ],
    [
      'read wrongly, and the noise written elsewhere',
      (b) => {
        b.place(3, KEY_HOST);
        convert(b, 4, 6);
      },
    ],
  ])('not: %s', (_what, act) => {
    const b = bench();
    act(b);
    expect(twice(b)).toEqual([]);
  });
});
