import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../src/machine/address.js';
import { Dram } from '../../src/machine/dram.js';
import { MemoryEngine } from '../../src/machine/engine.js';
import { nodeCipher } from '../../src/node/node-cipher.js';

const GUEST = 2 as KeyId;
const engine = (): MemoryEngine =>
  new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'dram' });
const dram = (lazy = true, ranges = [{ base: 0x1000, size: 0x8000 }]): Dram =>
  new Dram({ ranges, noiseSeed: 42, engine: engine(), lazy });
const read = (memory: Dram, address: number, key: KeyId, length: number): Uint8Array => {
  const out = new Uint8Array(length);
  memory.read(pa(address), key, out, 0, length);
  return out;
};
const bytes = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

describe('DRAM', () => {
  test('answers from the first to the last byte of its range, and nowhere else', () => {
    const memory = dram();
    for (const [address, answers] of [
      [0xfff, false],
      [0x1000, true],
      [0x8fff, true],
      [0x9000, false],
    ] as const) {
      memory.write(pa(address), KEY_PLAIN, Uint8Array.of(0x5a), 0, 1);
      expect([address, read(memory, address, KEY_PLAIN, 1)[0]]).toEqual([
        address,
        answers ? 0x5a : 0xff,
      ]);
    }
  });

  test('holds noise until it is written, the same each time and never the same twice', () => {
    expect(read(dram(), 0x1000, KEY_PLAIN, 256)).toEqual(read(dram(), 0x1000, KEY_PLAIN, 256));
    expect(read(dram(), 0x1000, KEY_PLAIN, 64)).not.toEqual(read(dram(), 0x2000, KEY_PLAIN, 64));
    expect(read(dram(), 0x1000, KEY_PLAIN, 64)).not.toEqual(read(dram(), 0x1000, KEY_HOST, 64));
  });

  test('reads back under the key that wrote, and as garbage under another', () => {
    const memory = dram();
    memory.write(pa(0x2000), KEY_HOST, bytes(128), 0, 128);
    expect(read(memory, 0x2000, KEY_HOST, 128)).toEqual(bytes(128));
    expect(read(memory, 0x2000, KEY_PLAIN, 128)).not.toEqual(bytes(128));
    expect(read(memory, 0x2000, GUEST, 128)).not.toEqual(bytes(128));
    expect(read(memory, 0x2000, KEY_HOST, 128)).toEqual(bytes(128));
    expect(memory.peek(pa(0x2000), 128)).toEqual(read(memory, 0x2000, KEY_PLAIN, 128));
  });

  test('says who wrote last, and tells of lines that change hands', () => {
    const memory = dram();
    const told: unknown[] = [];
    memory.onOwner = (address, length, from, to) => told.push([address, length, from, to]);
    memory.write(pa(0x2000), KEY_PLAIN, bytes(128), 0, 128);
    memory.write(pa(0x2040), KEY_HOST, bytes(64), 0, 64);
    expect(memory.stateOf(pa(0x2000), 0x100)).toEqual({ plain: 64, encrypted: 64, untouched: 128 });
    expect(told).toEqual([[0x2040, 64, 0, 1]]);
    expect(memory.touchedBytes).toBe(4096);
    expect(memory.stateOf(pa(0x4000), 16)).toEqual({ plain: 0, encrypted: 0, untouched: 16 });
  });

  test('a snapshot keeps what was there, whatever is written after', () => {
    const memory = dram();
    memory.write(pa(0x2000), KEY_HOST, bytes(64, 1), 0, 64);
    const frozen = memory.snapshot();
    memory.write(pa(0x2000), KEY_HOST, bytes(64, 2), 0, 64);
    memory.write(pa(0x3000), KEY_PLAIN, bytes(64, 3), 0, 64);
    memory.restore(frozen);
    expect(read(memory, 0x2000, KEY_HOST, 64)).toEqual(bytes(64, 1));
    expect(read(memory, 0x3000, KEY_PLAIN, 64)).toEqual(read(dram(), 0x3000, KEY_PLAIN, 64));
  });

  test('eager and lazy, of any alignment, hold the same bytes on the bus', () => {
    const write = fc.record({
      address: fc.integer({ min: 0x1000, max: 0x13ff }),
      length: fc.integer({ min: 1, max: 200 }),
      key: fc.constantFrom(KEY_PLAIN, KEY_HOST, GUEST),
      look: fc.constantFrom(KEY_PLAIN, KEY_HOST, GUEST),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), (writes) => {
        const lazy = dram(true);
        const eager = dram(false);
        writes.forEach(({ address, length, key, look }, i) => {
          const data = bytes(length, i);
          for (const memory of [lazy, eager]) memory.write(pa(address), key, data, 0, length);
          expect(read(lazy, address, key, length)).toEqual(data);
          expect(read(lazy, address, look, 64)).toEqual(read(eager, address, look, 64));
        });
        expect(lazy.peek(pa(0x1000), 0x600)).toEqual(eager.peek(pa(0x1000), 0x600));
      }),
      { numRuns: 60 },
    );
  });

  test('lines are read and written like any bytes', () => {
    const memory = dram();
    memory.writeLines(pa(0x1fc0), KEY_HOST, bytes(256), 64, 128);
    const out = new Uint8Array(256);
    memory.readLines(pa(0x1fc0), KEY_HOST, out, 32, 128);
    expect(out.subarray(32, 160)).toEqual(bytes(256).subarray(64, 192));
  });
});
