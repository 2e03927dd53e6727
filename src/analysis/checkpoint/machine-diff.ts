/**
 * The difference of two machine snapshots, if it is limited to lines of memory and PAT slots. The origin of writes and
 * the age of cache lines are not compared: they do not affect execution.
 */
import { KEY_PLAIN, LINE_SIZE, PAGE_SIZE, paOfPage, type KeyId } from '../../machine/address.js';
import { lineOfSlot, REPLACEMENT } from '../../machine/cache/cache-tags.js';
import { LINES, wordsOf, type Page } from '../../machine/memory/dram-page.js';
import type { MemoryEngine } from '../../machine/memory/engine.js';
import type { MachineSnapshot } from '../../machine/machine.js';
import { PAT_SLOTS } from '../../machine/cpu/memory-types.js';
import { pageIn, withPages } from '../../machine/memory/page-map.js';
import { deepEqual } from './deep-equal.js';

type Dram = MachineSnapshot['dram'];
type Tags = MachineSnapshot['cache']['tags'];

const PAGE_LINES = PAGE_SIZE / LINE_SIZE;
const LINE_WORDS = LINE_SIZE / 4;

/** A slot of a CPU's PAT. */
export interface PatSlot {
  readonly cpu: number;
  readonly slot: number;
}

/** Lines whose bytes differ, and slots of PATs. */
export interface MachineDiff {
  /** Line numbers: address / LINE_SIZE. */
  readonly inMemory: readonly number[];
  /** Cache slots with the same line but different bytes. */
  readonly inSlots: readonly number[];
  /** Line numbers of both. */
  readonly lines: readonly number[];
  readonly pat: readonly PatSlot[];
}

/**
 * The lines and PAT slots in which two machines differ; undefined if they differ in other state, or if a page exists in
 * one only. `ways`: associativity of the cache. `engine`: the one of both machines.
 */
export function diffMachines(
  a: MachineSnapshot,
  b: MachineSnapshot,
  ways: number,
  engine: MemoryEngine,
): MachineDiff | undefined {
  const pat = diffCpus(a.cpus, b.cpus);
  const same =
    pat !== undefined &&
    deepEqual(a.devices, b.devices) &&
    sameTags(a.cache.tags, b.cache.tags, ways) &&
    sameRuns(a.dram, b.dram);
  const inMemory = same ? diffMemory(a.dram, b.dram, engine) : undefined;
  if (inMemory === undefined || pat === undefined) return undefined;
  const inSlots = diffSlots(a, b);
  const cached = inSlots.map((slot) => lineOfSlot(a.cache.tags, slot) ?? 0);
  return { inMemory, inSlots, lines: [...inMemory, ...cached], pat };
}

type Cpus = MachineSnapshot['cpus'];
const SLOT_BITS = 8n;
const patOf = ({ msrs }: Cpus[number]): bigint => msrs.find(([name]) => name === 'PAT')?.[1] ?? 0n;
const maskOf = (slot: number): bigint => 0xffn << (BigInt(slot) * SLOT_BITS);

/** PAT slots in which CPUs differ; undefined if they differ in other state. */
function diffCpus(a: Cpus, b: Cpus): PatSlot[] | undefined {
  const differences: PatSlot[] = [];
  for (const [cpu, one] of a.entries()) {
    const other = b[cpu];
    if (other === undefined) return undefined;
    const difference = patOf(one) ^ patOf(other);
    if (!deepEqual(difference === 0n ? one : withPat(one, patOf(other)), other)) return undefined;
    for (let slot = 0; slot < PAT_SLOTS; slot++) {
      if ((difference & maskOf(slot)) !== 0n) differences.push({ cpu, slot });
    }
  }
  return differences;
}

function withPat(cpu: Cpus[number], pat: bigint): Cpus[number] {
  return { ...cpu, msrs: cpu.msrs.map(([name, value]) => [name, name === 'PAT' ? pat : value]) };
}

function withSlots(onto: Cpus, from: Cpus, slots: readonly PatSlot[]): Cpus {
  return onto.map((cpu, id) => {
    const mask = slots
      .filter((each) => each.cpu === id)
      .reduce((all, { slot }) => all | maskOf(slot), 0n);
    const other = from[id];
    if (mask === 0n || other === undefined) return cpu;
    return withPat(cpu, (patOf(cpu) & ~mask) | (patOf(other) & mask));
  });
}

/**
 * The snapshot `onto` with lines and slots from `from`: those in which the two boots differed earlier and which have not
 * been accessed since. `origin` translates an origin number of `from` to one of `onto`. Throws RangeError if a page is missing.
 */
