/**
 * The cache: one coherent write-back store for all CPUs, in front of memory (APM 7.3, 7.6).
 *
 * Lines are tagged with their address and key and hold plaintext (APM 7.10.6), so one physical line may be here under
 * several keys at once; memory ends up as whichever is written back last. Finite, in sets (replacement.ts).
 */
import { InputError } from '../../base/errors.js';
import {
  inLine,
  LINE_SIZE,
  lineOf,
  PAGE_SIZE,
  pa as toPa,
  paAdd,
  type KeyId,
  type Pa,
} from '../address.js';
import { LineTags, type LineTagsSnapshot, NO_SLOT, REPLACEMENT } from './cache-tags.js';
import { LazyFill } from './lazy-fill.js';
import type { LineSet } from '../memory/line-set.js';
import type { LineStore } from '../memory/line-store.js';
import { allocatesOnRead } from '../cpu/memory-types.js';
import { OverwrittenRun } from '../memory/overwritten-run.js';
import { REQUESTER_CACHE, type Requester } from '../requester.js';
import { MEMTYPE, type MemType, type Observer, type Origin } from '../types.js';

/** What the cache tells observers. */
export type CacheHooks = Pick<Observer, 'fill' | 'writeBack'>;

export interface CacheConfig {
  readonly store: LineStore;
  /** Bytes of data; 0 is no cache. */
  readonly size: number;
  readonly ways: number;
  /** HwEnfCacheCoh (CPUID Fn8000_001F EAX 10): a line is here under one key only. */
  readonly coherent?: boolean;
}

/** Everything in the cache, to be put back. */
export interface CacheSnapshot {
  readonly data: Uint8Array;
  readonly tags: LineTagsSnapshot;
}

/** Accesses up to this many bytes are copied byte by byte: making a view would cost more. */
const SMALL = 16;

export class Cache {
  /** Told of fills and write-backs; null costs nothing. */
  hooks: CacheHooks | null = null;
  /** Takes the lines that accesses are about, if somebody wants to know. */
  watch: LineSet | null = null;
  readonly size: number;
  private readonly store: LineStore;
  private readonly coherent: boolean;
  private readonly tags: LineTags;
  /** The lines, then a page to gather an access in, then a page to gather write-backs in. */
  private readonly data: Uint8Array;
  /** The same bytes, for copies of whole lines. */
  private readonly words: Int32Array;
  private readonly stage: number;
  private readonly writeBackQueue: number;
  /** The run of adjacent lines in the outbox. */
  private outPa = toPa(0);
  private outKey = 0 as KeyId;
  private outOrigin: Origin = 0;
  private outLength = 0;
  /** The run of lines that this write took whole, for the hooks. */
  private readonly whole = new OverwrittenRun();
  private readonly run = new Int32Array(PAGE_SIZE / LINE_SIZE);
  /** What the cache holds after a long fill until something asks: the directory is empty then. */
  private lazy: LazyFill | null = null;

  /** Throws E_CACHE_GEOMETRY where size and ways do not make a power of two of sets. */
  constructor({ store, size, ways, coherent = false }: CacheConfig) {
    const sets = size / LINE_SIZE / ways;
    const whole = Number.isInteger(Math.log2(sets)) && Number.isInteger(ways) && sets >= 1;
    if (size !== 0 && !(whole && ways > 0)) {
      throw new InputError({
        code: 'E_CACHE_GEOMETRY',
        reason: 'the number of sets is not a power of two',
        expected: 'a size of 64 bytes × ways × 2^n, or 0',
        found: `${size} bytes in ${ways} ways`,
      });
    }
    this.store = store;
    this.size = size;
    this.coherent = coherent;
    this.tags = new LineTags(size === 0 ? 0 : sets, size === 0 ? 0 : ways);
    this.stage = size;
    this.writeBackQueue = size + PAGE_SIZE;
    this.data = new Uint8Array(size + 2 * PAGE_SIZE);
    this.words = new Int32Array(this.data.buffer);
  }

