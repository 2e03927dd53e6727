/** What changed in the page tables between two points of a boot: ranges that were mapped, unmapped, or got other attributes. */
import type { Cpu } from '../../machine/cpu/cpu.js';
import type { Machine } from '../../machine/machine.js';
import { mappedRanges, type MappedRange } from '../tables.js';

export interface TableChange {
  readonly kind: 'map' | 'unmap' | 'protect';
  readonly va: number;
  readonly bytes: number;
  /** The mapping now; of `unmap`, the one before. */
  readonly range: MappedRange;
  /** Flags and C-bit before; of `protect` only. */
  readonly was?: string;
}

/** The accessed and dirty bits, which the processor sets. */
const SET_BY_CPU = ['A', 'D'];

const withoutBits = (flags: string): string =>
  flags
    .split('|')
    .filter((flag) => !SET_BY_CPU.includes(flag))
    .join('|');

const OFFSET = 2 ** 49;
/** Addresses in the order of a walk: low ones first. */
const ordered = (va: number): number => (va < 0 ? va + OFFSET : va);
const addressed = (at: number): number => (at >= OFFSET / 2 ? at - OFFSET : at);

const same = (a: MappedRange, b: MappedRange): boolean =>
  a.page === b.page && a.flags === b.flags && a.c === b.c && a.type === b.type;
const isContinued = (a: MappedRange, b: MappedRange): boolean =>
  same(a, b) && a.va + a.bytes === b.va && a.pa + a.bytes === b.pa;

/** The mapped ranges without accessed and dirty bits, adjacent ones merged. */
export function tablesOf(machine: Machine, cpu: Cpu): MappedRange[] {
  const out: MappedRange[] = [];
  for (const raw of mappedRanges(machine, cpu)) {
    const range = { ...raw, flags: withoutBits(raw.flags) };
    const last = out.at(-1);
    if (last !== undefined && isContinued(last, range)) {
      out[out.length - 1] = { ...last, bytes: last.bytes + range.bytes };
    } else out.push(range);
  }
  return out;
}

/** The part of a range from an address on. */
function partOf(range: MappedRange, va: number, bytes: number): MappedRange {
  return { ...range, va, pa: range.pa + (va - range.va), bytes };
}

function changeOf(
  before: MappedRange | undefined,
  now: MappedRange | undefined,
  va: number,
  bytes: number,
): TableChange | undefined {
  if (now === undefined) {
    return before && { kind: 'unmap', va, bytes, range: partOf(before, va, bytes) };
  }
  const range = partOf(now, va, bytes);
  if (before === undefined) return { kind: 'map', va, bytes, range };
  const there = partOf(before, va, bytes).pa === range.pa;
  if (there && same(before, now)) return undefined;
  if (!there) return { kind: 'map', va, bytes, range };
  return { kind: 'protect', va, bytes, range, was: `${before.flags} C=${String(before.c)}` };
}

/** The changes by address, adjacent ones of one kind merged. Both lists are as `tablesOf` makes them. */
export function tableChanges(
  before: readonly MappedRange[],
  now: readonly MappedRange[],
): TableChange[] {
  const bounds = [
    ...new Set([...before, ...now].flatMap(({ va, bytes }) => [ordered(va), ordered(va) + bytes])),
  ].sort((a, b) => a - b);
  const changes: TableChange[] = [];
  let [i, j] = [0, 0];
  const covers = (range: MappedRange | undefined, at: number): boolean =>
    range !== undefined && ordered(range.va) <= at;
  const passed = (range: MappedRange | undefined, at: number): boolean =>
    range !== undefined && ordered(range.va) + range.bytes <= at;
  for (const [index, at] of bounds.entries()) {
    const end = bounds[index + 1];
    if (end === undefined) break;
    while (passed(before[i], at)) i++;
    while (passed(now[j], at)) j++;
    const old = covers(before[i], at) ? before[i] : undefined;
    const present = covers(now[j], at) ? now[j] : undefined;
    const change = changeOf(old, present, addressed(at), end - at);
    if (change === undefined) continue;
    const last = changes.at(-1);
    const grows =
      last !== undefined &&
      last.kind === change.kind &&
      last.was === change.was &&
      isContinued(last.range, change.range);
    if (!grows) changes.push(change);
    else {
      const bytes = last.bytes + change.bytes;
      changes[changes.length - 1] = { ...last, bytes, range: { ...last.range, bytes } };
    }
  }
  return changes;
}