export function applyDiff(
  onto: MachineSnapshot,
  from: MachineSnapshot,
  { inMemory, inSlots, pat }: MachineDiff,
  origin: (number: number) => number,
): MachineSnapshot {
  const copied = new Map<number, Page>();
  for (const line of inMemory) {
    const number = Math.floor(line / PAGE_LINES);
    const index = line % PAGE_LINES;
    const page = pageOf(from.dram, number);
    const before = copied.get(number) ?? copyOf(pageOf(onto.dram, number));
    if (page === undefined || before === undefined) throw new RangeError('a page is missing');
    copied.set(number, before);
    const at = index * LINE_SIZE;
    before.bytes.set(page.bytes.subarray(at, at + LINE_SIZE), at);
    before.pending[index] = page.pending[index] ?? 0;
    before.owner[index] = page.owner[index] ?? 0;
    before.writer[index] = origin(page.writer[index] ?? 0);
  }
  const data = onto.cache.data.slice();
  const origins = onto.cache.tags.origin.slice();
  for (const slot of inSlots) {
    // Otherwise the line has left the cache since and is in memory.
    if (lineOfSlot(onto.cache.tags, slot) !== lineOfSlot(from.cache.tags, slot)) continue;
    const at = slot * LINE_SIZE;
    data.set(from.cache.data.subarray(at, at + LINE_SIZE), at);
    origins[slot] = origin(from.cache.tags.origin[slot] ?? 0);
  }
  return {
    ...onto,
    cpus: withSlots(onto.cpus, from.cpus, pat),
    dram: { ...onto.dram, pages: withPages(onto.dram.pages, copied) },
    cache: { data, tags: { ...onto.cache.tags, origin: origins } },
  };
}

function sameTags(a: Tags, b: Tags, ways: number): boolean {
  return (
    deepEqual(a.low, b.low) &&
    deepEqual(a.high, b.high) &&
    deepEqual(a.dirtyBits, b.dirtyBits) &&
    deepEqual(a.owner, b.owner) &&
    REPLACEMENT.sameChoices(a.replacement, b.replacement, ways)
  );
}

// The one page of a run is never encrypted in place.
const differ = (): boolean => false;

function sameRuns({ runs: a }: Dram, { runs: b }: Dram): boolean {
  return (
    a.length === b.length &&
    a.every(({ first, last, page }, i) => {
      const other = b[i];
      return (
        other?.first === first &&
        other.last === last &&
        linesOf(page, other.page, differ).length === 0
      );
    })
  );
}

const pageOf = ({ pages, runs }: Dram, number: number): Page | undefined =>
  pageIn(pages, number) ?? runs.find(({ first, last }) => number >= first && number < last)?.page;

function copyOf(page: Page | undefined): Page | undefined {
  return (
    page && {
      bytes: page.bytes.slice(),
      pending: page.pending.slice(),
      owner: page.owner.slice(),
      writer: page.writer.slice(),
      sameContents: false,
    }
  );
}

function diffMemory(a: Dram, b: Dram, engine: MemoryEngine): number[] | undefined {
  const differences: number[] = [];
  for (const index of new Set([...a.pages.keys(), ...b.pages.keys()])) {
    const [block, others] = [a.pages.get(index), b.pages.get(index)];
    // A shared block is equal.
    if (block === others) continue;
    for (const number of new Set([...(block?.keys() ?? []), ...(others?.keys() ?? [])])) {
      const [page, other] = [pageOf(a, number), pageOf(b, number)];
      if (page === other) continue;
      if (page === undefined || other === undefined) return undefined;
      const same = (line: number): boolean => sameOnBus(page, other, number, line, engine);
      for (const line of linesOf(page, other, same)) differences.push(number * PAGE_LINES + line);
    }
  }
  return differences;
}

/**
 * Indices, in the page, of the lines in which two pages differ. `same`: whether lines are equal of which only one is
 * stored as plaintext under a key.
 */
function linesOf(a: Page, b: Page, same: (line: number) => boolean): number[] {
  if (a === b) return [];
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const differences: number[] = [];
  for (let line = 0; line < LINES; line++) {
    let equal = a.owner[line] === b.owner[line];
    if (equal && a.pending[line] !== b.pending[line]) equal = same(line);
    else {
      const end = (line + 1) * LINE_WORDS;
      for (let i = line * LINE_WORDS; equal && i < end; i++) equal = left[i] === right[i];
    }
    if (!equal) differences.push(line);
  }
  return differences;
}

/**
 * Whether a line has the same bytes on the bus in both pages. Which lines DRAM has encrypted already depends on earlier
 * reads and on what a snapshot shares, not only on the boot.
 */
function sameOnBus(a: Page, b: Page, number: number, line: number, engine: MemoryEngine): boolean {
  const at = line * LINE_SIZE;
  const [left, right] = [a, b].map((page) => {
    const bytes = page.bytes.slice(at, at + LINE_SIZE);
    const key = (page.pending[line] ?? KEY_PLAIN) as KeyId;
    if (key !== KEY_PLAIN) engine.encrypt(key, paOfPage(number, at), bytes, 0, LINE_SIZE);
    return bytes;
  });
  return deepEqual(left, right);
}

function diffSlots({ cache: a }: MachineSnapshot, { cache: b }: MachineSnapshot): number[] {
  const words = ({ data }: typeof a): Uint32Array =>
    new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
  const [left, right] = [words(a), words(b)];
  const differences: number[] = [];
  for (let i = 0; i < left.length; i++) {
    if (left[i] === right[i]) continue;
    const slot = Math.floor(i / LINE_WORDS);
    // The bytes of an empty slot are never read.
    if (lineOfSlot(a.tags, slot) !== undefined) differences.push(slot);
    i = (slot + 1) * LINE_WORDS - 1;
  }
  return differences;
}
