/** What came into the clear and what left it between two points of a boot. */
import { LINE_SIZE, pa } from '../../machine/address.js';
import type { InspectedBoot } from '../../sequencer/inspected-boot.js';
import type { Code } from './bus-log.js';
import { writerOf, type ExposedRange, type Exposure } from './exposure.js';

/** Bytes that came or went, with the code that wrote them last: in plaintext, or under a key. */
export interface ChangedRange {
  readonly start: number;
  readonly bytes: number;
  readonly by: Code;
}

export interface Changes {
  readonly came: readonly ChangedRange[];
  readonly went: readonly ChangedRange[];
}

type Span = Pick<ExposedRange, 'start' | 'bytes'>;

/** The parts of a range that no range of a list has; the list is ascending and disjoint. */
function outside<R extends Span>(range: R, list: readonly Span[]): Span[] {
  const parts: Span[] = [];
  let at = range.start;
  const end = range.start + range.bytes;
  for (const { start, bytes } of list) {
    if (start + bytes <= at) continue;
    if (start >= end) break;
    if (start > at) parts.push({ start: at, bytes: start - at });
    at = Math.max(at, start + bytes);
  }
  if (at < end) parts.push({ start: at, bytes: end - at });
  return parts;
}

/** The changes from an earlier exposure of a boot to one of its present state. */
export function changesOf(boot: InspectedBoot, before: Exposure, now: Exposure): Changes {
  const came = now.ranges.flatMap((range) =>
    outside(range, before.ranges).map((part) => ({ ...part, by: range.writer })),
  );
  const went: { start: number; bytes: number; by: Code; origin: number | undefined }[] = [];
  for (const range of before.ranges) {
    for (const { start, bytes } of outside(range, now.ranges)) {
      for (let at = start; at < start + bytes; at += LINE_SIZE) {
        const origin = boot.machine.lastWrite(pa(at))?.origin;
        const open = went.at(-1);
        if (open?.origin === origin && open !== undefined && open.start + open.bytes === at) {
          open.bytes += LINE_SIZE;
        } else went.push({ start: at, bytes: LINE_SIZE, by: writerOf(boot, origin ?? 0), origin });
      }
    }
  }
  return { came, went: went.map(({ start, bytes, by }) => ({ start, bytes, by })) };
}
