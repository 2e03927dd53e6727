/**
 * A CPU's translation lookaside buffer. It keeps what a walk found until it is told to forget it, whatever happens to
 * the tables meanwhile (APM 5.5).
 */
import { PAGE_SIZE, PMD_SIZE, PUD_SIZE, type KeyId, type Pa, type Va } from '../address.js';
import type { MemType } from '../types.js';

/** A translation as the TLB holds it; it carries the key and the memory type. */
export interface TlbEntry {
  /** First address that it translates. */
  readonly va: Va;
  /** Bytes that it translates: the page's size, or less where the MTRRs cut the page in types. */
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

/** What an access is for, as an index: each keeps the entry that it used last. */
export const TLB_KIND = { read: 0, write: 1, fetch: 2 } as const;
export type TlbKind = (typeof TLB_KIND)[keyof typeof TLB_KIND];

/** Page numbers of the larger sizes are kept apart from those of 4 KiB pages by these offsets. */
const PMD_TAG = 2 ** 40;
const PUD_TAG = 2 ** 41;

function tagOf(va: number, size: number): number {
  if (size === PAGE_SIZE) return Math.floor(va / PAGE_SIZE);
  if (size === PMD_SIZE) return Math.floor(va / PMD_SIZE) + PMD_TAG;
  return Math.floor(va / PUD_SIZE) + PUD_TAG;
}

const SIZES = [PAGE_SIZE, PMD_SIZE, PUD_SIZE] as const;

export class Tlb {
  /** Insertion order is age: the oldest goes first (our choice: first in, first out, over all sizes). */
  private readonly entriesByTag = new Map<number, TlbEntry>();
  private readonly last: (TlbEntry | null)[] = [null, null, null];
  private pmds = 0;
  private puds = 0;
  /** Entries whose page the MTRRs cut in pieces. */
  private pieces = 0;

  constructor(private readonly capacity: number = TLB_ENTRIES) {}

  get size(): number {
    return this.entriesByTag.size;
  }

  /** The entry that translates an address, or undefined. */
  lookup(va: Va, kind: TlbKind): TlbEntry | undefined {
    const recent = this.last[kind];
    if (recent && va >= recent.va && va < recent.va + recent.size) return recent;
    const found =
      this.entriesByTag.get(tagOf(va, PAGE_SIZE)) ??
      (this.pmds > 0 ? this.entriesByTag.get(tagOf(va, PMD_SIZE)) : undefined) ??
      (this.puds > 0 ? this.entriesByTag.get(tagOf(va, PUD_SIZE)) : undefined);
    if (found !== undefined) this.last[kind] = found;
    return found;
  }

  /** Keeps a translation, in the place of the oldest one if there is no room. */
  insert(entry: TlbEntry): void {
    const tag = tagOf(entry.va, entry.size);
    this.remove(tag);
    if (this.entriesByTag.size >= this.capacity) {
      const oldest = this.entriesByTag.keys().next();
      if (!oldest.done) this.remove(oldest.value);
    }
    this.entriesByTag.set(tag, entry);
    this.count(entry, 1);
  }

  /** INVLPG: forgets the page that holds an address, a global one as well (APM 5.5.2). */
  invlpg(va: Va): void {
    for (const size of SIZES) this.remove(tagOf(va, size));
    if (this.pieces === 0) return;
    for (const [tag, entry] of this.entriesByTag) {
      const start = Math.floor(entry.va / entry.pageSize) * entry.pageSize;
      if (va >= start && va < start + entry.pageSize) this.remove(tag);
    }
  }

  /** MOV CR3: forgets what is not global (APM 5.5.2). */
  flushNonGlobal(): void {
    for (const [tag, entry] of this.entriesByTag) if (!entry.global) this.remove(tag);
  }

  /** Forgets everything, global entries too. */
  flushAll(): void {
    this.entriesByTag.clear();
    this.last.fill(null);
    this.pmds = this.puds = this.pieces = 0;
  }

  /** All entries, oldest first. */
  entries(): TlbEntry[] {
    return [...this.entriesByTag.values()];
  }

  /** Puts back what {@link entries} gave. */
  restore(entries: readonly TlbEntry[]): void {
    this.flushAll();
    for (const entry of entries) this.insert(entry);
  }

  private remove(tag: number): void {
    const entry = this.entriesByTag.get(tag);
    if (entry === undefined) return;
    this.entriesByTag.delete(tag);
    this.count(entry, -1);
    // What is gone from the buffer is gone from the short cut to it, so that a restored machine acts alike.
    this.last.fill(null);
  }

  private count(entry: TlbEntry, by: number): void {
    if (entry.size === PMD_SIZE) this.pmds += by;
    if (entry.size === PUD_SIZE) this.puds += by;
    if (entry.size !== entry.pageSize) this.pieces += by;
  }
}
