/** DRAM after any accesses and snapshots, against a model of one array. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, PAGE_SIZE, pa, type KeyId } from '../../../src/machine/address.js';
import { Dram, type DramSnapshot } from '../../../src/machine/memory/dram.js';
import { MemoryEngine } from '../../../src/machine/memory/engine.js';
import { nobleCipher } from '../../../src/machine/memory/noble-cipher.js';
import { Probes } from '../../../src/machine/probes.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { text } from './block-cipher.js';

const GUEST = 2 as KeyId;

/** DRAM of one range. */
function dram(lazy: boolean, ranges: { base: number; size: number }[]): Dram {
  const engine = new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'dram' });
  return new Dram({ ranges, noiseSeed: 42, engine, lazy, probes: new Probes() });
}

function read(memory: Dram, address: number, key: KeyId, length: number): Uint8Array {
  const out = new Uint8Array(length);
  memory.read(pa(address), key, out, 0, length);
  return out;
}

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

describe('DRAM against a model that encrypts every block at once', () => {
  const BASE = 0x1000;
  const SIZE = 0x2000;
  const keys = fc.constantFrom(KEY_PLAIN, KEY_HOST, GUEST);

  /** Bytes on the bus in one array; every access decrypts and encrypts the 16-byte blocks that it touches. */
  class Model {
    private readonly aes = new MemoryEngine({ cipher: nobleCipher, mode: 'XEX', seed: 'dram' });
    constructor(public raw: Uint8Array) {}

    access(address: number, key: KeyId, length: number, change?: Uint8Array): Uint8Array {
      const out = new Uint8Array(length).fill(0xff);
      for (let block = address - (address % 16); block < address + length; block += 16) {
        if (block < BASE || block >= BASE + SIZE) continue;
        this.aes.decrypt(key, pa(block), this.raw, block - BASE, 16);
        for (let at = Math.max(block, address); at < Math.min(block + 16, address + length); at++) {
          if (change !== undefined) this.raw[at - BASE] = change[at - address] ?? 0;
          out[at - address] = this.raw[at - BASE] ?? 0;
        }
        this.aes.encrypt(key, pa(block), this.raw, block - BASE, 16);
      }
      return out;
    }
  }

  const step = fc.record({
    what: fc.constantFrom(
      ...(['write', 'write', 'write', 'read', 'fill'] as const),
      ...(['load', 'pages', 'in place', 'snapshot', 'restore'] as const),
    ),
    // Around both ends of the range, and around the page boundary in it.
    address: fc
      .constantFrom(BASE, BASE + 0x1000, BASE + SIZE)
      .chain((edge) => fc.integer({ min: edge - 100, max: edge + 70 })),
    length: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(64, 128, 192)),
    lines: fc.boolean(),
    key: keys,
  });

  test.each([
    ['lazy', true],
    ['eager', false],
  ])('%s: has the same bytes after any accesses and snapshots', (_name, lazy) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
        const memory = dram(lazy, [{ base: BASE, size: SIZE }]);
        const model = new Model(memory.peek(pa(BASE), SIZE));
        let frozen: [DramSnapshot, Uint8Array] = [memory.snapshot(), model.raw.slice()];
        const loaded: [Uint8Array, Uint8Array][] = [];
        steps.forEach(({ what, address, length, lines, key }, i) => {
          const at = lines ? address - (address % 64) : address;
          if (what === 'snapshot') frozen = [memory.snapshot(), model.raw.slice()];
          else if (what === 'restore') {
            memory.restore(frozen[0]);
            model.raw = frozen[1].slice();
          } else if (what === 'fill') {
            // Whole lines, from a part of a page to more than all of them.
            const start = address - (address % 64);
            const size = length * 64;
            memory.fillLines(pa(start), key, i, size);
            model.access(start, key, size, new Uint8Array(size).fill(i));
          } else if (what === 'load') {
            const data = bytes(length * 64, i);
            loaded.push([data, data.slice()]);
            memory.load(pa(address), data);
            model.access(address, KEY_PLAIN, data.length, data);
          } else if (what === 'pages') {
            const start = address - (address % PAGE_SIZE);
            const data = bytes(PAGE_SIZE, i);
            memory.write(pa(start), key, data, 0, PAGE_SIZE);
            model.access(start, key, PAGE_SIZE, data);
            data.fill(0);
          } else if (what === 'in place') {
            // The bytes of a page, as they are read without a key, are written back under one.
            const start = address - (address % PAGE_SIZE);
            const data = read(memory, start, KEY_PLAIN, PAGE_SIZE);
            memory.write(pa(start), key, data, 0, PAGE_SIZE);
            model.access(start, key, PAGE_SIZE, data);
          } else if (what === 'write') {
            const data = bytes(length, i);
            memory.write(pa(at), key, data, 0, length);
            model.access(at, key, length, data);
          } else {
            expect(text(read(memory, at, key, length))).toBe(text(model.access(at, key, length)));
          }
        });
        expect(text(memory.peek(pa(BASE), SIZE))).toBe(text(model.raw));
        for (const [data, before] of loaded) expect(text(data)).toBe(text(before));
      }),
      { numRuns: 200 },
    );
  });
});
