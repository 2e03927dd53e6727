/**
 * A CPU's translation lookaside buffer. A translation stays until it is invalidated or evicted, whatever happens to the
 * tables meanwhile (APM 5.5).
 */
import { PAGE_SIZE, PMD_SIZE, PUD_SIZE, type KeyId, type Pa, type Va } from '../address.js';
import type { MemType } from '../types.js';

/** A translation in the TLB, with its key and memory type. */
export interface TlbEntry {
  /** First address that it translates. */
  readonly va: Va;
  /** Bytes that it translates: the page's size, or less where the MTRRs give the page several types. */
  readonly size: number;
  /** Size of the page in the tables. */
  readonly pageSize: number;
  readonly pa: Pa;
  readonly key: KeyId;
  readonly rw: boolean;
  readonly us: boolean;
  readonly nx: boolean;
  readonly global: boolean;
  /** The leaf's dirty bit was set: a write needs no walk. */
  readonly dirty: boolean;
  readonly type: MemType;
}

/** Entries of Zen 1's L2 data TLB (PPR 17h 2.1.11.1). */
export const TLB_ENTRIES = 1536;

/** The kind of an access, as an index: for each kind the last entry used is cached. */
export const TLB_KIND = { read: 0, write: 1, fetch: 2 } as const;
export type TlbKind = (typeof TLB_KIND)[keyof typeof TLB_KIND];

/** Offsets that separate the page numbers of the larger sizes from those of 4 KiB pages. */
const PMD_TAG = 2 ** 40;
const PUD_TAG = 2 ** 41;

function tagOf(va: number, size: number): number {
  if (size === PAGE_SIZE) return Math.floor(va / PAGE_SIZE);
  if (size === PMD_SIZE) return Math.floor(va / PMD_SIZE) + PMD_TAG;
  return Math.floor(va / PUD_SIZE) + PUD_TAG;
}

export class Tlb {
  /** Insertion order is age: the oldest goes first (our choice: first in, first out, over all sizes). */
  private readonly entriesByTag = new Map<number, TlbEntry>();
  /** Called with an entry that is no longer valid, or null for all; set by one that remembers entries. */
  onRemove: ((entry: TlbEntry | null) => void) | null = null;
  private readonly last: (TlbEntry | undefined)[] = [undefined, undefined, undefined];

  constructor(private readonly capacity: number = TLB_ENTRIES) {}

  get size(): number {
    return this.entriesByTag.size;
  }

  /** The entry that translates an address, or undefined. */
  lookup(va: Va, kind: TlbKind): TlbEntry | undefined {
    const recent = this.last[kind];
    if (recent && va >= recent.va && va < recent.va + recent.size) return recent;
    return (this.last[kind] =
      this.entriesByTag.get(tagOf(va, PAGE_SIZE)) ??
      this.entriesByTag.get(tagOf(va, PMD_SIZE)) ??
      this.entriesByTag.get(tagOf(va, PUD_SIZE)));
  }

  /** What `lookup` of a read would return, without its effect on later lookups. */
  peek(va: Va): TlbEntry | undefined {
    const before = this.last[TLB_KIND.read];
    const entry = this.lookup(va, TLB_KIND.read);
    this.last[TLB_KIND.read] = before;
    return entry;
  }

  /** Inserts a translation; evicts the oldest one if the TLB is full. */
  insert(entry: TlbEntry): void {
    const tag = tagOf(entry.va, entry.size);
    this.remove(tag);
    if (this.entriesByTag.size >= this.capacity) {
      const oldest = this.entriesByTag.keys().next();
      if (!oldest.done) this.remove(oldest.value);
    }
    this.entriesByTag.set(tag, entry);
    // A page that is smaller than one before may be in it.
    if (entry.size < PMD_SIZE && this.covered(entry)) this.onRemove?.(entry);
    // A smaller page within the one used last comes first from now on, as it does in a restored TLB.
    this.last.fill(undefined);
  }

  /** INVLPG: invalidates the entries of the page of an address, its parts and global ones too (APM 5.5.2). */
  invlpg(va: Va): void {
    for (const [tag, entry] of this.entriesByTag) {
      const start = Math.floor(entry.va / entry.pageSize) * entry.pageSize;
      if (va >= start && va < start + entry.pageSize) this.remove(tag);
    }
  }

  /** MOV CR3: invalidates all entries that are not global (APM 5.5.2). */
  flushNonGlobal(): void {
    for (const [tag, entry] of this.entriesByTag) if (!entry.global) this.remove(tag);
  }

  /** Invalidates all entries, global ones too. */
  flushAll(): void {
    this.entriesByTag.clear();
    this.onRemove?.(null);
    this.last.fill(undefined);
  }

  /** All entries, oldest first. */
  entries(): TlbEntry[] {
    return [...this.entriesByTag.values()];
  }

  /** Restores a result of {@link entries}. */
  restore(entries: readonly TlbEntry[]): void {
    this.flushAll();
    for (const entry of entries) this.insert(entry);
  }

  /** Whether a larger entry translates the page of an entry too. */
  private covered({ va }: TlbEntry): boolean {
    return this.entriesByTag.has(tagOf(va, PMD_SIZE)) || this.entriesByTag.has(tagOf(va, PUD_SIZE));
  }

  private remove(tag: number): void {
    const entry = this.entriesByTag.get(tag);
    if (entry === undefined) return;
    this.entriesByTag.delete(tag);
    this.onRemove?.(entry);
    // Clear the last entries used too, so that a restored TLB behaves the same.
    this.last.fill(undefined);
  }
}
