/**
 * The cache: one coherent write-back cache for all CPUs, in front of memory (APM 7.3, 7.6).
 *
 * Lines are tagged with their address and key and hold plaintext (APM 7.10.6), so one physical line may be cached under
 * several keys at once; memory then gets the contents of the last write-back. Set-associative (replacement.ts).
 */
import { Arena } from '../../base/arena.js';
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
import type { CacheConfig, CacheSnapshot } from './cache-config.js';
import { copyLine } from './copy-line.js';
import {
  type CachedLine,
  LineTags,
  NO_SLOT,
  REPLACEMENT,
  TAG_BYTES,
  type TaggedLine,
} from './cache-tags.js';
import { DirectLines } from './direct-lines.js';
import { setsOf } from './geometry.js';
import { LazyFill } from './lazy-fill.js';
import type { LineStore } from '../memory/line-store.js';
import { allocatesOnRead } from '../cpu/memory-types.js';
import { OverwrittenRun } from '../memory/overwritten-run.js';
import { REQUESTER_CACHE, type Requester } from '../requester.js';
import { Probes } from '../probes.js';
import { MEMTYPE, type MemType, type Origin } from '../types.js';
import { reorderOf, type Reorder } from './write-back-order.js';
import { WriteBackQueue } from './write-back-queue.js';

export type { CacheConfig, CacheSnapshot } from './cache-config.js';

/** Accesses up to this many bytes are copied byte by byte: a subarray costs more. */
const SMALL = 16;
export class Cache {
  readonly size: number;
  private readonly store: LineStore;
  private readonly probes: Probes;
  private readonly coherent: boolean;
  private readonly tags: LineTags;
  direct: DirectLines;
  /** The bytes of the slots, followed by a page in which an access to several lines is gathered. */
  private data: Uint8Array;
  /** The same bytes, for copies of whole lines. */
  private words: Int32Array;
  /** Offset of that page in `data`. */
  private readonly stage: number;
  private readonly writeBacks: WriteBackQueue;
  /** WBINVD writes back in an order other than `ascending`; null: it does not. */
  readonly reorder: Reorder;
  /** The run of lines that this write allocated whole, for the probe point. */
  private readonly whole = new OverwrittenRun();
  private readonly run = new Int32Array(PAGE_SIZE / LINE_SIZE);
  /** The contents of the cache after a long fill, until the next access to them; the directory is empty then. */
  private lazy: LazyFill | null = null;

  /** Throws E_CACHE_GEOMETRY if size and ways do not give a power of two as the number of sets. */
  constructor(config: CacheConfig) {
    const { store, size, ways, coherent = false, probes = new Probes(), writeBack } = config;
    this.store = store;
    this.probes = probes;
    this.size = size;
    this.coherent = coherent;
    this.tags = new LineTags(setsOf(size, ways), ways);
    this.stage = size;
    this.writeBacks = new WriteBackQueue(store, probes);
    this.reorder = writeBack === undefined ? null : reorderOf(writeBack);
    this.data = new Uint8Array(size + PAGE_SIZE);
    this.words = new Int32Array(this.data.buffer);
    this.direct = new DirectLines(this.tags, this.data);
  }

  /** Bytes of an arena that `moveTo` needs, at most. */
  get arenaBytes(): number {
    return Arena.sizeOf(this.data.length, ((this.size / LINE_SIZE) * TAG_BYTES) | 0, 2 ** 12);
  }

  /** Moves all lines and the directory into an arena. `direct` is another one then. */
  moveTo(arena: Arena): void {
    const { data } = this;
    this.data = arena.uint8(data.length);
    this.data.set(data);
    this.words = new Int32Array(arena.buffer, this.data.byteOffset, data.length / 4);
    this.tags.moveTo(arena);
    this.direct = new DirectLines(this.tags, this.data);
  }

  /** The number of valid and of dirty lines. */
  get lines(): { valid: number; dirty: number } {
    this.materialize();
    return { valid: this.tags.valid, dirty: this.tags.countDirty() };
  }

  /** A CPU's read of `len` bytes within one 4 KiB page, with any alignment, under a memory type (APM table 7-3). */
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
    if (this.probes.touched.active) this.probes.touched.notify(pa, len);
    this.materialize();
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

