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
import type { Boot } from '../sequencer/boot.js';
import { stateName } from '../sequencer/final-state.js';
import { screenOf } from '../sequencer/screen.js';
import { whatOf } from '../sequencer/step-what.js';
import { InputError } from '../base/errors.js';
import type { RecordedBoot } from './labelled-boot.js';
import type { Frame, LineRow, MemoryRows, WalkRows } from './messages.js';

/** The state of a boot whose last step is `label`. */
export function frameOf(boot: Boot, label: string): Frame {
  const { machine } = boot;
  return {
    label,
    what: whatOf(label),
    events: boot.recorder.eventsOf(label),
    regions: boot.regions().map(({ name, base, size }) => ({
      name,
      base,
      size,
      state: stateName(machine.dram.stateOf(pa(base), size)),
    })),
    cpus: machine.cpus.map((cpu) => registersOf(boot, cpu)),
    screen: screenOf(machine),
    reads: boot.recorder.consumedSoFar,
    reports: boot.sanitizer === null ? undefined : boot.reports(),
    outcome: boot.outcome,
  };
}

/** The CPU of a number. Throws InputError for one that the machine does not have. */
export function cpuOf({ machine }: Boot, id: number): Cpu {
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
function linesOf({ boot, bus }: RecordedBoot, ranges: readonly PhysicalRange[]): LineRow[] {
  return ranges.flatMap(({ base, size }) => {
    const rows: LineRow[] = [];
    const first = base - (base % LINE_SIZE);
    for (let at = first; at < base + size; at += LINE_SIZE) {
      const line = pa(at);
      const last = boot.machine.dram.lastWrite(line);
      const writer = last === undefined ? undefined : writerName(boot, last.origin);
      const left = [...bus.stillPlain.of(line), ...bus.stillCiphertext.of(line)];
      rows.push({ pa: at, key: last?.key, writer, left });
    }
    return rows;
  });
}

/** Bytes of a place. Throws E_PLACE, E_NOT_MAPPED, and E_MEM for a length outside 1 to {@link MOST_BYTES}. */
export function memoryOf(recorded: RecordedBoot, place: string, length: number): MemoryRows {
  if (!Number.isInteger(length) || length < 1 || length > MOST_BYTES) {
    throw new InputError({
      code: 'E_MEM',
      expected: `a number of bytes from 1 to ${String(MOST_BYTES)}`,
      found: String(length),
    });
  }
  const { boot } = recorded;
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
    lines: linesOf(recorded, ranges),
    cached: cachedLines(boot, ranges),
    owners: [...new Set(inRanges.map(({ owner }) => owner.text))],
  };
}

/** Bytes of an entry of a page table. */
const ENTRY = 8;

/** The walk of a CPU's tables for a place. Throws E_PLACE. */
export function walkRowsOf(boot: Boot, place: string, id: number): WalkRows {
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
    symbol: boot.symbolize('va', at),
  };
}
