/** RAM that is in plaintext: every line whose last write to DRAM had no key, by the code that wrote it. */
import { hex, KEY_PLAIN, pa, PAGE_SIZE } from '../machine/address.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { writerName } from './writer.js';

/** Bytes of a cache line, the unit whose writer the machine records. */
const LINE = 64;

/** A range of RAM that is in plaintext. */
export interface ExposedRange {
  readonly start: number;
  readonly bytes: number;
}

/** The plaintext that one function, or the loader and the firmware, or a device wrote last. */
export interface Exposed {
  readonly writer: string;
  readonly bytes: number;
  /** In ascending order. */
  readonly ranges: readonly ExposedRange[];
}

/**
 * The plaintext in DRAM by its writers, the one with the most bytes first. A line that is only in a cache is not in DRAM
 * yet; RAM that was never written is not listed.
 */
export function exposedBy(boot: InspectedBoot): Exposed[] {
  const { machine } = boot;
  const writers = new Map<string, { start: number; bytes: number }[]>();
  for (const page of machine.dram.touched()) {
    if (machine.dram.stateOf(pa(page * PAGE_SIZE), PAGE_SIZE).plain === 0) continue;
    for (let at = page * PAGE_SIZE; at < (page + 1) * PAGE_SIZE; at += LINE) {
      const last = machine.lastWrite(pa(at));
      if (last?.key !== KEY_PLAIN) continue;
      const writer = writerName(boot, last.origin);
      const ranges = writers.get(writer) ?? [];
      if (ranges.length === 0) writers.set(writer, ranges);
      const open = ranges.at(-1);
      if (open !== undefined && open.start + open.bytes === at) open.bytes += LINE;
      else ranges.push({ start: at, bytes: LINE });
    }
  }
  return [...writers]
    .map(([writer, ranges]) => ({
      writer,
      bytes: ranges.reduce((sum, { bytes }) => sum + bytes, 0),
      ranges,
    }))
    .sort((a, b) => b.bytes - a.bytes || (a.writer < b.writer ? -1 : 1));
}

/** A range with its last address, as in a trace. */
export const rangeText = ({ start, bytes }: ExposedRange): string =>
  `${hex(start)}..${hex(start + bytes - 1)}`;