  /** Lines that hold something, and those of them that memory does not have yet. */
  get lines(): { valid: number; dirty: number } {
    this.materialize();
    return { valid: this.tags.valid, dirty: this.tags.countDirty() };
  }

  /** Reads `len` bytes within one 4 KiB page for a CPU, any alignment, as an access of a memory type (APM table 7-3). */
  read(
    cpu: number,
    pa: Pa,
    key: KeyId,
    type: MemType,
    out: Uint8Array,
    off: number,
    len: number,
    origin: Origin,
  ): void {
    this.watch?.add(pa, len);
    if (this.lazy !== null) this.materialize();
    // APM table 7-3: UC and WC never allocate; the others allocate on a read.
    if (this.size === 0 || !allocatesOnRead(type)) {
      this.invalidate(pa, key, len);
      this.store.read(pa, key, out, off, len, cpu);
      return;
    }
    const skip = inLine(pa);
    if (skip + len <= LINE_SIZE) {
      const slot = this.lineForRead(cpu, lineOf(pa), key, origin);
      this.copyOut(slot * LINE_SIZE + skip, out, off, len);
      return;
    }
    this.gather(cpu, lineOf(pa), key, Math.ceil((skip + len) / LINE_SIZE), origin);
    this.copyOut(this.stage + skip, out, off, len);
  }

  /** Writes `len` bytes within one 4 KiB page for a CPU, any alignment, as an access of a memory type (APM table 7-3). */
  write(
    cpu: number,
    pa: Pa,
    key: KeyId,
    type: MemType,
    data: Uint8Array,
    off: number,
    len: number,
    origin: Origin,
  ): void {
    this.watch?.add(pa, len);
    if (this.lazy !== null) this.materialize();
    if (this.size > 0 && type === MEMTYPE.WB) {
      this.writeBackType(cpu, pa, key, data, off, len, origin);
      return;
    }
    if (this.size > 0 && type === MEMTYPE.WT) {
      // APM table 7-3: a WT write goes to memory and to the line, if it is here.
      this.update(pa, key, data, off, len, origin);
      this.store.write(pa, key, data, off, len, origin, cpu);
      return;
    }
    // APM table 7-3: a WP write goes to memory and invalidates the line; a UC or WC one finds none.
    this.invalidate(pa, key, len);
    this.store.write(pa, key, data, off, len, origin, cpu);
  }

  /** From how many bytes on `fillRun` takes a fill; Infinity where it takes none. */
  get longFill(): number {
    return this.size === 0 || this.hooks !== null ? Infinity : REPLACEMENT.turnover * this.size;
  }

  /**
   * Fills at least `longFill` bytes of whole lines with one byte, as WB writes of one line after the other would: every
   * line that was here leaves on the way (the policy's `turnover`), and at the end the cache holds the last `size` bytes of
   * the fill, dirty; the rest is in memory.
   */
  fillRun(cpu: number, pa: Pa, key: KeyId, byte: number, len: number, origin: Origin): void {
    this.watch?.add(pa, len);
    // A fill before this one, of which nothing has used a line, leaves as it came.
    if (this.lazy !== null) this.lazy.writeBack(this.store);
    else {
      for (const slot of this.tags.dirtySlots()) this.queueWriteBack(slot);
      this.sendWriteBacks();
      this.tags.invalidateOwned('all');
    }
    const kept = paAdd(pa, len - this.size);
    this.store.fillLines(pa, key, byte, kept - pa, origin, REQUESTER_CACHE);
    this.lazy = new LazyFill(cpu, kept, key, byte, origin, this.size);
  }

  /** The lines that a long fill left take their slots. */
  private materialize(): void {
    this.lazy?.materialize(this.tags, this.data);
    this.lazy = null;
  }

  /** The same, if some of `len` bytes from an address on are in them. */
  private materializeAt(pa: number, len: number): void {
    if (this.lazy?.overlaps(pa, len) === true) this.materialize();
  }

