/** The state of a boot after a step, as the page shows it. */
import { hex, LINE_SIZE, pa } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { bytesOf, type PhysicalRange } from '../inspect/memory.js';
import { cachedLines } from '../inspect/cached.js';
import { ownersOf } from '../inspect/exposure/owners.js';
import { parsePlace, physicalRanges, virtualOf } from '../inspect/place.js';
import { registersOf } from '../inspect/registers.js';
import { tlbOf } from '../inspect/tlb.js';
import { walkOf } from '../inspect/walk.js';
import { writerName } from '../inspect/writer.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { stateName } from '../sequencer/final-state.js';
import { InputError } from '../base/errors.js';
import type { Frame, LineRow, MemoryRows, WalkRows } from './messages.js';
import type { ViewedState } from './viewed-boot.js';

/** The state of a boot whose last step is `label`. */
export function frameOf({ boot, step }: ViewedState, label: string): Frame {
  const { machine } = boot;
  return {
    label,
    ...step(),
    regions: boot.regions().map(({ name, base, size }) => ({
      name,
      base,
      size,
      state: stateName(machine.dram.stateOf(pa(base), size)),
    })),
    cpus: machine.cpus.map((cpu) => registersOf(boot, cpu)),
    outcome: boot.outcome,
  };
}

/** The CPU of a number. Throws InputError for one that the machine does not have. */
export function cpuOf({ machine }: InspectedBoot, id: number): Cpu {
  const cpu = machine.cpus[id];
  if (cpu !== undefined) return cpu;
  throw new InputError({
    code: 'E_USAGE',
    reason: 'the machine has no such CPU',
    found: String(id),
  });
}

/** Most bytes of memory that are shown (our choice). */
export const MOST_BYTES = 4096;

/** The lines of ranges with the last write to each. */
function linesOf({ boot, bus }: ViewedState, ranges: readonly PhysicalRange[]): LineRow[] {
  return ranges.flatMap(({ base, size }) => {
    const rows: LineRow[] = [];
    const first = base - (base % LINE_SIZE);
    for (let at = first; at < base + size; at += LINE_SIZE) {
      const line = pa(at);
      const last = boot.machine.dram.lastWrite(line);
      const writer = last === undefined ? undefined : writerName(boot, last.origin);
      const left = bus ? [...bus.stillPlain.of(line), ...bus.stillCiphertext.of(line)] : [];
      rows.push({ pa: at, key: last?.key, writer, left });
    }
    return rows;
  });
}

/** Bytes of a place. Throws E_PLACE, E_NOT_MAPPED, and E_MEM for a length outside 1 to {@link MOST_BYTES}. */
export function memoryOf(state: ViewedState, place: string, length: number): MemoryRows {
  if (!Number.isInteger(length) || length < 1 || length > MOST_BYTES) {
    throw new InputError({
      code: 'E_MEM',
      expected: `a number of bytes from 1 to ${String(MOST_BYTES)}`,
      found: String(length),
    });
  }
  const { boot } = state;
  const { machine } = boot;
  const ranges = physicalRanges(boot, parsePlace(boot, place, 'pa'), length, place);
  const owners = ownersOf(boot);
  const inRanges = owners.filter(({ start, end }) =>
    ranges.some(({ base, size }) => start < base + size && base < end),
  );
  return {
    place,
    ranges,
    dram: bytesOf(machine, ranges, 'dram'),
    c0: bytesOf(machine, ranges, 'c0'),
    c1: bytesOf(machine, ranges, 'c1'),
    lines: linesOf(state, ranges),
    cached: cachedLines(boot, ranges),
    owners: [...new Set(inRanges.map(({ owner }) => owner.text))],
  };
}

/** Bytes of an entry of a page table. */
const ENTRY = 8;

/** The walk of a CPU's tables for a place. Throws E_PLACE. */
export function walkRowsOf(state: ViewedState, place: string, id: number): WalkRows {
  const { boot } = state;
  const { machine } = boot;
  const cpu = cpuOf(boot, id);
  const at = virtualOf(parsePlace(boot, place, 'va'));
  const walk = walkOf(machine, cpu, at);
  const entry = cpu.tlb.peek(at);
  return {
    walk,
    tlb: entry && tlbOf(machine, cpu).find(({ va }) => va === hex(entry.va)),
    cached: walk.levels.map(({ table, index }) =>
      cachedLines(boot, [{ base: Number(table) + index * ENTRY, size: ENTRY }]),
    ),
    symbol: state.symbolAt(at),
  };
}
