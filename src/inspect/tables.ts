/** The current page tables as ranges of pages with equal attributes. */
import {
  KEY_PLAIN,
  PAGE_SIZE,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  pa,
  va,
  type KeyId,
  type Pa,
} from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { bitNumbers } from '../machine/cpu/mmu.js';
import type { Machine } from '../machine/machine.js';
import { quietTables } from '../machine/quiet.js';
import { pages } from './translation.js';

/** Pages that are contiguous in both address spaces, with the same size and attributes. */
export interface MappedRange {
  readonly va: number;
  readonly pa: number;
  readonly bytes: number;
  /** Size of each page in bytes. */
  readonly page: number;
  readonly flags: string;
  readonly c: 0 | 1;
  readonly type: string;
  /** Reserved bits that are set, so that every access faults: `51..48, 43`. */
  readonly reserved?: string;
}

const SPANS = [PGDIR_SIZE, PUD_SIZE, PMD_SIZE, PAGE_SIZE] as const;
const ENTRIES = 512;

/**
 * Every present page below a CPU's CR3, by ascending address, adjacent ones merged; none if paging is off. Has no side
 * effects.
 */
export function mappedRanges(machine: Machine, cpu: Cpu): MappedRange[] {
  if (!pages(cpu)) return [];
  const tables = quietTables(machine);
  const ranges: MappedRange[] = [];
  const add = (range: MappedRange): void => {
    const last = ranges[ranges.length - 1];
    const extendsLast =
      last !== undefined &&
      last.va + last.bytes === range.va &&
      last.pa + last.bytes === range.pa &&
      last.page === range.page &&
      last.flags === range.flags &&
      last.c === range.c &&
      last.type === range.type &&
      last.reserved === range.reserved;
    if (extendsLast) ranges[ranges.length - 1] = { ...last, bytes: last.bytes + range.bytes };
    else ranges.push(range);
  };
  const visit = (table: Pa, key: KeyId, level: number, base: number): void => {
    const span = SPANS[level] ?? PAGE_SIZE;
    for (let i = 0; i < ENTRIES; i++) {
      const low = tables.readEntry(pa(table + i * 8), key) >>> 0;
      if ((low & 1) === 0) continue;
      const value = (BigInt(tables.high >>> 0) << 32n) | BigInt(low);
      const at = va(base + i * span);
      const decoded = cpu.decodeEntry(value, span);
      if (decoded.leaf) {
        const { pa: to, flags, c, type } = decoded;
        const reserved = decoded.reserved !== 0n && { reserved: bitNumbers(decoded.reserved) };
        add({ va: at, pa: to, bytes: span, page: span, flags, c, type, ...reserved });
      } else if (level < 3 && cpu.traceWalk(at, tables)[level]?.kind === 'table') {
        visit(decoded.pa, (decoded.c === 1 ? 1 : 0) as KeyId, level + 1, base + i * span);
      }
    }
  };
  const root = cpu.decodeEntry(cpu.cr3, PAGE_SIZE);
  visit(root.pa, (root.c === 1 ? 1 : 0) as KeyId, 0, 0);
  return ranges.sort((a, b) => unsigned(a.va) - unsigned(b.va));
}

/** Low addresses first, then the kernel's. */
function unsigned(address: number): number {
  return address < 0 ? address + 2 ** 49 : address;
}

/** A page table that a CPU reads without a key, by the page that it is in. */
export interface ClearTable {
  readonly page: number;
  readonly cpu: number;
}

/** The page tables below the CR3 of CPUs that have paging on which are read without a key. Has no side effects. */
export function clearTables(machine: Machine): ClearTable[] {
  const tables = quietTables(machine);
  const found = new Map<number, ClearTable>();
  const seen = new Set<string>();
  for (const cpu of machine.cpus) {
    if (!pages(cpu)) continue;
    const visit = (table: Pa, key: KeyId, level: number): void => {
      const place = `${table} ${key} ${level}`;
      if (seen.has(place) || !machine.dram.has(table)) return;
      seen.add(place);
      if (key === KEY_PLAIN && !found.has(table)) found.set(table, { page: table, cpu: cpu.id });
      if (level === SPANS.length - 1) return;
      for (let i = 0; i < ENTRIES; i++) {
        const low = tables.readEntry(pa(table + i * 8), key) >>> 0;
        if ((low & 1) === 0) continue;
        const value = (BigInt(tables.high >>> 0) << 32n) | BigInt(low);
        const { leaf, pa: next, c, reserved } = cpu.decodeEntry(value, SPANS[level] ?? PAGE_SIZE);
        if (!leaf && reserved === 0n) visit(next, (c === 1 ? 1 : 0) as KeyId, level + 1);
      }
    };
    const root = cpu.decodeEntry(cpu.cr3, PAGE_SIZE);
    visit(root.pa, (root.c === 1 ? 1 : 0) as KeyId, 0);
  }
  return [...found.values()];
}
