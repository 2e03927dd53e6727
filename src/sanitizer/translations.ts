/**
 * Translations in the TLBs, by the page-table entries that they were made of: a write to one of these entries makes them
 * stale until they are flushed (APM 5.5.2).
 */
import type { TlbEntry } from '../machine/cpu/tlb.js';
import { PAGE_SIZE } from '../machine/address.js';
import { GRANULE } from './shadow.js';

/** A translation of a CPU: the linear range, and the entry that it depends on. */
interface Held {
  readonly va: number;
  readonly size: number;
  readonly global: boolean;
  readonly rw: boolean;
  readonly nx: boolean;
}

/** A translation whose entry was written since: `writer` is the number of the write. */
export interface Stale extends Held {
  readonly cpu: number;
  /** Physical address of the entry. */
  readonly entry: number;
  readonly writer: number;
}

export interface TranslationsSnapshot {
  readonly held: readonly (readonly [string, readonly Held[]])[];
  readonly stale: readonly Stale[];
}

export class Translations {
  /** By CPU and address of an entry. */
  private readonly held = new Map<number, Map<number, Held[]>>();
  /** Numbers of the pages that have such entries. */
  private readonly tables = new Set<number>();
  /** Addresses of the entries that the running walk has read. */
  private walk: number[] = [];
  private walks: number | null = null;
  private stale: Stale[] = [];

  /** Whether any translation is stale: the only case in which an access has to be checked. */
  get anyStale(): boolean {
    return this.stale.length > 0;
  }

  /** Whether a write may change an entry that a translation was made of. */
  get tracks(): boolean {
    return this.tables.size > 0;
  }

  /** A walk for `va` read the entry at `pa`. */
  walked(va: number, pa: number): void {
    if (this.walks !== va) this.walk = [];
    this.walks = va;
    this.walk.push(pa);
  }

  /** The walk made a translation. */
  translated(cpu: number, { va, size, global, rw, nx }: TlbEntry): void {
    let ofCpu = this.held.get(cpu);
    if (ofCpu === undefined) this.held.set(cpu, (ofCpu = new Map<number, Held[]>()));
    for (const pa of this.walk) {
      const held = ofCpu.get(pa) ?? [];
      if (!held.some((each) => each.va === va && each.size === size))
        held.push({ va, size, global, rw, nx });
      ofCpu.set(pa, held);
      this.tables.add(Math.floor(pa / PAGE_SIZE));
    }
    this.walk = [];
    this.walks = null;
    this.drop((each) => each.cpu === cpu && each.va === va && each.size === size);
  }

  /** Bytes were written: translations made of entries in them are stale. */
  written(start: number, length: number, writer: number): void {
    const last = Math.floor((start + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) {
      if (!this.tables.has(page)) continue;
      const from = Math.max(start, page * PAGE_SIZE);
      const to = Math.min(start + length, (page + 1) * PAGE_SIZE);
      const first = Math.floor(from / GRANULE) * GRANULE;
      for (let entry = first; entry < to; entry += GRANULE) this.entryWritten(entry, writer);
    }
  }

  private entryWritten(entry: number, writer: number): void {
    for (const [cpu, ofCpu] of this.held) {
      const held = ofCpu.get(entry);
      for (const each of held ?? []) {
        this.drop((old) => old.cpu === cpu && old.va === each.va && old.size === each.size);
        this.stale.push({ cpu, ...each, entry, writer });
      }
    }
  }

  /** A CPU flushed translations. `at`: the linear address of INVLPG. */
  flushed(cpu: number, what: string, at: number | undefined): void {
    if (what === 'invlpg') {
      this.drop((each) => each.cpu === cpu && isIn(each, at ?? 0));
    } else if (what === 'tlb' || what === 'tlb-global') {
      const all = what === 'tlb-global';
      this.drop((each) => each.cpu === cpu && (all || !each.global));
      const ofCpu = this.held.get(cpu);
      for (const [entry, held] of ofCpu ?? []) {
        const left = all ? [] : held.filter(({ global }) => global);
        if (left.length === 0) ofCpu?.delete(entry);
        else ofCpu?.set(entry, left);
      }
    }
  }

  /** The stale translations of a CPU for an address. */
  staleAt(cpu: number, va: number): Stale[] {
    return this.stale.filter((each) => each.cpu === cpu && isIn(each, va));
  }

  /** Forgets a stale translation: it was reported, or says the same as its entry. */
  forget(stale: Stale): void {
    this.drop((each) => each === stale);
  }

  private drop(which: (stale: Stale) => boolean): void {
    if (this.stale.length > 0) this.stale = this.stale.filter((each) => !which(each));
  }

  snapshot(): TranslationsSnapshot {
    return {
      held: [...this.held].flatMap(([cpu, ofCpu]) =>
        [...ofCpu].map(([entry, held]) => [`${String(cpu)} ${String(entry)}`, [...held]] as const),
      ),
      stale: [...this.stale],
    };
  }

  restore({ held, stale }: TranslationsSnapshot): void {
    this.held.clear();
    this.tables.clear();
    for (const [key, list] of held) {
      const [cpu = 0, entry = 0] = key.split(' ').map(Number);
      let ofCpu = this.held.get(cpu);
      if (ofCpu === undefined) this.held.set(cpu, (ofCpu = new Map<number, Held[]>()));
      ofCpu.set(entry, [...list]);
      this.tables.add(Math.floor(entry / PAGE_SIZE));
    }
    this.stale = [...stale];
    this.walk = [];
    this.walks = null;
  }
}

function isIn({ va, size }: { readonly va: number; readonly size: number }, at: number): boolean {
  return at >= va && at < va + size;
}