  /** A CPU's write of `len` bytes within one 4 KiB page, with any alignment, under a memory type (APM table 7-3). */
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
    if (this.probes.touched.active) this.probes.touched.notify(pa, len);
    this.materialize();
    if (this.size > 0 && type === MEMTYPE.WB) {
      this.writeBackType(cpu, pa, key, data, off, len, origin);
      return;
    }
    if (type === MEMTYPE.WT) {
      // APM table 7-3: a WT write goes to memory and to the line, if it is cached.
      this.update(pa, key, data, off, len, origin);
      this.store.write(pa, key, data, off, len, origin, cpu);
      return;
    }
    // APM table 7-3: a WP write goes to memory and invalidates the line; a UC or WC write finds no line.
    this.invalidate(pa, key, len);
    this.store.write(pa, key, data, off, len, origin, cpu);
  }

  /** The least number of bytes for `fillRun`; Infinity if it may not be used. */
  get longFill(): number {
    return this.size === 0 || this.probes.filled.active
      ? Infinity
      : REPLACEMENT.turnover * this.size;
  }

  /**
   * Fills at least `longFill` bytes of whole lines with one byte, as WB writes of each line in turn would: all lines
   * that were cached before are evicted (the policy's `turnover`), and afterwards the cache holds the last `size` bytes
   * of the fill, dirty; the rest is in memory.
   */
  fillRun(cpu: number, pa: Pa, key: KeyId, byte: number, len: number, origin: Origin): void {
    if (this.probes.touched.active) this.probes.touched.notify(pa, len);
    // The lines of a previous long fill, none of which was accessed since, are written back as one run.
    if (this.lazy !== null) this.lazy.writeBack(this.store, this.probes);
    else {
      for (const slot of this.tags.dirtySlots()) this.queueWriteBack(slot);
      this.writeBacks.flush();
      this.tags.invalidateOwned('all');
    }
    const cached = paAdd(pa, len - this.size);
    const { writingBack, writtenBack } = this.probes;
    if (writingBack.active) writingBack.notify(pa, key, cached - pa);
    this.store.fillLines(pa, key, byte, cached - pa, origin, REQUESTER_CACHE);
    if (writtenBack.active) writtenBack.notify(pa, key, cached - pa, origin);
    this.lazy = new LazyFill(cpu, cached, key, byte, origin, this.size);
  }

  /** Puts the lines of a long fill into the directory. */
  private materialize(): void {
    if (this.lazy === null) return;
    this.lazy.materialize(this.tags, this.data);
    this.lazy = null;
  }

  /** Puts the lines of a long fill into the directory if they overlap `len` bytes from an address on. */
  private materializeAt(pa: number, len: number): void {
    if (this.lazy !== null && this.lazy.overlaps(pa, len)) this.materialize();
  }

  /** Reads for a device or table walker: from lines of the same key, else from memory; allocates no line. */
  peekCoherent(
    requester: Requester,
    pa: Pa,
    key: KeyId,
    out: Uint8Array,
    off: number,
    len: number,
  ): void {
    if (this.probes.touched.active) this.probes.touched.notify(pa, len);
    const skip = inLine(pa);
    this.materializeAt(pa, len);
    if (this.tags.valid === 0) {
      this.store.read(pa, key, out, off, len, requester);
      return;
    }
    if (this.coherent) {
      for (let line = lineOf(pa); line < pa + len; line = paAdd(line, LINE_SIZE)) {
        this.invalidateOthers(line, key);
      }
      this.writeBacks.flush();
    }
    if (skip + len <= LINE_SIZE) {
      const slot = this.tags.find(pa, key);
      if (slot === NO_SLOT) this.store.read(pa, key, out, off, len, requester);
      else this.copyOut(slot * LINE_SIZE + skip, out, off, len);
      return;
    }
    const end = pa + len;
    // Lines that are not cached are read from memory, adjacent ones in one read.
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

  /** Writes for a device: lines of the same key are first written back and invalidated. Any length and alignment. */
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

  /** CLFLUSH of each line of `len` bytes, under one key: that of the mapping's C-bit (inferred: no manual states it). */
  clflush(pa: Pa, key: KeyId, len = 1): void {
    this.invalidate(pa, key, len);
  }

  /**
   * WBINVD: writes back the lines of a CPU, or all lines, and invalidates them (APM 7.6.3). Our choice of order, unless
   * `writeBack` gives another: ascending address, at one address ascending key.
   */
  wbinvd(cpu: number | 'all'): void {
    this.materialize();
    if (this.tags.valid === 0) return;
    const dirty = this.tags.dirtySlotsOf(cpu);
    for (const slot of this.reorder?.(dirty, this.tags) ?? dirty) this.queueWriteBack(slot);
    this.writeBacks.flush();
    this.tags.invalidateOwned(cpu);
  }

  /** Key and origin of the most recently written dirty line at an address; undefined if no dirty line is cached. */
  lastWrite(address: Pa): { key: KeyId; origin: Origin } | undefined {
    this.materialize();
    const slot = this.tags.newestDirty(lineOf(address));
    if (slot === undefined) return undefined;
    return { key: this.tags.keyOf(slot), origin: this.tags.originOf(slot) };
  }

  /** Whether the line of an address is cached under a key; with `dirty`, whether a dirty one is. */
  holds(address: Pa, key: KeyId, dirty: boolean): boolean {
    this.materializeAt(address, 1);
    const slot = this.tags.find(lineOf(address), key);
    return slot !== NO_SLOT && (!dirty || this.tags.isDirty(slot));
  }

  /** The lines of `len` bytes from an address on, under every key, ascending by address and key. For reports only. */
  linesOf(address: Pa, len: number): CachedLine[] {
    this.materializeAt(address, len);
    const { tags } = this;
    if (tags.valid === 0) return [];
    return tags.slotsOf(lineOf(address), address + len).map((slot) => ({
      ...tags.lineIn(slot),
      bytes: this.data.subarray(slot * LINE_SIZE, (slot + 1) * LINE_SIZE),
    }));
  }

  /** The dirty lines, ascending by address and key. For reports only. */
  get dirtyLines(): readonly TaggedLine[] {
    this.materialize();
    return Array.from(this.tags.dirtySlotsOf('all'), (slot) => this.tags.lineIn(slot));
  }

  /** The number of valid lines of each key. */
  get keys(): ReadonlyMap<KeyId, number> {
    this.materialize();
    return this.tags.keys();
  }

  /** The present state without a copy: valid until the next change. */
  view(): CacheSnapshot {
    this.materialize();
    return { data: this.data.subarray(0, this.size), tags: this.tags.view() };
  }

  snapshot(): CacheSnapshot {
    this.materialize();
    return { data: this.data.slice(0, this.size), tags: this.tags.snapshot() };
  }

  /** Restores a snapshot of a cache of the same geometry. */
  restore(snapshot: CacheSnapshot): void {
    this.data.set(snapshot.data);
    this.tags.restore(snapshot.tags);
    this.lazy = null;
  }

  /** Invalidates the lines of a range, dirty ones after a write-back; only those under `key`, unless `coherent`. */
  private invalidate(pa: Pa, key: KeyId, len: number): void {
    const start = lineOf(pa);
    this.materializeAt(pa, len);
    if (this.tags.valid === 0) return;
    const end = pa + len;
    // For a range longer than the cache, walk the valid lines instead of the range.
    if (!this.coherent && len > this.size) {
      for (const slot of this.tags.slotsIn(start, end, key)) this.drop(slot);
      this.writeBacks.flush();
      return;
    }
    for (let line = start; line < end; line = paAdd(line, LINE_SIZE)) {
      if (this.coherent) this.invalidateOthers(line, key);
      const slot = this.tags.find(line, key);
      if (slot !== NO_SLOT) this.drop(slot);
    }
    this.writeBacks.flush();
  }

  private drop(slot: number): void {
    if (this.tags.isDirty(slot)) this.queueWriteBack(slot);
    this.tags.invalidate(slot);
  }

  /** HwEnfCacheCoh: the physical line under any other key is written back and invalidated first. */
  private invalidateOthers(pa: Pa, key: KeyId): void {
    for (const slot of this.tags.sameLineOtherKey(pa, key)) this.drop(slot);
  }

  /** Allocates a slot for a line that is not cached; evicts a line if its set is full. */
  private allocate(cpu: number, pa: Pa, key: KeyId, origin: Origin): number {
    if (this.coherent) this.invalidateOthers(pa, key);
    const slot = this.tags.victim(pa);
    if (this.tags.isDirty(slot)) this.queueWriteBack(slot);
    this.tags.take(slot, pa, key, cpu, origin);
    return slot;
  }

  private fill(slot: number, cpu: number, pa: Pa, key: KeyId, origin: Origin): void {
    this.writeBacks.flush();
    this.store.readLines(pa, key, this.data, slot * LINE_SIZE, LINE_SIZE, cpu);
    if (this.probes.filled.active) this.probes.filled.notify(pa, key, LINE_SIZE, false, origin);
  }

  private lineForRead(cpu: number, pa: Pa, key: KeyId, origin: Origin): number {
    let slot = this.tags.find(pa, key);
    if (slot === NO_SLOT) {
      slot = this.allocate(cpu, pa, key, origin);
      this.fill(slot, cpu, pa, key, origin);
    }
    this.tags.touch(slot);
    return slot;
  }

  /** Copies lines of one page to the stage, and fills the missing ones, adjacent ones in one read of memory. */
  private gather(cpu: number, first: Pa, key: KeyId, lines: number, origin: Origin): void {
    const { data, words, tags, stage } = this;
    for (let line = 0; line < lines;) {
      const pa = paAdd(first, line * LINE_SIZE);
      const at = stage + line * LINE_SIZE;
      const slot = tags.find(pa, key);
      if (slot !== NO_SLOT) {
        tags.touch(slot);
        copyLine(words, at, words, slot * LINE_SIZE);
        line++;
        continue;
      }
      // Lines of one run are in different sets, so that none evicts another of the run.
      const limit = Math.min(lines - line, tags.sets);
      let n = 0;
      do {
        const next = paAdd(pa, n * LINE_SIZE);
        this.run[n] = this.allocate(cpu, next, key, origin);
        n++;
      } while (n < limit && tags.find(paAdd(pa, n * LINE_SIZE), key) === NO_SLOT);
      this.writeBacks.flush();
      this.store.readLines(pa, key, data, at, n * LINE_SIZE, cpu);
      for (let i = 0; i < n; i++) {
        copyLine(words, (this.run[i] ?? 0) * LINE_SIZE, words, at + i * LINE_SIZE);
      }
      if (this.probes.filled.active) {
        this.probes.filled.notify(pa, key, n * LINE_SIZE, false, origin);
      }
      line += n;
    }
  }

  /** WB: the write stays in the line; a whole line is allocated without a read of memory. */
  private writeBackType(
    cpu: number,
    pa: Pa,
    key: KeyId,
    bytes: Uint8Array,
    off: number,
    len: number,
    origin: Origin,
  ): void {
    const { data, words, tags, stage } = this;
    const { filled } = this.probes;
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
        slot = this.allocate(cpu, line, key, origin);
        if (to - from < LINE_SIZE) this.fill(slot, cpu, line, key, origin);
        else if (filled.active) this.whole.add(line, key, origin, filled);
      }
      const target = slot * LINE_SIZE + (from - at);
      if (small) for (let i = 0; i < len; i++) data[target + i] = bytes[off + i] ?? 0;
      else if (to - from === LINE_SIZE) copyLine(words, target, words, stage + from);
      else data.copyWithin(target, stage + from, stage + to);
      tags.dirty(slot, cpu, origin);
    }
    this.writeBacks.flush();
    this.whole.report(key, origin, filled);
  }

  /** WT: updates the lines that are cached. */
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
    this.writeBacks.flush();
  }

  private copyOut(from: number, out: Uint8Array, off: number, len: number): void {
    if (len > LINE_SIZE) out.set(this.data.subarray(from, from + len), off);
    else for (let i = 0; i < len; i++) out[off + i] = this.data[from + i] ?? 0;
  }

  private queueWriteBack(slot: number): void {
    const { tags, writeBacks, words } = this;
    const key = tags.keyOf(slot);
    writeBacks.add(words, slot * LINE_SIZE, tags.addressOf(slot), key, tags.originOf(slot));
  }
}
