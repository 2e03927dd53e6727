/** Key mismatches on a booted machine whose tables and writes are made by hand. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { hex, pa, va, type Va } from '../../../src/machine/address.js';
import { PAGE_OFFSET } from '../../../src/kernel/constants.js';
import {
  mismatchOnWalk,
  mismatchText,
  wrongRead,
} from '../../../src/analysis/matrix/key-mismatch.js';
import type { ReadCheck } from '../../../src/trace/integrity.js';
import { BootCheckpoint } from '../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('drivers');
const { k, boot } = checkpoint;
const { machine, recorder } = boot;
const C47 = 1n << 47n;
const MIB = 2 ** 20;
/** Two unused pages of the direct map: the second one is an alias of the first. */
const PAGE = va(PAGE_OFFSET + 80 * MIB);
const ALIAS = va(PAGE_OFFSET + 84 * MIB);
const PA = 80 * MIB;

/** Writes the last-level entry of an address: its target and C-bit. */
function reach(address: Va, to: number, c: 0 | 1): void {
  k.fn.set_memory_4k(address, 1);
  const entry = checkpoint.entry(address) & 0x8000_0000_0000_0fffn;
  const { table, index } = k.fn.lookup_address(address) ?? { table: va(0), index: 0 };
  k.writeU64(va(table + index * 8), entry | BigInt(to) | (c === 1 ? C47 : 0n));
  k.fn.flush_tlb_all();
}

/** Does something on behalf of a function. */
function as<T>(name: string, act: () => T): T {
  machine.origin = recorder.intern(name);
  return act();
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i + 1);

/** A read on behalf of a function, and the mismatch found if the byte `at` was wrong. */
function looked(address: Va, length: number, at = 0): ReadCheck {
  const found = as('reader', () => k.readBytes(address, length));
  return { name: 'thing', by: 'reader', intact: false, bytes: found, at };
}

beforeEach(() => {
  checkpoint.restore();
  k.trace.reads = [];
});

describe('a wrong read', () => {
  describe.each([
    ['from the cache', false],
    ['from DRAM', true],
  ])('%s', (_, flushed) => {
    test.each([
      [1, 0],
      [0, 1],
    ] as const)('names the writer, and that it wrote with C=%i what is read with C=%i', (w, r) => {
      reach(PAGE, PA, w);
      reach(ALIAS, PA, r);
      as('writer', () => {
        k.writeBytes(PAGE, bytes(200));
      });
      if (flushed) machine.cache.wbinvd('all');
      expect(machine.cache.lastWrite(pa(PA)) === undefined).toBe(flushed);
      expect(wrongRead(boot, looked(ALIAS, 200))).toEqual({
        name: 'thing',
        reader: 'reader',
        readC: r,
        writer: 'writer',
        writeC: w,
        pa: hex(PA),
      });
    });
  });

  test('names the last writer of the wrong line', () => {
    reach(PAGE, PA, 1);
    reach(ALIAS, PA, 0);
    as('first', () => {
      k.writeBytes(PAGE, bytes(256));
    });
    as('second', () => {
      k.writeBytes(va(ALIAS + 128), bytes(64));
    });
    const of = (at: number): unknown[] => {
      const { writer, writeC, readC, pa } = wrongRead(boot, looked(ALIAS, 256, at));
      return [writer, writeC, readC, pa];
    };
    for (const [at, ...said] of [
      [127, 'first', 1, 0, hex(PA + 127)],
      [128, 'second', 0, 0, hex(PA + 128)],
      [191, 'second', 0, 0, hex(PA + 191)],
      [192, 'first', 1, 0, hex(PA + 192)],
    ] as const) {
      expect([at, ...of(at)]).toEqual([at, ...said]);
    }
  });

  test('finds the part of a read across pages with different C-bits', () => {
    reach(PAGE, PA, 1);
    reach(va(PAGE + 4096), PA + 16 * 4096, 0);
    as('writer', () => {
      k.writeBytes(PAGE, new Uint8Array(8192));
    });
    const look = looked(va(PAGE + 4000), 200, 96);
    expect(wrongRead(boot, look)).toMatchObject({ readC: 0, writeC: 0, pa: hex(PA + 16 * 4096) });
    expect(wrongRead(boot, { ...look, at: 95 })).toMatchObject({
      readC: 1,
      writeC: 1,
      pa: hex(PA + 4095),
    });
  });

  test('of memory that was never written has no writer', () => {
    reach(ALIAS, PA, 0);
    expect(wrongRead(boot, looked(ALIAS, 64))).toEqual({
      name: 'thing',
      reader: 'reader',
      readC: 0,
      pa: hex(PA),
    });
  });

  test('of data written before the kernel names firmware or loader', () => {
    machine.origin = 0;
    machine.dmaWrite(pa(PA), bytes(64));
    reach(ALIAS, PA, 1);
    expect(wrongRead(boot, looked(ALIAS, 64))).toMatchObject({
      readC: 1,
      writer: 'firmware or loader',
      writeC: 0,
    });
  });

  test('whose bytes are a copy is found by comparing bytes', () => {
    reach(ALIAS, PA, 0);
    as('writer', () => {
      k.writeBytes(ALIAS, bytes(64));
    });
    const { bytes: found, ...look } = looked(ALIAS, 64, 3);
    k.readBytes(va(PAGE_OFFSET + 0x1000), 16);
    expect(wrongRead(boot, { ...look, bytes: found.slice(0, 8) }).pa).toBe(hex(PA + 3));
  });

  test('without a matching read names the reader only', () => {
    looked(ALIAS, 64);
    const foreign = { name: 'thing', by: 'reader', intact: false, bytes: bytes(3), at: 0 };
    expect(wrongRead(boot, foreign)).toEqual({ name: 'thing', reader: 'reader' });
    k.trace.reads = null;
    expect(wrongRead(boot, looked(ALIAS, 64))).toEqual({ name: 'thing', reader: 'reader' });
  });
});

