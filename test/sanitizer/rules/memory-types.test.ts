import { describe, expect, test } from '@jest/globals';
import { MEMTYPE, type MemType } from '../../../src/machine/types.js';
import { Bench } from '../bench.js';

/** PWT: slot 1 of the PAT, which is WT after reset. */
const PWT = 8n;

describe('wrong-memory-type', () => {
  test.each<[string, bigint, MemType, string[]]>([
    ['WT where WP was asked for', PWT, MEMTYPE.WP, ['wrong-memory-type reader']],
    ['WB where UC was asked for', 0n, MEMTYPE.UC, ['wrong-memory-type reader']],
    ['not WT where WT was asked for', PWT, MEMTYPE.WT, []],
    ['not WB where WB was asked for', 0n, MEMTYPE.WB, []],
  ])('%s', (_what, flags, type, expected) => {
    const b = new Bench();
    b.place(3);
    b.setEntry(3, 3, flags);
    b.sanitizer.mapped({ at: 0x3000, size: 0x1000 }, type);
    b.as('reader', () => {
      b.load(3);
      b.load(3, 0xff8);
    });
    expect(b.rules).toEqual(expected);
  });

  test('says both types, and counts', () => {
    const b = new Bench();
    b.place(3);
    b.setEntry(3, 3, PWT);
    b.sanitizer.mapped({ at: 0x3000, size: 0x1000 }, MEMTYPE.WP);
    b.load(3);
    b.load(3, 8);
    expect(b.reports[0]).toMatchObject({
      ...{ n: 2, at: '3000+10', C: 0, outcome: 'nothing yet' },
      what: 'a read as WT through a mapping that was asked for as WP',
    });
  });

  test('not where the MTRRs give the type', () => {
    const uncached = { base: 0x3000, size: 0x1000 };
    const b = new Bench([], { mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [uncached] } });
    b.place(3);
    b.sanitizer.mapped({ at: 0x3000, size: 0x1000 }, MEMTYPE.WB);
    b.load(3);
    expect(b.rules).toEqual([]);
  });

  test('not outside the range, nor after it was unmapped or mapped anew', () => {
    const b = new Bench();
    for (const page of [2, 3, 4]) b.place(page);
    b.sanitizer.mapped({ at: 0x3000, size: 0x1000 }, MEMTYPE.UC);
    b.load(2, 0xff8);
    b.load(4);
    b.sanitizer.unmapped(0x3000);
    b.load(3);
    b.sanitizer.mapped({ at: 0x3000, size: 0x1000 }, MEMTYPE.UC);
    b.sanitizer.mapped({ at: 0x3000, size: 0x1000 }, MEMTYPE.WB);
    b.load(3);
    expect(b.rules).toEqual([]);
  });
});
