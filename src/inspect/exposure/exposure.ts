/** The memory that is in the clear at a point of a boot: what a probe on the memory bus would read. */
import { BLOCK_SIZE, KEY_PLAIN, LINE_SIZE, PAGE_SIZE, pa, type Pa } from '../../machine/address.js';
import type { InspectedBoot } from '../../sequencer/inspected-boot.js';
import { readUnder } from '../../machine/quiet.js';
import { clearTables, mappedRanges } from '../tables.js';
import { BusLog, type ClearAccess, type Code, type LineHistory } from './bus-log.js';
import { namesIn, ownersOf, type Owner } from './owners.js';
import { eachPlainRun, type PlainLines } from './plain-lines.js';
import { recognise, type Contents } from './recognise.js';
import { spaceOf } from './spaces.js';
import { sameBlocks } from './unchanged-blocks.js';
import { whyOf, type Why } from './why.js';

/** The writer of lines that no modelled function and no device wrote. */
export const BEFORE_KERNEL = 'firmware or loader';

/** A range of physical memory in plaintext, by one writer and with one owner. */
export interface ExposedRange {
  readonly start: number;
  readonly bytes: number;
  /** `cache`: dirty there without a key, not on the bus before it is written back. */
  readonly where: 'dram' | 'cache';
  /** Bytes in DRAM for which the cache has a newer dirty line, by what it will put there. */
  readonly newer: { readonly plaintext: number; readonly ciphertext: number };
  /** Bytes that are still ciphertext: the write was of a part of the line, and left the other blocks as they were. */
  readonly ciphertext: number;
  /** Regions, blobs and symbols in it. */
  readonly names: readonly string[];
  readonly owner: Owner;
  /** The function or device that wrote it last, with its hunk where it has one. */
  readonly writer: Code;
  /** The last writes that are on record, each with the bytes that it wrote last. */
  readonly writes: readonly { readonly access: ClearAccess; readonly bytes: number }[];
  readonly why: Why;
  readonly contents: Contents;
}

/** The memory in the clear. */
export interface Exposure {
  /** CPUs that have encryption on (SYSCFG[23]); none: all memory is plaintext, and `ranges` is empty. */
  readonly encryption: readonly number[];
  /** Bytes of memory that was ever written. */
  readonly written: number;
  /** Bytes in the clear in DRAM, and those that will be with a write-back. */
  readonly dram: number;
  readonly cache: number;
  /** Ascending by address. */
  readonly ranges: readonly ExposedRange[];
  /** Blocks of lines that were last written under a key, which left them in the clear. */
  readonly remnants: readonly { readonly start: number; readonly bytes: number }[];
}

/** A range in the clear with one writer and one owner. */
interface PlainRange {
  readonly start: number;
  bytes: number;
  readonly where: 'dram' | 'cache';
  readonly newer: { plaintext: number; ciphertext: number };
  readonly owner: Owner;
  /** Interned name of the writer. */
  readonly origin: number;
}

/** Attaches a record of the bus to a boot that has not begun: what {@link exposureAt} tells reasons from. */
export function recordBus(boot: InspectedBoot): BusLog {
  return new BusLog(boot.machine, {
    code: () => boot.code(),
    spaceOf,
  });
}

const NO_OWNER: Owner = { kind: 'none', text: '' };

/** The ranges in the clear by writer and owner, ascending. */
export function plainRanges(boot: InspectedBoot): PlainRange[] {
  const owners = ownersOf(boot);
  const ranges: PlainRange[] = [];
  let next = 0;
  /** Adds lines with one owner. */
  const add = (start: number, bytes: number, { origin, where, replacedBy }: PlainLines): void => {
    const owner = owners[next]?.owner ?? NO_OWNER;
    let range = ranges.at(-1);
    const extendsLast =
      range !== undefined &&
      range.start + range.bytes === start &&
      range.where === where &&
      range.origin === origin &&
      range.owner === owner;
    if (range === undefined || !extendsLast) {
      range = { start, bytes: 0, where, newer: { plaintext: 0, ciphertext: 0 }, owner, origin };
      ranges.push(range);
    }
    range.bytes += bytes;
    if (replacedBy !== undefined) range.newer[replacedBy] += bytes;
  };
  eachPlainRun(boot.machine, (lines) => {
    const end = lines.pa + lines.length;
    for (let at: number = lines.pa; at < end;) {
      while ((owners[next]?.end ?? Infinity) <= at) next++;
      // A line belongs to the owner of its first byte.
      const ownerEnd = Math.ceil((owners[next]?.end ?? Infinity) / LINE_SIZE) * LINE_SIZE;
      const stop = Math.min(end, ownerEnd);
      add(at, stop - at, lines);
      at = stop;
    }
  });
  return ranges;
}

/** CPUs whose SYSCFG[23] is set. */
export const encryptingCpus = ({ machine }: InspectedBoot): number[] =>
  machine.cpus.filter((cpu) => cpu.encryption).map(({ id }) => id);

/** The name of a writer, with its file and hunk if the kernel has a function of that name. */
export function writerOf(boot: InspectedBoot, origin: number): Code {
  const fn = boot.nameOf(origin) ?? '';
  if (fn === '') return { fn: BEFORE_KERNEL };
  return boot.codeOf(fn);
}

/** The history of a line, without its write if another one, by `origin`, has overwritten it. */
function history(log: BusLog, line: Pa, origin: number): LineHistory {
  const { write, ...uses } = log.historyOf(line);
  return { ...uses, ...(write?.origin === origin && { write }) };
}

