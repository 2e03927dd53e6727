/**
 * The sanitizer against an independent record of memory: for each byte the value written last, by whatever access. A read
 * that gets other values must have a report; a report must have such a read, or one that a stale line made right by chance.
 */
import { afterEach, beforeEach, expect } from '@jest/globals';
import { PAGE_SIZE, type KeyId, type Pa } from '../../src/machine/address.js';
import { Cache } from '../../src/machine/cache/cache.js';
import { Reports, type Found } from '../../src/sanitizer/reports.js';
import { partyOf } from '../../src/sanitizer/writers.js';
import { boot, scenario } from '../helpers.js';

class Bytes {
  private readonly pages = new Map<number, { value: Uint8Array; known: Uint8Array }>();

  put(at: number, length: number, valueOf: (offset: number) => number): void {
    for (let i = 0; i < length; i++) {
      const number = Math.floor((at + i) / PAGE_SIZE);
      let page = this.pages.get(number);
      if (page === undefined) {
        page = { value: new Uint8Array(PAGE_SIZE), known: new Uint8Array(PAGE_SIZE) };
        this.pages.set(number, page);
      }
      page.value[(at + i) % PAGE_SIZE] = valueOf(i);
      page.known[(at + i) % PAGE_SIZE] = 1;
    }
  }

  /** Whether a byte that was read is the one that was written last; true if it was never written. */
  agrees(at: number, byte: number | undefined): boolean {
    const page = this.pages.get(Math.floor(at / PAGE_SIZE));
    return page?.known[at % PAGE_SIZE] !== 1 || page.value[at % PAGE_SIZE] === byte;
  }
}

/** Of the CPUs' and devices' reads in a boot: bytes read wrongly with and without a report, and reports of right ones. */
class Tally {
  readonly bytes = new Bytes();
  /** Reports of the access that comes next. */
  announced: Found[] = [];
  /** Whether an address is one of memory: a device's registers need not hold what was written. */
  isMemory: (at: number) => boolean = () => true;
  reported = 0;
  readonly missed: string[] = [];
  readonly extra: string[] = [];

  written(at: number, length: number, valueOf: (offset: number) => number): void {
    this.bytes.put(at, length, valueOf);
    this.announced = [];
  }

  /** @param stale whether a line of the read's key was cached before. */
  read(at: number, length: number, stale: boolean, byteOf: (offset: number) => number): void {
    if (!this.isMemory(at)) return;
    const wrong = new Set<number>();
    for (let i = 0; i < length; i++) {
      if (!this.bytes.agrees(at + i, byteOf(i))) wrong.add(at + i);
    }
    for (const { start, length: size, earlier } of this.announced) {
      const before = wrong.size;
      for (let i = start; i < start + size; i++) wrong.delete(i);
      this.reported += before - wrong.size;
      // A stale line may have the right bytes, also after its write-back; so may a few bytes of noise.
      const byChance = stale || earlier?.what !== 'written' || size < 4;
      if (wrong.size === before && !byChance) this.extra.push(start.toString(16));
    }
    for (const each of wrong) this.missed.push(each.toString(16));
    this.announced = [];
  }
}

let tally = new Tally();
const restores: (() => void)[] = [];

type Args<T, K extends keyof T> = T[K] extends (...args: infer A) => unknown ? A : never;

/** Replaces a method until the end of the test by `body`, which calls the original one. */
function wrap<T extends object, K extends keyof T & string>(
  prototype: T,
  name: K,
  body: (self: T, args: Args<T, K>, original: () => void) => void,
): void {
  const method = Reflect.get(prototype, name) as (...args: Args<T, K>) => void;
  Reflect.set(prototype, name, function (this: T, ...args: Args<T, K>) {
    body(this, args, () => {
      method.apply(this, args);
    });
  });
  restores.push(() => Reflect.set(prototype, name, method));
}

const RULES: readonly string[] = ['wrong-key-read', 'key-disagreement'];

beforeEach(() => {
  tally = new Tally();
  const stale = (cache: Cache, at: Pa, key: KeyId, length: number): boolean =>
    cache.linesOf(at, length).some((line) => line.key === key);
  wrap(Reports.prototype, 'add', (_self, [found], original) => {
    const read = RULES.includes(found.rule) && found.outcome === 'garbage consumed';
    if (read) tally.announced.push(found);
    original();
  });
  wrap(Cache.prototype, 'read', (self, [, at, key, , out, off, length], original) => {
    const cached = stale(self, at, key, length);
    original();
    tally.read(at, length, cached, (i) => out[off + i] ?? 0);
  });
  wrap(
    Cache.prototype,
    'peekCoherent',
    (self, [requester, at, key, out, off, length], original) => {
      const cached = stale(self, at, key, length);
      original();
      if (partyOf(requester) === 'device') tally.read(at, length, cached, (i) => out[off + i] ?? 0);
    },
  );
  wrap(Cache.prototype, 'write', (_self, [, at, , , data, off, length], original) => {
    original();
    tally.written(at, length, (i) => data[off + i] ?? 0);
  });
  wrap(Cache.prototype, 'deviceWrite', (_self, [, at, , data, off, length], original) => {
    original();
    tally.written(at, length, (i) => data[off + i] ?? 0);
  });
  wrap(Cache.prototype, 'fillRun', (_self, [, at, , byte, length], original) => {
    original();
    tally.written(at, length, () => byte);
  });
});

afterEach(() => {
  for (const restore of restores.splice(0)) restore();
});

/** Boots a scenario; the number of bytes that were read wrongly and reported. */
export function wrongBytes(name: string, ...settings: string[]): number {
  const watched = boot({ scenario: scenario(name, ...settings), stage: 18, sanitize: true });
  const { bus, dram } = watched.machine;
  tally.isMemory = (at) => dram.has(at) && bus.at(at) === undefined;
  watched.run();
  expect([tally.missed, tally.extra]).toEqual([[], []]);
  return tally.reported;
}
