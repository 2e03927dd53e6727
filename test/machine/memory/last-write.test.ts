/** Origin and key of the last write of a line: in the cache, in DRAM, and in both under two keys. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, va, type KeyId, type Pa } from '../../../src/machine/address.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../../src/machine/machine.js';
import { REQUESTER_PLATFORM } from '../../../src/machine/requester.js';
import { MEMTYPE, type MemType } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

const AT = pa(0x4_0040);

function machine(size = 32 * 1024): Machine {
  return new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [{ base: 0, size: 0x10_0000 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size, ways: size === 0 ? 0 : 8 },
    engine: { mode: 'XEX', seed: 'last write', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
}
const write = (m: Machine, key: KeyId, origin: number, type: MemType = MEMTYPE.WB, at: Pa = AT) =>
  m.cache.write(0, at, key, type, Uint8Array.of(origin), 0, 1, origin);
const read = (m: Machine, key: KeyId, origin: number): void =>
  m.cache.read(0, AT, key, MEMTYPE.WB, new Uint8Array(1), 0, 1, origin);

describe('the last write of a line', () => {
  test('is undefined without a write, also after reads', () => {
    const m = machine();
    expect(m.lastWrite(AT)).toBeUndefined();
    read(m, KEY_HOST, 5);
    expect(m.lastWrite(AT)).toBeUndefined();
  });

  test.each([
    ['plain', KEY_PLAIN],
    ['host', KEY_HOST],
  ])('with the %s key is reported from the cache and after write-back from DRAM', (_, key) => {
    const m = machine();
    write(m, key, 7);
    expect(m.dram.lastWrite(AT)).toBeUndefined();
    expect(m.lastWrite(AT)).toEqual({ key, origin: 7 });
    m.cache.wbinvd('all');
    expect(m.cache.lastWrite(AT)).toBeUndefined();
    expect(m.lastWrite(AT)).toEqual({ key, origin: 7 });
    read(m, KEY_HOST, 9);
    expect(m.lastWrite(AT)).toEqual({ key, origin: 7 });
  });

  test('applies to its whole line and no other', () => {
    const m = machine();
    write(m, KEY_HOST, 7);
    for (const at of [0x4_0040, 0x4_007f]) expect(m.lastWrite(pa(at))?.origin).toBe(7);
    for (const at of [0x4_003f, 0x4_0080]) expect(m.lastWrite(pa(at))).toBeUndefined();
  });

  test('is recorded in DRAM without a cache or for an uncached type', () => {
    const none = machine(0);
    write(none, KEY_HOST, 3);
    expect(none.lastWrite(AT)).toEqual({ key: KEY_HOST, origin: 3 });
    for (const type of [MEMTYPE.UC, MEMTYPE.WT, MEMTYPE.WP]) {
      const m = machine();
      write(m, KEY_HOST, 3, type);
      expect(m.dram.lastWrite(AT)).toEqual({ key: KEY_HOST, origin: 3 });
      expect(m.lastWrite(AT)).toEqual({ key: KEY_HOST, origin: 3 });
    }
  });

  test('by a device has the origin of its requester', () => {
    const m = machine();
    write(m, KEY_PLAIN, 3);
    m.origin = 9;
    m.originOf.set(REQUESTER_PLATFORM, 8);
    m.dmaWrite(AT, Uint8Array.of(1));
    expect(m.lastWrite(AT)).toEqual({ key: KEY_PLAIN, origin: 8 });
  });

  test('is the later one of two cached writes under two keys, regardless of later reads', () => {
    for (const [first, last] of [
      [KEY_PLAIN, KEY_HOST],
      [KEY_HOST, KEY_PLAIN],
    ] as const) {
      const m = machine();
      write(m, first, 1);
      write(m, last, 2);
      expect(m.lastWrite(AT)).toEqual({ key: last, origin: 2 });
      read(m, first, 9);
      expect(m.lastWrite(AT)).toEqual({ key: last, origin: 2 });
      const snapshot = m.snapshot();
      write(m, first, 3);
      expect(m.lastWrite(AT)).toEqual({ key: first, origin: 3 });
      m.restore(snapshot);
      expect(m.lastWrite(AT)).toEqual({ key: last, origin: 2 });
    }
  });

  test('of a table is not changed by the walker’s accessed bits', () => {
    const m = machine();
    const table = (page: number): Pa => pa(0x2_0000 + page * 4096);
    m.originOf.set(REQUESTER_PLATFORM, 4);
    for (const level of [0, 1, 2, 3]) {
      const next = BigInt(level === 3 ? 0x5000 : table(level + 1));
      const entry = new BigUint64Array([next | 3n]);
      m.dmaWrite(table(level), new Uint8Array(entry.buffer));
    }
    m.origin = 6;
    m.cpus[0].enterLongMode(BigInt(table(0)));
    expect(m.cpus[0].storeU8(va(0), 1)).toBeNull();
    expect((m.dmaRead(table(3), 1)[0] ?? 0) & 0x60).toBe(0x60);
    for (const level of [0, 1, 2, 3]) {
      expect(m.lastWrite(table(level))).toEqual({ key: KEY_PLAIN, origin: 4 });
    }
    expect(m.lastWrite(pa(0x5000))).toEqual({ key: KEY_PLAIN, origin: 6 });
  });

  test('of a long fill has the fill’s origin, in the cache and in memory', () => {
    const m = machine();
    const length = m.cache.longFill;
    m.cache.fillRun(0, pa(0x1_0000), KEY_HOST, 0, length, 6);
    for (const at of [0x1_0000, 0x1_0000 + length - 1]) {
      expect(m.lastWrite(pa(at))).toEqual({ key: KEY_HOST, origin: 6 });
    }
    write(m, KEY_PLAIN, 2, MEMTYPE.WB, pa(0x1_0000 + length - 64));
    expect(m.lastWrite(pa(0x1_0000 + length - 64))).toEqual({ key: KEY_PLAIN, origin: 2 });
  });
});
