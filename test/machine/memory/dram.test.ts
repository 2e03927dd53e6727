import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { deserialize, serialize } from '../../../src/machine/codec.js';
import { Probes } from '../../../src/machine/probes.js';
import { Dram, type DramSnapshot } from '../../../src/machine/memory/dram.js';
import { MemoryEngine } from '../../../src/machine/memory/engine.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

const GUEST = 2 as KeyId;
const engine = (): MemoryEngine =>
  new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'dram' });
const dram = (
  lazy = true,
  ranges = [{ base: 0x1000, size: 0x8000 }],
  probes = new Probes(),
): Dram => new Dram({ ranges, noiseSeed: 42, engine: engine(), lazy, probes });
/** DRAM, and the changes of keys that it reports. */
const reporting = (lazy = true): { memory: Dram; keyChanged: Probes['keyChanged'] } => {
  const probes = new Probes();
  return { memory: dram(lazy, undefined, probes), keyChanged: probes.keyChanged };
};
const read = (memory: Dram, address: number, key: KeyId, length: number): Uint8Array => {
  const out = new Uint8Array(length);
  memory.read(pa(address), key, out, 0, length);
  return out;
};
const bytes = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

describe('DRAM', () => {
  test('answers for the first to the last byte of its range, and for no other', () => {
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
    expect(memory.touched()).toEqual([1, 8]);
    expect(memory.lastWrite(pa(0x9000))).toBeUndefined();
  });

  test('reads as noise until written, repeatable and different for each page', () => {
    expect(read(dram(), 0x1000, KEY_PLAIN, 256)).toEqual(read(dram(), 0x1000, KEY_PLAIN, 256));
    expect(read(dram(), 0x1000, KEY_PLAIN, 64)).not.toEqual(read(dram(), 0x2000, KEY_PLAIN, 64));
    expect(read(dram(), 0x1000, KEY_PLAIN, 64)).not.toEqual(read(dram(), 0x1000, KEY_HOST, 64));
  });

  test('reads back under the key of the write, and garbage under another', () => {
    const memory = dram();
    memory.write(pa(0x2000), KEY_HOST, bytes(128), 0, 128);
    expect(read(memory, 0x2000, KEY_HOST, 128)).toEqual(bytes(128));
    expect(read(memory, 0x2000, KEY_PLAIN, 128)).not.toEqual(bytes(128));
    expect(read(memory, 0x2000, GUEST, 128)).not.toEqual(bytes(128));
    expect(read(memory, 0x2000, KEY_HOST, 128)).toEqual(bytes(128));
    expect(memory.peek(pa(0x2000), 128)).toEqual(read(memory, 0x2000, KEY_PLAIN, 128));
  });

  test('records the last write, and reports lines whose key changes', () => {
    const { memory, keyChanged } = reporting();
    const reported: unknown[] = [];
    keyChanged.listen((address, length, from, to) => reported.push([address, length, from, to]));
    memory.write(pa(0x2000), KEY_PLAIN, bytes(128), 0, 128);
    memory.write(pa(0x2040), KEY_HOST, bytes(64), 0, 64);
    expect(memory.stateOf(pa(0x2000), 0x100)).toEqual({ plain: 64, encrypted: 64, untouched: 128 });
    expect(reported).toEqual([[0x2040, 64, 0, 1]]);
    expect(memory.touchedBytes).toBe(4096);
    expect(memory.stateOf(pa(0x4000), 16)).toEqual({ plain: 0, encrypted: 0, untouched: 16 });
  });

  test('counts the bytes of a range by their last write, with any alignment', () => {
    const memory = dram();
    memory.write(pa(0x2100), KEY_PLAIN, bytes(64), 0, 64);
    memory.write(pa(0x2140), KEY_HOST, bytes(128), 0, 128);
    memory.write(pa(0x3010), GUEST, bytes(1), 0, 1);
    for (const [address, length, plain, encrypted] of [
      [0x2130, 0x20, 16, 16],
      [0x2101, 2, 2, 0],
      [0x20ff, 0x200, 64, 128],
      [0x2150, 0x60, 0, 96],
      [0x2fff, 2, 0, 1],
      [0x2000, 0x2000, 64, 192],
    ] as const) {
      const untouched = length - plain - encrypted;
      expect(memory.stateOf(pa(address), length)).toEqual({ plain, encrypted, untouched });
    }
    expect(memory.lastWrite(pa(0x213f))).toEqual({ key: KEY_PLAIN, origin: 0 });
    expect(memory.lastWrite(pa(0x20ff))).toBeUndefined();
  });

  test('is encrypted if a line was last written under a key', () => {
    const memory = dram();
    expect(memory.encrypted).toBe(false);
    memory.write(pa(0x2000), KEY_PLAIN, bytes(64), 0, 64);
    expect(memory.encrypted).toBe(false);
    memory.write(pa(0x3fff), GUEST, bytes(1), 0, 1);
    expect(memory.encrypted).toBe(true);
    memory.write(pa(0x3fc0), KEY_PLAIN, bytes(64), 0, 64);
    expect(memory.encrypted).toBe(false);
  });

  test('gives the bytes of now later', () => {
    for (const lazy of [true, false]) {
      const memory = dram(lazy);
      const now = (address: number, length: number): [Uint8Array, () => Uint8Array] => [
        dram(lazy).peek(pa(address), length),
        memory.peekLater(pa(address), length),
      ];
      const [noise, ofNoise] = now(0x3010, 100);
      expect(ofNoise()).toEqual(noise);
      memory.write(pa(0x2000), KEY_HOST, bytes(200), 0, 200);
      memory.write(pa(0x2050), KEY_PLAIN, bytes(8), 0, 8);
      memory.write(pa(0x2100), GUEST, bytes(300), 0, 300);
      const parts = [
        [0x2000, 4096],
        [0x2041, 250],
        [0x20ff, 1],
      ] as const;
      const later = parts.map((part) => memory.peekLater(pa(part[0]), part[1]));
      const copy = dram(lazy);
      copy.restore(memory.snapshot());
      memory.write(pa(0x2000), GUEST, bytes(4096, 8), 0, 4096);
      expect(later.map((each) => each())).toEqual(
        parts.map(([at, length]) => copy.peek(pa(at), length)),
      );
      // Asked again, they are the same.
      expect(later[1]?.()).toEqual(copy.peek(pa(0x2041), 250));
    }
  });

  // Pages share the state of their lines: a listener that read such a page once changed the state of others.
  test.each([
    ['lazy', true],
    ['eager', false],
  ])('%s: a listener reads the bytes before the write, and changes nothing', (_name, lazy) => {
    const [read, quiet] = [reporting(lazy), reporting(lazy)];
    const seen: [number, Uint8Array][] = [];
    read.keyChanged.listen((address, length) => {
      // What was reported before is written by now.
      for (const [at, old] of seen) expect(read.memory.peek(pa(at), old.length)).not.toEqual(old);
      seen.push([address, read.memory.peek(address, length)]);
    });
    quiet.keyChanged.listen(() => undefined);
    for (const { memory } of [read, quiet]) {
      for (const at of [0x1000, 0x2000, 0x3000, 0x4000]) {
        memory.write(pa(at), KEY_HOST, bytes(4096, at), 0, 4096, 3);
      }
      memory.fillLines(pa(0x5000), KEY_HOST, 7, 0x2000, 3);
    }
    const before = quiet.memory.peek(pa(0x1000), 0x7000);
    for (const { memory } of [read, quiet]) {
      memory.snapshot();
      memory.write(pa(0x1000), KEY_PLAIN, bytes(4096, 9), 0, 4096, 4);
      memory.write(pa(0x2010), KEY_PLAIN, bytes(16), 0, 16, 5);
      memory.fillLines(pa(0x5000), KEY_PLAIN, 8, 0x2000, 6);
    }
    expect(seen.map(([address]) => address)).toEqual([0x1000, 0x2000, 0x5000, 0x6000]);
    for (const [address, old] of seen) {
      expect(old).toEqual(before.subarray(address - 0x1000, address - 0x1000 + old.length));
    }
    for (const page of quiet.memory.touched()) {
      expect(read.memory.lastWrites(page)).toEqual(quiet.memory.lastWrites(page));
    }
    expect(read.memory.peek(pa(0x1000), 0x7000)).toEqual(quiet.memory.peek(pa(0x1000), 0x7000));
  });

  test.each([
    ['lazy', true],
    ['eager', false],
  ])('%s: reports each run of lines with one former key', (_name, lazy) => {
    const { memory, keyChanged } = reporting(lazy);
    memory.write(pa(0x2040), KEY_PLAIN, bytes(128), 0, 128, 1);
    memory.write(pa(0x20c0), GUEST, bytes(128), 0, 128, 2);
    memory.write(pa(0x3000), KEY_PLAIN, bytes(64), 0, 64, 3);
    memory.write(pa(0x4000), KEY_PLAIN, bytes(4096), 0, 4096, 4);
    memory.snapshot();
    const reported: unknown[] = [];
    keyChanged.listen((...change) => reported.push(change));
    // Not the lines that were written under this key, or never.
    memory.write(pa(0x2000), KEY_HOST, bytes(0x1080), 0, 0x1080, 5);
    memory.write(pa(0x2000), KEY_HOST, bytes(0x1080), 0, 0x1080, 6);
    expect(reported.splice(0)).toEqual([
      [0x2040, 128, KEY_PLAIN, KEY_HOST, 5],
      [0x20c0, 128, GUEST, KEY_HOST, 5],
      [0x3000, 64, KEY_PLAIN, KEY_HOST, 5],
    ]);
    // One byte changes the key of its line.
    memory.write(pa(0x207f), KEY_PLAIN, bytes(1), 0, 1, 7);
    expect(reported.splice(0)).toEqual([[0x2040, 64, KEY_HOST, KEY_PLAIN, 7]]);
    // Whole pages: by a write and by a fill.
    memory.write(pa(0x4000), KEY_HOST, bytes(4096), 0, 4096, 8);
    memory.fillLines(pa(0x4000), GUEST, 0, 0x2000, 9);
    expect(reported).toEqual([
      [0x4000, 4096, KEY_PLAIN, KEY_HOST, 8],
      [0x4000, 4096, KEY_HOST, GUEST, 9],
    ]);
  });

  test('a view equals a snapshot', () => {
    const memory = dram();
    memory.fillLines(pa(0x2000), KEY_HOST, 0, 0x2000);
    memory.write(pa(0x5000), KEY_HOST, bytes(64), 0, 64);
    expect(serialize(memory.view())).toEqual(serialize(memory.snapshot()));
  });

  test('a snapshot does not change with later writes', () => {
    const memory = dram();
    memory.write(pa(0x2000), KEY_HOST, bytes(64, 1), 0, 64);
    const frozen = memory.snapshot();
    memory.write(pa(0x2000), KEY_HOST, bytes(64, 2), 0, 64);
    memory.write(pa(0x3000), KEY_PLAIN, bytes(64, 3), 0, 64);
    memory.restore(frozen);
    expect(read(memory, 0x2000, KEY_HOST, 64)).toEqual(bytes(64, 1));
    expect(read(memory, 0x3000, KEY_PLAIN, 64)).toEqual(read(dram(), 0x3000, KEY_PLAIN, 64));
  });

  test('has the same bytes on the bus eager and lazy, for any alignment', () => {
    const write = fc.record({
      address: fc.integer({ min: 0x1000, max: 0x13ff }),
      length: fc.integer({ min: 1, max: 200 }),
      key: fc.constantFrom(KEY_PLAIN, KEY_HOST, GUEST),
      readKey: fc.constantFrom(KEY_PLAIN, KEY_HOST, GUEST),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), (writes) => {
        const lazy = dram(true);
        const eager = dram(false);
        writes.forEach(({ address, length, key, readKey }, i) => {
          const data = bytes(length, i);
          for (const memory of [lazy, eager]) memory.write(pa(address), key, data, 0, length);
          expect(read(lazy, address, key, length)).toEqual(data);
          expect(read(lazy, address, readKey, 64)).toEqual(read(eager, address, readKey, 64));
        });
        expect(lazy.peek(pa(0x1000), 0x600)).toEqual(eager.peek(pa(0x1000), 0x600));
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    [true, KEY_HOST],
    [true, KEY_PLAIN],
    [false, KEY_HOST],
  ])(
    'a fill equals a write of its lines, and shared pages separate (lazy: %s, key %i)',
    (lazy, key) => {
      const [filled, written] = [dram(lazy), dram(lazy)];
      const length = 0x3000 - 0x80;
      filled.fillLines(pa(0x1f80), key, 0x5a, length);
      written.write(pa(0x1f80), key, new Uint8Array(length).fill(0x5a), 0, length);
      for (const memory of [filled, written])
        memory.write(pa(0x2010), KEY_HOST, bytes(100), 0, 100);
      for (const under of [KEY_HOST, KEY_PLAIN]) {
        expect(read(filled, 0x1000, under, 0x5000)).toEqual(read(written, 0x1000, under, 0x5000));
      }
      expect(filled.stateOf(pa(0x1000), 0x5000)).toEqual(written.stateOf(pa(0x1000), 0x5000));
    },
  );

  test.each([
    ['a write', (memory: Dram) => memory.write(pa(0x2013), KEY_HOST, Uint8Array.of(9), 0, 1)],
    ['a fill', (memory: Dram) => memory.fillLines(pa(0x2000), KEY_PLAIN, 9, 0x1000)],
    [
      'a snapshot put back',
      (memory: Dram) => {
        const frozen = memory.snapshot();
        memory.write(pa(0x2013), KEY_HOST, Uint8Array.of(9), 0, 1);
        const changed = memory.snapshot();
        memory.restore(frozen);
        for (let i = 0; i < 3; i++) read(memory, 0x2010 + i, KEY_HOST, 5);
        memory.restore(changed);
      },
    ],
  ])('consecutive small reads see a change between them: %s', (_what, change) => {
    const made = (): Dram => {
      const memory = dram();
      memory.write(pa(0x2000), KEY_HOST, bytes(64), 0, 64);
      memory.peek(pa(0x2000), 64);
      return memory;
    };
    const [memory, unread] = [made(), made()];
    const before = [0x2010, 0x2011, 0x2012].map((at) => read(memory, at, KEY_HOST, 5));
    expect(before).toEqual([16, 17, 18].map((at) => bytes(64).slice(at, at + 5)));
    change(memory);
    change(unread);
    const after = read(memory, 0x2013, KEY_HOST, 5);
    expect(after).toEqual(read(unread, 0x2013, KEY_HOST, 5));
    expect(after).not.toEqual(bytes(64).slice(19, 24));
  });

  test('readLines and writeLines equal read and write', () => {
    const memory = dram();
    memory.writeLines(pa(0x1fc0), KEY_HOST, bytes(256), 64, 128);
    const out = new Uint8Array(256);
    memory.readLines(pa(0x1fc0), KEY_HOST, out, 32, 128);
    expect(out.subarray(32, 160)).toEqual(bytes(256).subarray(64, 192));
  });

  test('stores the key of every guest of the largest part', () => {
    const reported: unknown[] = [];
    const both = [reporting(true), reporting(false)];
    const memories = both.map(({ memory }) => memory);
    for (const { keyChanged } of both) {
      keyChanged.listen((_address, _length, from, to) => reported.push([from, to]));
    }
    for (const id of [254, 255, 256, 257, 1006]) {
      const key = id as KeyId;
      for (const memory of memories) {
        memory.write(pa(0x2000), KEY_PLAIN, bytes(64), 0, 64);
        reported.length = 0;
        memory.write(pa(0x2000), key, bytes(64), 0, 64);
        expect(reported).toEqual([[0, id]]);
        expect(read(memory, 0x2000, key, 64)).toEqual(bytes(64));
        expect(memory.peek(pa(0x2000), 64)).not.toEqual(bytes(64));
        expect(memory.stateOf(pa(0x2000), 64)).toEqual({ plain: 0, encrypted: 64, untouched: 0 });
      }
      expect(memories[0]?.peek(pa(0x2000), 64)).toEqual(memories[1]?.peek(pa(0x2000), 64));
    }
  });

  test.each([
    ['starts', { base: 0x1001, size: 0x1000 }],
    ['ends', { base: 0x1000, size: 0xfff }],
  ])('refuses a range that %s within a page', (_where, range) => {
    expect(() => dram(true, [{ base: 0, size: 0x1000 }, range])).toThrow(
      expect.objectContaining({
        code: 'E_DRAM_RANGE',
        expected: 'DRAM in whole pages of 0x1000 bytes',
        found: `0x${range.size.toString(16)} bytes at 0x${range.base.toString(16)}`,
      }),
    );
  });

  test('of 1 TiB allocates touched pages only', () => {
    const TIB = 2 ** 40;
    const memory = dram(true, [{ base: 0, size: TIB }]);
    memory.write(pa(TIB - 64), KEY_HOST, bytes(64), 0, 64);
    read(memory, TIB / 2, KEY_HOST, 64);
    expect(memory.touchedBytes).toBe(4096);
    expect(read(memory, TIB - 64, KEY_HOST, 65)).toEqual(Uint8Array.of(...bytes(64), 0xff));
  });
});

test('Dram.keys counts lines by the key of their last write', () => {
  const memory = dram();
  memory.write(pa(0x1000), KEY_HOST, bytes(4096), 0, 4096);
  memory.write(pa(0x1040), KEY_PLAIN, bytes(65), 0, 65);
  memory.write(pa(0x2000), GUEST, bytes(1), 0, 1);
  memory.fillLines(pa(0x3000), KEY_HOST, 0, 0x2000);
  expect(memory.keys()).toEqual(
    new Map([
      [KEY_HOST, 62 + 128],
      [KEY_PLAIN, 2],
      [GUEST, 1],
    ]),
  );
});

describe('a snapshot of DRAM', () => {
  const first = (memory: Dram): number | undefined => memory.peek(pa(0x2000), 1)[0];
  const put = (memory: Dram, value: number): void => {
    memory.write(pa(0x2000), KEY_PLAIN, Uint8Array.of(value), 0, 1);
  };
  // Other snapshots before or after it, or a serialized copy, must make no difference.
  const taken = (before: number): [Dram, DramSnapshot] => {
    const memory = dram();
    for (let i = 0; i < before; i++) memory.snapshot();
    put(memory, 1);
    return [memory, memory.snapshot()];
  };

  test.each([0, 1, 2, 3])(
    'after %i other snapshots does not change when a machine continues from it',
    (before) => {
      const [memory, frozen] = taken(before);
      for (const snapshot of [frozen, deserialize(serialize(frozen)) as DramSnapshot]) {
        const second = dram();
        second.restore(snapshot);
        for (let i = 0; i < 4; i++) {
          put(second, 9);
          expect(first(second)).toBe(9);
          const third = dram();
          third.restore(snapshot);
          expect([first(memory), first(third)]).toEqual([1, 1]);
          second.restore(snapshot);
          for (let j = 0; j < i; j++) second.snapshot();
        }
      }
    },
  );

  test('does not change when memory is read under another key', () => {
    const memory = dram();
    memory.write(pa(0x2000), KEY_HOST, bytes(64), 0, 64);
    const frozen = memory.snapshot();
    const before = serialize(frozen);
    memory.peek(pa(0x2000), 64);
    expect(serialize(frozen)).toEqual(before);
  });
});