  /** Reads as a device or table walker does: lines of the same key win over memory; nothing is allocated. */
  peekCoherent(
    requester: Requester,
    pa: Pa,
    key: KeyId,
    out: Uint8Array,
    off: number,
    len: number,
  ): void {
    this.watch?.add(pa, len);
    const skip = inLine(pa);
    if (this.lazy !== null) this.materializeAt(pa - skip, skip + len);
    if (this.tags.valid === 0) {
      this.store.read(pa, key, out, off, len, requester);
      return;
    }
    if (this.coherent) {
      for (let line = lineOf(pa); line < pa + len; line = paAdd(line, LINE_SIZE)) {
        this.invalidateOthers(line, key);
      }
      this.sendWriteBacks();
    }
    if (skip + len <= LINE_SIZE) {
      const slot = this.tags.find(pa, key);
      if (slot === NO_SLOT) this.store.read(pa, key, out, off, len, requester);
      else this.copyOut(slot * LINE_SIZE + skip, out, off, len);
      return;
    }
    const end = pa + len;
    // Memory is read where the lines are not here, adjacent ones at once.
    let missing = pa;
    for (let line = lineOf(pa); line < end; line = paAdd(line, LINE_SIZE)) {
      const slot = this.tags.find(line, key);
      if (slot === NO_SLOT) continue;
      const from = Math.max(line, pa);
      const to = Math.min(line + LINE_SIZE, end);
      if (missing < from) {
        const at = off + (missing - pa);
        this.store.read(missing, key, out, at, from - missing, requester);
      }
      this.copyOut(slot * LINE_SIZE + (from - line), out, off + (from - pa), to - from);
      missing = toPa(to);
    }
    if (missing < end) {
      this.store.read(missing, key, out, off + (missing - pa), end - missing, requester);
    }
  }

  /** Writes as a device does: lines of the same key leave the cache first. Any length and alignment. */
  deviceWrite(
    requester: Requester,
    pa: Pa,
    key: KeyId,
    data: Uint8Array,
    off: number,
    len: number,
    origin: Origin,
  ): void {
    this.invalidate(pa, key, len);
    this.store.write(pa, key, data, off, len, origin, requester);
  }

  /** CLFLUSH of each line of some bytes: with that key it leaves the cache (facts: through a mapping, that C). */
  clflush(pa: Pa, key: KeyId, len = 1): void {
    this.invalidate(pa, key, len);
  }

  /**
   * WBINVD: writes back the lines of a CPU, or all, and invalidates them (APM 7.6.3). Our choice of order: ascending
   * address, at one address ascending key.
   */
  wbinvd(cpu: number | 'all'): void {
    this.materialize();
    if (this.tags.valid === 0) return;
    for (const slot of this.tags.dirtySlotsOf(cpu)) this.queueWriteBack(slot);
    this.sendWriteBacks();
    this.tags.invalidateOwned(cpu);
  }

  /** The key and the origin of the line that was written last of those that hold an address and are newer than memory. */
  lastWrite(address: Pa): { key: KeyId; origin: Origin } | undefined {
    this.materialize();
    const slot = this.tags.newestDirty(lineOf(address));
    if (slot === undefined) return undefined;
    return { key: this.tags.keyOf(slot), origin: this.tags.originOf(slot) };
  }

  /** Everything in the cache without a copy: good until it changes. */
  view(): CacheSnapshot {
    this.materialize();
    return { data: this.data.subarray(0, this.size), tags: this.tags.view() };
  }

  /** A copy of everything in the cache. */
  snapshot(): CacheSnapshot {
    this.materialize();
    return { data: this.data.slice(0, this.size), tags: this.tags.snapshot() };
  }

  /** Puts a snapshot of a cache of the same geometry back. */
  restore(snapshot: CacheSnapshot): void {
    this.data.set(snapshot.data);
    this.tags.restore(snapshot.tags);
    this.lazy = null;
  }

