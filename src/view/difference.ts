/** Two boots side by side: events, reads, reports and outcome from their traces, and the bytes in DRAM at a label. */
import { equalBytes } from '../base/bytes.js';
import { compare } from '../check/compare.js';
import type { Region } from '../firmware/placed.js';
import { LINE_SIZE, PAGE_SIZE, pa } from '../machine/address.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { DifferenceRows, DifferentRange } from './messages.js';
import type { ViewedBoot } from './viewed-boot.js';

/** Most ranges that are listed (our choice). */
const MOST_RANGES = 400;

/** The smallest region that has an address; undefined if none has. */
function smallestRegionAt(regions: readonly Region[], at: number): Region | undefined {
  return regions
    .filter(({ base, size }) => at >= base && at < base + size)
    .sort((a, b) => a.size - b.size)[0];
}

/** The lines whose bytes in DRAM differ, as ranges that end where a region does, ascending. */
export function differentMemory(a: InspectedBoot, b: InspectedBoot): DifferentRange[] {
  const [first, second] = [a.machine.dram, b.machine.dram];
  const pages = [...new Set([...first.touched(), ...second.touched()])].sort((x, y) => x - y);
  const regions = b.regions();
  const ranges: { base: number; size: number; name: string }[] = [];
  for (const page of pages) {
    const start = pa(page * PAGE_SIZE);
    const [left, right] = [first.peek(start, PAGE_SIZE), second.peek(start, PAGE_SIZE)];
    if (equalBytes(left, right)) continue;
    for (let i = 0; i < PAGE_SIZE; i += LINE_SIZE) {
      if (equalBytes(left.subarray(i, i + LINE_SIZE), right.subarray(i, i + LINE_SIZE))) continue;
      const at = start + i;
      const name = smallestRegionAt(regions, at)?.name ?? '';
      const last = ranges.at(-1);
      if (last !== undefined && last.base + last.size === at && last.name === name) {
        last.size += LINE_SIZE;
      } else ranges.push({ base: at, size: LINE_SIZE, name });
    }
  }
  return ranges;
}

/** What differs between two boots; memory after the step of `label`, or the last one before it that both have run. */
export function differenceOf(other: ViewedBoot, shown: ViewedBoot, label: string): DifferenceRows {
  const [before, now] = [other.trace, shown.trace];
  const upTo = shown.done.slice(0, shown.done.indexOf(label) + 1);
  const at = upTo.filter((each) => other.done.includes(each)).at(-1) ?? '';
  const [a, b] = [other.at(at), shown.at(at)];
  const memory = a === undefined || b === undefined ? [] : differentMemory(a.boot, b.boot);
  return {
    traces: before === undefined || now === undefined ? undefined : compare(before, now),
    at,
    memory: memory.slice(0, MOST_RANGES),
    more: Math.max(0, memory.length - MOST_RANGES),
  };
}
