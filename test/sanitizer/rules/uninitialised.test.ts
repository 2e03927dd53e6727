import { describe, expect, test } from '@jest/globals';
import { KEY_PLAIN, pa, va } from '../../../src/machine/address.js';
import { Bench as PlainBench } from '../bench.js';

class Bench extends PlainBench {
  override annotations = ['searches'] as const;
}

describe('uninitialised-read', () => {
  test('a load of a value that was never written', () => {
    const b = new Bench([3]);
    b.store(3, 8);
    b.as('user', () => {
      b.cpu.loadU64(va(0x300c));
    });
    expect(b.reports).toEqual([
      {
        rule: 'uninitialised-read',
        ...{ step: 'first', at: '3010+4', va: '3010+4', C: 1, in: 'user' },
        what: 'a read of memory that was never written',
        outcome: 'garbage consumed',
      },
    ]);
  });

  test('a walk through a table that was never written', () => {
    const b = new Bench();
    b.setEntry(3, 3);
    b.machine.dmaWrite(pa(0x20_2008), Uint8Array.of(0x67, 0, 0x30));
    b.as('user', () => {
      b.cpu.loadU64(va(0x20_0000));
    });
    expect(b.rules).toEqual(['uninitialised-read user']);
    expect(b.reports[0]?.what).toBe('a walk of memory that was never written');
  });

  test('not without annotations of searches', () => {
    const b = new PlainBench();
    b.load(3);
    expect(b.rules).toEqual([]);
  });

  test.each<[string, (b: Bench) => void]>([
    [
      'written before',
      (b) => {
        b.store(3);
        b.load(3);
      },
    ],
    [
      'a copy',
      (b) => {
        b.cpu.read(va(0x3000), new Uint8Array(64));
      },
    ],
    [
      'a search',
      (b) => {
        b.sanitizer.searching({ at: 0x3000, size: 0x1000 });
        b.load(3);
        b.load(3, 0xff8);
      },
    ],
  ])('not: %s', (_what, act) => {
    const b = new Bench();
    act(b);
    expect(b.rules).toEqual([]);
  });

  test('a load beside a search, and after it', () => {
    const b = new Bench();
    b.sanitizer.searching({ at: 0x3000, size: 0x1000 });
    b.as('beside', () => {
      b.load(4);
    });
    const none = { what: 'x', start: 0, length: 0, key: KEY_PLAIN, found: false };
    b.sanitizer.searched({ ...none, signature: new Uint8Array(1), step: 1 });
    b.as('after', () => {
      b.load(3);
    });
    expect(b.rules).toEqual(['uninitialised-read beside', 'uninitialised-read after']);
  });
});
