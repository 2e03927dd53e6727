import { describe, expect, test } from '@jest/globals';
import { quietTables, readUnder } from '../../src/machine/quiet.js';
import {
  KEY_HOST,
  KEY_PLAIN,
  pa,
  PMD_SIZE,
  va,
  type KeyId,
  type Va,
} from '../../src/machine/address.js';
import { isFault } from '../../src/machine/cpu/fault.js';
import { ZEN1, ZEN3 } from '../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../src/machine/machine.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { PMD, PTE, setEntry, smallMachine, touch } from '../inspect/small-machine.js';
import { machineDigest } from '../machine-digest.js';

const LINE = 64;
const RAM = 64 * 1024;

function machine(model = ZEN1): Machine {
  return new Machine({
    model,
    cpus: 1,
    ram: [{ base: 0, size: RAM }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 4096, ways: 4 },
    engine: { mode: 'XEX', seed: 'inspect', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
}

/** A write by the CPU that stays in the cache. */
const put = (m: Machine, at: number, key: KeyId, bytes: Uint8Array): void => {
  m.cache.write(0, pa(at), key, MEMTYPE.WB, bytes, 0, bytes.length, 1);
};

const linesOf = (m: Machine) =>
  m.cache
    .linesOf(pa(0), RAM)
    .map(({ pa: at, key, dirty, bytes }) => [at, key, dirty, Buffer.from(bytes).toString('hex')]);

/** Dirty lines under both keys, one over another, one across the end of a page. */
function busy(model = ZEN1): Machine {
  const m = machine(model);
  m.dmaWrite(
    pa(0),
    Uint8Array.from({ length: 8192 }, (_, i) => i),
    KEY_HOST,
  );
  put(m, 4, KEY_HOST, Uint8Array.of(1, 2, 3));
  put(m, LINE, KEY_PLAIN, new Uint8Array(LINE).fill(7));
  put(m, 4096 - 8, KEY_PLAIN, new Uint8Array(8).fill(9));
  put(m, 4096, KEY_HOST, new Uint8Array(200).fill(5));
  return m;
}

describe.each([
  ['without cache coherence across keys', ZEN1],
  ['with HwEnfCacheCoh', ZEN3],
])('a read for a report, %s', (_name, model) => {
  const reads = [KEY_PLAIN, KEY_HOST].flatMap((key) =>
    [
      [0, 8],
      [3, 70],
      [60, 8],
      [4090, 300],
      [0, 8192],
      [0xff80, 64],
    ].map(([at = 0, length = 0]) => [at, length, key] as const),
  );

  test('gets what a coherent read gets', () => {
    for (const [at, length, key] of reads) {
      const quiet = readUnder(busy(model), pa(at), length, key);
      expect(quiet).toEqual(busy(model).dmaRead(pa(at), length, key));
    }
  });

  test('leaves every line of the cache and every byte of DRAM as it was', () => {
    const [m, untouched] = [busy(model), busy(model)];
    for (const [at, length, key] of reads) readUnder(m, pa(at), length, key);
    expect(linesOf(m)).toEqual(linesOf(untouched));
    expect(m.dram.peek(pa(0), RAM)).toEqual(untouched.dram.peek(pa(0), RAM));
  });
});

test('a read that changes a device leaves the device as it was', () => {
  const m = machine();
  let reads = 0;
  m.attach({
    name: 'counter',
    mmio: [{ base: 0x10_0000, size: 0x1000 }],
    mmioRead: (_address, out, offset) => {
      out[offset] = ++reads;
    },
    snapshot: () => reads,
    restore: (state) => {
      reads = Number(state);
    },
  });
  const at = pa(0x10_0000);
  expect([m.dmaRead(at, 1)[0], m.dmaRead(at, 1)[0]]).toEqual([1, 2]);
  expect([readUnder(m, at, 1, KEY_PLAIN)[0], readUnder(m, at, 1, KEY_PLAIN)[0]]).toEqual([3, 3]);
  expect(reads).toBe(2);
});

test.each([
  ['translate', (m: Machine, at: Va) => m.cpus[0].translate(at)],
  ['traceWalk', (m: Machine, at: Va) => m.cpus[0].traceWalk(at)],
  ['walkTables', (m: Machine, at: Va) => m.cpus[0].walkTables(at)],
] as const)('%s leaves a line that a walk would write back', (_name, look) => {
  const alias = Uint8Array.of(1, 2, 3);
  const made = (): Machine => {
    const m = smallMachine(ZEN3);
    // The line of the table's first entries, dirty under the other key.
    put(m, PMD, KEY_HOST, alias);
    return m;
  };
  const [m, untouched, walked] = [made(), made(), made()];
  look(m, va(0x1000));
  expect(machineDigest(m)).toEqual(machineDigest(untouched));
  // A walk of the CPU does.
  walked.cpus[0].read(va(0x1000), new Uint8Array(1));
  expect(walked.cache.linesOf(pa(PMD), LINE).map(({ key }) => key)).toEqual([]);
});

test('translate is what the next read uses, and no look-up of the TLB', () => {
  const m = smallMachine();
  const [cpu] = m.cpus;
  touch(m, PMD_SIZE);
  touch(m, PMD_SIZE + 0x1000);
  const before = machineDigest(m);
  setEntry(m, PTE, 0, 0n);
  const changed = machineDigest(m);
  expect(changed).not.toEqual(before);
  expect(cpu.translate(va(PMD_SIZE))).toMatchObject({ pa: PMD_SIZE, key: KEY_HOST });
  expect(isFault(cpu.walkTables(va(PMD_SIZE)))).toBe(true);
  expect(machineDigest(m)).toEqual(changed);
});

test('a table entry is read under its key, both halves', () => {
  const m = busy();
  put(m, 0x2000, KEY_HOST, Uint8Array.of(0x67, 0, 0, 0, 0, 0x80, 0, 0x80));
  const tables = quietTables(m);
  expect(tables.readEntry(pa(0x2000), KEY_HOST)).toBe(0x67);
  expect(tables.high >>> 0).toBe(0x8000_8000);
  expect(tables.readEntry(pa(0x2000), KEY_PLAIN)).not.toBe(0x67);
  tables.setBits(pa(0x2000), KEY_HOST, 0x20);
  expect(tables.readEntry(pa(0x2000), KEY_HOST)).toBe(0x67);
});
