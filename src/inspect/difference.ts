/** What differs between two states of a machine: of named values, and of ranges of addresses with a value each. */
import { hex } from '../machine/address.js';

/** A value by name: a register, a level of a page walk, a row of bytes. */
export interface Fact {
  readonly name: string;
  readonly value: string | number;
}

/** A range of addresses that has one value. Ranges of one space do not overlap. */
export interface RangeFact {
  /** Only ranges of one space are compared: the key of cached lines. */
  readonly space?: string;
  readonly start: number;
  readonly bytes: number;
  /** The address that `start` is mapped to; those after it are mapped to the addresses after it. */
  readonly target?: number;
  readonly value: string;
}

/** A state, as far as it is compared. */
export interface Comparable {
  readonly facts?: readonly Fact[];
  readonly ranges?: readonly RangeFact[];
}

/** A difference: a value that only one of two states has lacks the other. */
export interface Change {
  readonly what: string;
  readonly before?: string | number;
  readonly after?: string | number;
}

function changedFacts(before: readonly Fact[], after: readonly Fact[]): Change[] {
  const then = new Map(before.map(({ name, value }) => [name, value]));
  const now = new Map(after.map(({ name, value }) => [name, value]));
  // In the order of `after`; what it lacks follows the name that it followed in `before`.
  const names = [...now.keys()];
  let place = 0;
  for (const name of then.keys()) {
    const at = names.indexOf(name);
    if (at >= 0) place = at + 1;
    else names.splice(place++, 0, name);
  }
  return names.flatMap((what) => {
    const [a, b] = [then.get(what), now.get(what)];
    if (a === b) return [];
    return [{ what, ...(a !== undefined && { before: a }), ...(b !== undefined && { after: b }) }];
  });
}

/** Beyond every address: added to negative ones, so that the kernel's follow the low ones. */
const HIGH = 2 ** 53 - 2 ** 48;
const unsigned = (address: number): number => (address < 0 ? address + HIGH : address);
const signed = (address: number): number => (address >= 2 ** 52 ? address - HIGH : address);

/** The part of a range that begins at an address; undefined: nothing is there. */
interface Part {
  readonly target?: number;
  readonly value: string;
}

/** The values of the addresses of ranges, for addresses in ascending order. */
class Cursor {
  private readonly sorted: readonly RangeFact[];
  private next = 0;
  constructor(ranges: readonly RangeFact[]) {
    this.sorted = [...ranges].sort((a, b) => a.start - b.start);
  }
  /** The value at an address that is not below the one asked for before. */
  at(address: number): Part | undefined {
    let range = this.sorted[this.next];
    while (range !== undefined && range.start + range.bytes <= address) {
      range = this.sorted[++this.next];
    }
    if (range === undefined || range.start > address) return undefined;
    const { target, value, start } = range;
    return { value, ...(target !== undefined && { target: target + (address - start) }) };
  }
}

const equal = (a: Part | undefined, b: Part | undefined): boolean =>
  a?.value === b?.value && a?.target === b?.target;

/** Whether `b`, `bytes` after `a`, continues it. */
const continues = (a: Part | undefined, b: Part | undefined, bytes: number): boolean =>
  a?.value === b?.value &&
  (a?.target === undefined ? b?.target === undefined : a.target + bytes === b?.target);

const textOf = ({ target, value }: Part): string =>
  target === undefined ? value : `${hex(target)} ${value}`;

interface Difference {
  readonly start: number;
  bytes: number;
  readonly before: Part | undefined;
  readonly after: Part | undefined;
}

/** The differences of ranges of one space, adjacent ones merged. */
function differences(before: readonly RangeFact[], after: readonly RangeFact[]): Difference[] {
  const ends = [...before, ...after].flatMap(({ start, bytes }) => [start, start + bytes]);
  const bounds = [...new Set(ends)].sort((a, b) => a - b);
  const [then, now] = [new Cursor(before), new Cursor(after)];
  const found: Difference[] = [];
  bounds.slice(0, -1).forEach((start, i) => {
    const bytes = (bounds[i + 1] ?? start) - start;
    const [a, b] = [then.at(start), now.at(start)];
    if (equal(a, b)) return;
    const last = found.at(-1);
    const merges =
      last !== undefined &&
      last.start + last.bytes === start &&
      continues(last.before, a, last.bytes) &&
      continues(last.after, b, last.bytes);
    if (merges) last.bytes += bytes;
    else found.push({ start, bytes, before: a, after: b });
  });
  return found;
}

function changedRanges(before: readonly RangeFact[], after: readonly RangeFact[]): Change[] {
  const spaces = [...new Set([...before, ...after].map(({ space = '' }) => space))].sort();
  return spaces
    .flatMap((space) => {
      const of = (ranges: readonly RangeFact[]): RangeFact[] =>
        ranges
          .filter(({ space: own = '' }) => own === space)
          .map((range) => ({ ...range, start: unsigned(range.start) }));
      return differences(of(before), of(after)).map((each) => ({ space, ...each }));
    })
    .sort((a, b) => a.start - b.start)
    .map(({ space, start, bytes, before: a, after: b }) => ({
      what: `${hex(signed(start))}..${hex(signed(start + bytes - 1))}${space === '' ? '' : ` ${space}`}`,
      ...(a !== undefined && { before: textOf(a) }),
      ...(b !== undefined && { after: textOf(b) }),
    }));
}

/** What differs between two states. */
export function changesOf(before: Comparable, after: Comparable): Change[] {
  return [
    ...changedFacts(before.facts ?? [], after.facts ?? []),
    ...changedRanges(before.ranges ?? [], after.ranges ?? []),
  ];
}