  /** Lines of a range leave the cache, dirty ones to memory; under `key` only, if keys are not kept coherent. */
  private invalidate(pa: Pa, key: KeyId, len: number): void {
    const start = lineOf(pa);
    if (this.lazy !== null) this.materializeAt(start, pa + len - start);
    if (this.tags.valid === 0) return;
    const end = pa + len;
    // Of a range longer than the cache, the lines that are there are looked at instead of all that could be.
    if (!this.coherent && len > this.size) {
      for (const slot of this.tags.slotsIn(start, end, key)) this.drop(slot);
      this.sendWriteBacks();
      return;
    }
    for (let line = start; line < end; line = paAdd(line, LINE_SIZE)) {
      if (this.coherent) this.invalidateOthers(line, key);
      const slot = this.tags.find(line, key);
      if (slot !== NO_SLOT) this.drop(slot);
    }
    this.sendWriteBacks();
  }

  private drop(slot: number): void {
    if (this.tags.isDirty(slot)) this.queueWriteBack(slot);
    this.tags.invalidate(slot);
  }

  /** HwEnfCacheCoh: the line under any other key leaves the cache first. */
  private invalidateOthers(pa: Pa, key: KeyId): void {
    for (const slot of this.tags.sameLineOtherKey(pa, key)) this.drop(slot);
  }

  /** A slot for a line that is not here; where its set is full, a line of it leaves. */
  private place(cpu: number, pa: Pa, key: KeyId, origin: Origin): number {
    if (this.coherent) this.invalidateOthers(pa, key);
    const slot = this.tags.victim(pa);
    if (this.tags.isDirty(slot)) this.queueWriteBack(slot);
    this.tags.take(slot, pa, key, cpu, origin);
    return slot;
  }

  private fill(slot: number, cpu: number, pa: Pa, key: KeyId, origin: Origin): void {
    this.sendWriteBacks();
    this.store.readLines(pa, key, this.data, slot * LINE_SIZE, LINE_SIZE, cpu);
    this.hooks?.fill?.(pa, key, LINE_SIZE, false, origin);
  }

  private lineForRead(cpu: number, pa: Pa, key: KeyId, origin: Origin): number {
    let slot = this.tags.find(pa, key);
    if (slot === NO_SLOT) {
      slot = this.place(cpu, pa, key, origin);
      this.fill(slot, cpu, pa, key, origin);
    }
    this.tags.touch(slot);
    return slot;
  }

  /** Brings the lines of one page into the stage, adjacent missing ones in one read of memory. */
  private gather(cpu: number, first: Pa, key: KeyId, lines: number, origin: Origin): void {
    const { data, tags, stage } = this;
    for (let line = 0; line < lines;) {
      const pa = paAdd(first, line * LINE_SIZE);
      const at = stage + line * LINE_SIZE;
      const slot = tags.find(pa, key);
      if (slot !== NO_SLOT) {
        tags.touch(slot);
        this.copyLine(at, slot * LINE_SIZE);
        line++;
        continue;
      }
      // Lines of one run are in different sets, so that none drives out another of the run.
      const limit = Math.min(lines - line, tags.sets);
      let n = 0;
      do {
        const next = paAdd(pa, n * LINE_SIZE);
        this.run[n] = this.place(cpu, next, key, origin);
        n++;
      } while (n < limit && tags.find(paAdd(pa, n * LINE_SIZE), key) === NO_SLOT);
      this.sendWriteBacks();
      this.store.readLines(pa, key, data, at, n * LINE_SIZE, cpu);
      for (let i = 0; i < n; i++) {
        this.copyLine((this.run[i] ?? 0) * LINE_SIZE, at + i * LINE_SIZE);
      }
      this.hooks?.fill?.(pa, key, n * LINE_SIZE, false, origin);
      line += n;
    }
  }