describe('a walk', () => {
  test('has no mismatch if all tables are read with the key they were written with', () => {
    reach(PAGE, PA, 1);
    as('writer', () => {
      k.writeBytes(PAGE, bytes(8));
    });
    expect(mismatchOnWalk(boot, k.cpu, PAGE)).toBeUndefined();
  });

  test('names the entry that was written with the other key', () => {
    reach(PAGE, PA, 1);
    const steps = k.cpu.traceWalk(PAGE);
    const [pmd, pte] = [steps[2], steps[3]];
    if (pmd === undefined || pte === undefined) throw new Error('no table');
    const entry = pte.table + pte.index * 8;
    as('filler', () => {
      k.writeU64(k.__va(entry), pte.entry);
    });
    as('flipper', () => {
      k.writeU64(k.__va(pmd.table + pmd.index * 8), pmd.entry & ~C47);
    });
    k.fn.flush_tlb_all();
    expect(mismatchOnWalk(boot, k.cpu, PAGE)).toEqual({
      what: `PTE entry ${hex(entry)}`,
      pa: entry,
      readC: 0,
      writeC: 1,
      writer: 'filler',
    });
  });

  test('that reaches a page names the memory there', () => {
    reach(PAGE, PA, 1);
    as('writer', () => {
      k.writeBytes(PAGE, bytes(8));
    });
    reach(PAGE, PA, 0);
    expect(mismatchOnWalk(boot, k.cpu, va(PAGE + 5))).toEqual({
      what: `memory ${hex(PA + 5)}`,
      pa: PA + 5,
      readC: 0,
      writeC: 1,
      writer: 'writer',
    });
  });

  test('to a table outside memory reports that no memory is there', () => {
    reach(PAGE, PA, 1);
    const pmd = k.cpu.traceWalk(PAGE)[2];
    if (pmd === undefined) throw new Error('no table');
    k.writeU64(k.__va(pmd.at), (2n ** 42n) | 0x67n);
    k.fn.flush_tlb_all();
    const found = mismatchOnWalk(boot, k.cpu, PAGE);
    const at = 2 ** 42 + Number((BigInt(PAGE) >> 12n) & 511n) * 8;
    expect(found).toEqual({ what: `PTE entry ${hex(at)}`, pa: at, readC: 0, absent: true });
    expect(found && mismatchText(found)).toBe('with C=0; no memory is there, it reads as all ones');
  });

  test('to an unmapped address through intact tables has no mismatch', () => {
    checkpoint.unmap(PAGE);
    expect(mismatchOnWalk(boot, k.cpu, PAGE)).toBeUndefined();
  });
});

describe('mismatchText', () => {
  test.each([
    [{ readC: 1 }, 'with C=1; it was never written'],
    [{ readC: 1, writeC: 0, writer: 'loader' }, 'with C=1; loader wrote it with C=0'],
    [{ readC: 0, writeC: 1, writer: 'f' }, 'with C=0; f wrote it with C=1'],
    [{ readC: 1, writeC: 1, writer: 'f' }, 'with C=1; f wrote it with the same C-bit'],
    [{ readC: 0, writeC: 0, writer: 'f' }, 'with C=0; f wrote it with the same C-bit'],
  ])('of %o ends "%s"', (clash, text) => {
    expect(mismatchText(clash)).toBe(text);
  });
});
