/** The translations in a CPU's TLB, each compared with what the page tables in memory have now. */
import {
  hex,
  PAGE_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  translated,
  vaAdd,
  type Pa,
  type Va,
} from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import { MEMTYPE_NAMES } from '../machine/cpu/memory-types.js';
import type { TlbEntry } from '../machine/cpu/tlb.js';
import type { Machine } from '../machine/machine.js';
import { entryText } from '../kernel/fault-text.js';
import { quietTables } from '../machine/quiet.js';
import { pages } from './translation.js';

/** A translation in a TLB; addresses in hexadecimal. */
export interface TlbRow {
  readonly va: string;
  /** Bytes that it translates. */
  readonly bytes: number;
  /** Bytes of the page in the tables, where the MTRRs give parts of it several types. */
  readonly page?: number;
  readonly pa: string;
  readonly c: 0 | 1;
  readonly type: string;
  /** `RW|US|D|G|NX`: those that the TLB has; the accessed bit is set in every entry that was loaded (APM 5.4.2). */
  readonly flags: string;
  /** What the page tables have now, where that differs: a translation's differing parts, or the fault of a walk. */
  readonly stale?: string;
}

/** The flags that a translation has in the TLB. */
function flagsOf({ rw, us, nx, global, dirty }: TlbEntry): string {
  const names = { RW: rw, US: us, D: dirty, G: global, NX: nx };
  return Object.entries(names)
    .filter(([, set]) => set)
    .map(([name]) => name)
    .join('|');
}

const PAGE_NAMES = new Map([
  [PAGE_SIZE, '4K'],
  [PMD_SIZE, '2M'],
  [PUD_SIZE, '1G'],
]);

/** The size of a page: `4K`, `2M`, `1G`. */
export const pageName = (bytes: number): string => PAGE_NAMES.get(bytes) ?? String(bytes);

/**
 * The parts of the tables' translation that differ from the TLB's. A dirty bit that is set in the tables only is no
 * difference: a write through the TLB's translation walks again (APM 5.4.2).
 */
function differences(cached: TlbEntry, now: TlbEntry, at: Va): string[] {
  const target = (entry: TlbEntry): Pa => translated(entry, at);
  const inTlb = flagsOf(cached);
  const inTables = flagsOf(cached.dirty ? now : { ...now, dirty: false });
  return [
    ...(target(cached) === target(now) ? [] : [hex(target(now))]),
    ...(cached.key === now.key ? [] : [`C=${now.key === 0 ? '0' : '1'}`]),
    ...(cached.type === now.type ? [] : [MEMTYPE_NAMES[now.type]]),
    ...(inTlb === inTables ? [] : [inTables === '' ? 'no flags' : inTables]),
  ];
}

/** What the tables have for the addresses of a translation, where it differs: of several differing pages, the first. */
function staleOf(machine: Machine, cpu: Cpu, cached: TlbEntry): string | undefined {
  if (!pages(cpu)) return 'paging is off';
  const tables = quietTables(machine);
  const end = cached.va + cached.size;
  let page: string | undefined;
  for (let at = cached.va; at < end;) {
    const now = cpu.walkTables(at, tables);
    const where = at === cached.va ? '' : `from ${hex(at)} on: `;
    if (isFault(now)) {
      return `${where}${now.why}${now.read === undefined ? '' : `, ${entryText(now.read)}`}`;
    }
    if (now.pageSize !== cached.pageSize) page ??= `a ${pageName(now.pageSize)} page`;
    const found = differences(cached, now, at);
    if (found.length > 0)
      return where + [...(page === undefined ? [] : [page]), ...found].join(', ');
    at = vaAdd(now.va, now.size);
  }
  return page;
}

/** Low addresses first, then the kernel's; at one address the larger first. */
const order = (a: TlbEntry, b: TlbEntry): number =>
  Number(a.va < 0) - Number(b.va < 0) || a.va - b.va || b.size - a.size;

/** The translations that a CPU's TLB holds, by virtual address. Has no side effects. */
export function tlbOf(machine: Machine, cpu: Cpu): TlbRow[] {
  return cpu.tlb
    .entries()
    .sort(order)
    .map((entry) => {
      const stale = staleOf(machine, cpu, entry);
      return {
        va: hex(entry.va),
        bytes: entry.size,
        ...(entry.pageSize !== entry.size && { page: entry.pageSize }),
        pa: hex(entry.pa),
        c: entry.key === 0 ? (0 as const) : (1 as const),
        type: MEMTYPE_NAMES[entry.type],
        flags: flagsOf(entry),
        ...(stale !== undefined && { stale }),
      };
    });
}