/** The histories of the lines of a range, equal ones once. */
function historiesOf(
  log: BusLog,
  { start, bytes, origin }: PlainRange,
): { history: LineHistory; bytes: number }[] {
  const found = new Map<string, { history: LineHistory; bytes: number }>();
  let last: { bytes: number } | undefined;
  for (let at = start; at < start + bytes; at += LINE_SIZE) {
    const line = pa(at);
    if (last === undefined || !log.same(line, pa(at - LINE_SIZE))) {
      const key = log.keyOf(line);
      const known = found.get(key) ?? { history: history(log, line, origin), bytes: 0 };
      found.set(key, known);
      last = known;
    }
    last.bytes += LINE_SIZE;
  }
  return [...found.values()];
}

/** Physical ranges that cpu 0 maps with C=0 now, ascending. */
function clearMappings(boot: InspectedBoot): { pa: number; end: number; va: number }[] {
  return mappedRanges(boot.machine, boot.machine.cpus[0])
    .filter(({ c, reserved }) => c === 0 && reserved === undefined)
    .map(({ pa: at, bytes, va }) => ({ pa: at, end: at + bytes, va }))
    .sort((a, b) => a.pa - b.pa);
}

/** The memory that is in the clear now. Without a log, reasons that need one are not known. */
export function exposureAt(boot: InspectedBoot, log?: BusLog): Exposure {
  const { machine } = boot;
  const encryption = encryptingCpus(boot);
  const written = machine.dram.touchedBytes;
  if (encryption.length === 0) {
    return { encryption, written, dram: 0, cache: 0, ranges: [], remnants: [] };
  }
  const mapped = clearMappings(boot);
  const tables = clearTables(boot.machine);
  const step = boot.labels.indexOf(boot.lastLabel ?? '');
  const ranges = plainRanges(boot).map((range): ExposedRange => {
    const { start, bytes, where, newer, owner, origin } = range;
    const histories = log === undefined ? undefined : historiesOf(log, range);
    const mapping = mapped.find(({ pa: at, end }) => at < start + bytes && start < end);
    const mappedAt =
      mapping === undefined ? undefined : mapping.va + Math.max(0, start - mapping.pa);
    const ciphertext = log === undefined ? new Set<number>() : ciphertextIn(boot, log, range);
    const writes = writesOf(histories ?? []);
    const writer = writes[0]?.access.by ?? writerOf(boot, origin);
    const byKernel = origin !== 0;
    const walkedBy = tables.find(
      ({ page }) => page < start + bytes && start < page + PAGE_SIZE,
    )?.cpu;
    const ended = boot.outcome !== null;
    const facts = {
      owner,
      byKernel,
      histories,
      mappedAt,
      walkedBy,
      step,
      ended,
      labels: boot.labels,
    };
    return {
      start,
      bytes,
      where,
      newer,
      names: namesIn(boot, range),
      owner,
      writer,
      writes,
      why: whyOf(facts),
      ciphertext: ciphertext.size * BLOCK_SIZE,
      contents: contentsOf(boot, range, ciphertext),
    };
  });
  const sum = (each: 'dram' | 'cache'): number =>
    ranges.reduce((all, { where, bytes }) => all + (where === each ? bytes : 0), 0);
  const remnants = log?.stillPlain.list() ?? [];
  return { encryption, written, dram: sum('dram'), cache: sum('cache'), ranges, remnants };
}

/** The last writes, each with the bytes that it wrote. */
function writesOf(
  histories: readonly { readonly history: LineHistory; readonly bytes: number }[],
): { access: ClearAccess; bytes: number }[] {
  const writes = new Map<ClearAccess, number>();
  for (const { history, bytes } of histories) {
    const { write } = history;
    if (write !== undefined) writes.set(write, (writes.get(write) ?? 0) + bytes);
  }
  return [...writes].map(([access, bytes]) => ({ access, bytes }));
}

/** Addresses of the blocks of a range that are still ciphertext, or will be when the cache writes them back. */
function ciphertextIn(
  { machine }: InspectedBoot,
  log: BusLog,
  { start, bytes, where }: PlainRange,
): Set<number> {
  const found = new Set<number>();
  for (let at = start; at < start + bytes; at += LINE_SIZE) {
    const line = pa(at);
    const blocks =
      where === 'dram'
        ? log.stillCiphertext.of(line)
        : sameBlocks(
            readUnder(machine, line, LINE_SIZE, KEY_PLAIN),
            machine.dram.peek(line, LINE_SIZE),
            0,
          );
    for (const block of blocks) found.add(at + block);
  }
  return found;
}

/** What the bytes look like, as they are on the bus or in the cache; without what is still ciphertext. */
function contentsOf(
  { machine }: InspectedBoot,
  { start, bytes, where }: PlainRange,
  ciphertext: ReadonlySet<number>,
): Contents {
  const { physAddrBits } = machine.config.model;
  const masked = ciphertext.size * BLOCK_SIZE;
  const examined = { length: bytes, address: start, masked, physicalBits: physAddrBits };
  return recognise(examined, (offset, length) => {
    const from = pa(start + offset);
    const read =
      where === 'dram'
        ? machine.dram.peek(from, length)
        : readUnder(machine, from, length, KEY_PLAIN);
    for (const block of ciphertext) {
      const at = block - from;
      if (at < length && at + BLOCK_SIZE > 0) read.fill(0, Math.max(0, at), at + BLOCK_SIZE);
    }
    return read;
  });
}