  /** WB: the write stays in the line; a whole line is taken without reading memory. */
  private writeBackType(
    cpu: number,
    pa: Pa,
    key: KeyId,
    bytes: Uint8Array,
    off: number,
    len: number,
    origin: Origin,
  ): void {
    const { data, tags, stage } = this;
    const skip = inLine(pa);
    const small = len <= SMALL && skip + len <= LINE_SIZE;
    if (!small) data.set(bytes.subarray(off, off + len), stage + skip);
    const first = lineOf(pa);
    const end = skip + len;
    for (let at = 0; at < end; at += LINE_SIZE) {
      const line = paAdd(first, at);
      const from = Math.max(at, skip);
      const to = Math.min(at + LINE_SIZE, end);
      let slot = tags.find(line, key);
      if (slot === NO_SLOT) {
        slot = this.place(cpu, line, key, origin);
        if (to - from < LINE_SIZE) this.fill(slot, cpu, line, key, origin);
        else if (this.hooks !== null) this.whole.add(line, key, origin, this.hooks.fill);
      }
      const target = slot * LINE_SIZE + (from - at);
      if (small) for (let i = 0; i < len; i++) data[target + i] = bytes[off + i] ?? 0;
      else if (to - from === LINE_SIZE) this.copyLine(target, stage + from);
      else data.copyWithin(target, stage + from, stage + to);
      tags.dirty(slot, cpu, origin);
    }
    this.sendWriteBacks();
    this.whole.report(key, origin, this.hooks?.fill);
  }

  private update(
    pa: Pa,
    key: KeyId,
    bytes: Uint8Array,
    off: number,
    len: number,
    origin: Origin,
  ): void {
    const end = pa + len;
    for (let line = lineOf(pa); line < end; line = paAdd(line, LINE_SIZE)) {
      if (this.coherent) this.invalidateOthers(line, key);
      const slot = this.tags.find(line, key);
      if (slot === NO_SLOT) continue;
      const from = Math.max(line, pa);
      const to = Math.min(line + LINE_SIZE, end);
      this.data.set(
        bytes.subarray(off + (from - pa), off + (to - pa)),
        slot * LINE_SIZE + (from - line),
      );
      this.tags.touch(slot);
      this.tags.wroteThrough(slot, origin);
    }
    this.sendWriteBacks();
  }

  /** Copies a line within `data`; a loop, because a builtin's call costs more than 64 bytes do. */
  private copyLine(to: number, from: number): void {
    const { words } = this;
    let target = to / 4;
    let source = from / 4;
    for (const end = source + LINE_SIZE / 4; source < end; source++, target++) {
      words[target] = words[source] ?? 0;
    }
  }

  private copyOut(from: number, out: Uint8Array, off: number, len: number): void {
    if (len > LINE_SIZE) out.set(this.data.subarray(from, from + len), off);
    else for (let i = 0; i < len; i++) out[off + i] = this.data[from + i] ?? 0;
  }

  /** A dirty line goes to the outbox, behind its neighbour if that is there. */
  private queueWriteBack(slot: number): void {
    const pa = this.tags.addressOf(slot);
    const key = this.tags.keyOf(slot);
    const origin = this.tags.originOf(slot);
    const continues =
      this.outLength > 0 &&
      pa === this.outPa + this.outLength &&
      key === this.outKey &&
      origin === this.outOrigin &&
      this.outLength < PAGE_SIZE;
    if (!continues) {
      this.sendWriteBacks();
      this.outPa = pa;
      this.outKey = key;
      this.outOrigin = origin;
    }
    const at = this.writeBackQueue + this.outLength;
    this.copyLine(at, slot * LINE_SIZE);
    this.outLength += LINE_SIZE;
  }

  private sendWriteBacks(): void {
    const length = this.outLength;
    if (length === 0) return;
    this.outLength = 0;
    const { outPa, outKey, outOrigin } = this;
    this.store.writeLines(
      outPa,
      outKey,
      this.data,
      this.writeBackQueue,
      length,
      outOrigin,
      REQUESTER_CACHE,
    );
    this.hooks?.writeBack?.(outPa, outKey, length, outOrigin);
  }
}
