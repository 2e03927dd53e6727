/** `uninitialised-read`: a value is used that was never written to memory. */
import { pa } from '../../machine/address.js';
import type { LinearRange } from '../annotations.js';
import { cBit, describe, type Access, type Watch } from '../watch.js';

/** A load of at most a register uses the value; longer accesses copy, and copies are no use (our choice). */
const LOAD = 8;

/** The range that is being searched; null: none is. */
export type SearchingSnapshot = LinearRange | null;

export class Uninitialised {
  private searching: LinearRange | null = null;

  search(range: LinearRange | null): void {
    this.searching = range;
  }

  /** A read of bytes that were never written: part of `access`. */
  check(watch: Watch, access: Access, start: number, length: number): void {
    const { what, va, key } = access;
    if (access.length > LOAD || this.isSearched(va)) return;
    if (!watch.host.annotations().includes('searches')) return;
    const { dram, bus } = watch.machine;
    if (!dram.has(start) || bus.at(pa(start)) !== undefined) return;
    watch.report({
      rule: 'uninitialised-read',
      ...watch.by(access),
      ...{ start, length, va: va === undefined ? undefined : va + (start - access.start) },
      C: cBit(key),
      what: `${describe(what)} of memory that was never written`,
      outcome: 'garbage consumed',
    });
  }

  private isSearched(va: number | undefined): boolean {
    const { searching } = this;
    if (searching === null || va === undefined) return false;
    return va >= searching.at && va < searching.at + searching.size;
  }

  snapshot(): SearchingSnapshot {
    return this.searching;
  }

  restore(snapshot: SearchingSnapshot): void {
    this.searching = snapshot;
  }
}
