import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../../src/machine/address.js';
import { Bench } from '../bench.js';

/** A bench with a mask of 8 bytes in page 3, which a loader has put there. */
function bench(): Bench {
  const b = new Bench();
  b.masks = [{ name: 'mask', base: 0x3010, size: 8 }];
  b.as('loader', () => {
    b.machine.dmaWrite(pa(0x3000), new Uint8Array(64));
  });
  return b;
}

describe('mask-read-early', () => {
  test('a read by other code before the write that changes it', () => {
    const b = bench();
    b.as('user', () => {
      b.load(3, 0x10);
    });
    b.step = 'second';
    b.as('enable', () => {
      b.store(3, 0x10);
    });
    expect(b.reports).toEqual([
      {
        rule: 'mask-read-early',
        ...{ step: 'second', at: '3010+8', va: '3010+8', in: 'enable' },
        what: 'the first write of mask, with C=0: it was read before',
        earlier: { what: 'read', in: 'user', step: 'first', C: 0 },
        outcome: 'garbage consumed',
      },
    ]);
  });

  test('a read between a write of the value that it has and the write that changes it', () => {
    const b = bench();
    b.as('clear', () => {
      b.cpu.storeU64(va(0x3010), 0n);
    });
    b.as('user', () => {
      b.load(3, 0x10);
    });
    b.as('enable', () => {
      b.store(3, 0x10);
    });
    expect(b.rules).toEqual(['mask-read-early enable user']);
  });

  test.each<[string, (b: Bench) => void]>([
    [
      'read after the write',
      (b) => {
        b.store(3, 0x10);
        b.as('user', () => {
          b.load(3, 0x10);
        });
        b.store(3, 0x10);
      },
    ],
    [
      'read and written by the same code',
      (b) => {
        b.load(3, 0x10);
        b.store(3, 0x10);
      },
    ],
    [
      'read, and never written',
      (b) => {
        b.load(3, 0x10);
      },
    ],
    [
      'written with the value that it has',
      (b) => {
        b.load(3, 0x10);
        b.as('disable', () => {
          b.cpu.storeU64(va(0x3010), 0n);
        });
      },
    ],
    [
      'a copy of the page that holds it',
      (b) => {
        b.cpu.read(va(0x3000), new Uint8Array(64));
        b.as('enable', () => {
          b.store(3, 0x10);
        });
      },
    ],
    [
      'a variable beside it',
      (b) => {
        b.load(3, 0x18);
        b.as('enable', () => {
          b.store(3, 0x18);
        });
      },
    ],
  ])('not: %s', (_what, act) => {
    const b = bench();
    act(b);
    expect(b.rules).toEqual([]);
  });
});
