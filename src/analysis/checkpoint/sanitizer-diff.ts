/**
 * The difference of two states of the sanitizer, if it is limited to the lines of memory that it is about: who wrote them
 * last, and which bytes of owned memory were read. What a step reports depends on nothing else of the shadow than the lines
 * that the step touches, so that two boots which differ in other lines make the same reports in it.
 */
import { LINE_SIZE, PAGE_SIZE } from '../../machine/address.js';
import type { OwnedRange } from '../../sanitizer/host.js';
import type { SanitizerSnapshot } from '../../sanitizer/sanitizer.js';
import { GRANULE, Shadow, type ShadowSnapshot } from '../../sanitizer/shadow.js';
import type { Stale, TranslationsSnapshot } from '../../sanitizer/translations.js';
import type { Writer } from '../../sanitizer/writers.js';
import { deepEqual } from './deep-equal.js';

type Reports = SanitizerSnapshot['reports'];
type Folded = Reports[number][1];

/** A run of bytes with one writer: sizes in bytes. */
interface WrittenRun {
  readonly start: number;
  readonly length: number;
  readonly writer: number;
  readonly destroyed: boolean;
}

/** A byte of the bits of an owned range: eight granules. */
interface OwnedBits {
  readonly range: number;
  readonly byte: number;
}

/** Where two states differ. */
export interface SanitizerDiff {
  /** Line numbers: address / LINE_SIZE. */
  readonly lines: readonly number[];
  /** What the first state has of these lines; the numbers are its writers. */
  readonly runs: readonly WrittenRun[];
  readonly writers: readonly Writer[];
  readonly owned: readonly (OwnedBits & { readonly read: number })[];
}

const ids = new WeakMap<Writer, string>();

/** A text that is equal for equal writers. */
function idOf(writer: Writer): string {
  const known = ids.get(writer);
  if (known !== undefined) return known;
  const { site, key, party, cpu, step } = writer;
  const id = JSON.stringify([site.in, site.file, site.patch, site.hunk, key, party, cpu, step]);
  ids.set(writer, id);
  return id;
}

/** Whether numbers of two lists are of equal writers. */
function sameWriters(
  a: readonly Writer[],
  b: readonly Writer[],
): (ours: number, theirs: number) => boolean {
  const shared = a.findIndex((writer, i) => writer !== b[i]);
  // The lists of boots that resumed from one snapshot begin with the same objects.
  const common = shared < 0 ? a.length : shared;
  return (ours, theirs) => {
    if (ours === theirs && ours <= common) return true;
    const [one, other] = [a[ours - 1], b[theirs - 1]];
    return one !== undefined && other !== undefined && idOf(one) === idOf(other);
  };
}

/** A shadow with some pages of a snapshot. */
function shadowOf({ pages, splits }: ShadowSnapshot, numbers: Iterable<number>): Shadow {
  const some = new Map<number, NonNullable<ReturnType<typeof pages.get>>>();
  for (const number of numbers) {
    const page = pages.get(number);
    if (page !== undefined) some.set(number, page);
  }
  const shadow = new Shadow();
  shadow.restore({ pages: some, splits });
  return shadow;
}

/** The runs of a line. */
function lineRuns(shadow: Shadow, line: number): WrittenRun[] {
  const runs: WrittenRun[] = [];
  shadow.runs(line * LINE_SIZE, LINE_SIZE, (start, length, writer, destroyed) => {
    runs.push({ start, length, writer, destroyed });
  });
  return runs;
}

/** The number of each page that is another object in the two snapshots. */
function otherPages({ pages: a }: ShadowSnapshot, { pages: b }: ShadowSnapshot): Set<number> {
  const numbers = new Set<number>();
  for (const [number, page] of a) if (b.get(number) !== page) numbers.add(number);
  if (a.size !== b.size || numbers.size > 0) {
    for (const number of b.keys()) if (!a.has(number)) numbers.add(number);
  }
  return numbers;
}

type Same = (ours: number, theirs: number) => boolean;

const sameRuns = (a: readonly WrittenRun[], b: readonly WrittenRun[], same: Same): boolean =>
  a.length === b.length &&
  a.every(({ start, length, writer, destroyed }, i) => {
    const other = b[i];
    return (
      other?.start === start &&
      other.length === length &&
      other.destroyed === destroyed &&
      same(writer, other.writer)
    );
  });

const LINES = PAGE_SIZE / LINE_SIZE;

/** Runs of bytes beyond which a difference is not worth to be compared with each step (our choice). */
const MOST_RUNS = 16_384;

/** The lines whose bytes have other writers, with what `a` has of them; undefined: too many. */
function diffShadows(
  a: ShadowSnapshot,
  b: ShadowSnapshot,
  same: Same,
): Pick<SanitizerDiff, 'lines' | 'runs'> | undefined {
  const numbers = otherPages(a, b);
  const [ours, theirs] = [shadowOf(a, numbers), shadowOf(b, numbers)];
  const lines: number[] = [];
  const runs: WrittenRun[] = [];
  for (const number of numbers) {
    const [page, other] = [a.pages.get(number), b.pages.get(number)];
    const whole = page?.each === null && other?.each === null;
    if (whole && same(page.all, other.all)) continue;
    if (runs.length > MOST_RUNS) return undefined;
    for (let line = number * LINES; line < (number + 1) * LINES; line++) {
      const mine = lineRuns(ours, line);
      if (sameRuns(mine, lineRuns(theirs, line), same)) continue;
      lines.push(line);
      runs.push(...mine);
    }
  }
  return { lines, runs };
}

/** Whether both have the same translations, made stale by the same writers. */
function sameTranslations(a: TranslationsSnapshot, b: TranslationsSnapshot, same: Same): boolean {
  const stale = (each: Stale): unknown => ({ ...each, writer: 0 });
  return (
    a.stale.length === b.stale.length &&
    a.stale.every((each, i) => {
      const other = b.stale[i];
      return other !== undefined && same(each.writer, other.writer);
    }) &&
    deepEqual(a.stale.map(stale), b.stale.map(stale)) &&
    deepEqual(a.held, b.held)
  );
}

/** Whether the masks that were not written yet have the same first readers: their numbers were compared. */
function sameMasks(
  { rules: a }: SanitizerSnapshot,
  { rules: b }: SanitizerSnapshot,
  same: Same,
): boolean {
  const numbers = (masks: typeof a.masks): number[] =>
    (masks ?? []).flatMap(({ writer }) => (writer === null ? [] : [writer]));
  const others = numbers(b.masks);
  return numbers(a.masks).every((writer, i) => same(writer, others[i] ?? 0));
}

/** What is compared as a whole: a part that has numbers of writers has to be compared above. */
function otherParts(state: SanitizerSnapshot): unknown {
  return { ...state, shadow: 0, writers: 0, translations: 0, reports: 0, owned: 0 };
}

/**
 * The lines in which two states differ; undefined if they differ in more, or in too many. `ranges`: the owned memory, of which the states have the bytes that were read.
 */
export function diffSanitizers(
  a: SanitizerSnapshot,
  b: SanitizerSnapshot,
  ranges: readonly OwnedRange[],
): SanitizerDiff | undefined {
  const same = sameWriters(a.writers, b.writers);
  if (!deepEqual(otherParts(a), otherParts(b)) || !sameMasks(a, b, same)) return undefined;
  if (!sameTranslations(a.translations, b.translations, same)) return undefined;
  if (a.owned.length !== b.owned.length || a.owned.length > 2 * ranges.length) return undefined;
  const shadows = diffShadows(a.shadow, b.shadow, same);
  if (shadows === undefined) return undefined;
  const { lines, runs } = shadows;
  const owned = a.owned.flatMap((bits, range) => {
    const others = b.owned[range];
    if (others === undefined || deepEqual(bits, others)) return [];
    return [...bits].flatMap((read, byte) =>
      read === others[byte] ? [] : [{ range, byte, read }],
    );
  });
  // The ranges have two lists of bits; a byte is of as many bytes as a line has, from the first granule on.
  const ofOwned = owned.flatMap(({ range, byte }) => {
    const base = ranges[range % ranges.length]?.base ?? 0;
    const first = Math.floor(base / GRANULE) * GRANULE + byte * LINE_SIZE;
    const line = Math.floor(first / LINE_SIZE);
    return first % LINE_SIZE === 0 ? [line] : [line, line + 1];
  });
  return {
    lines: [...new Set([...lines, ...ofOwned])],
    runs,
    writers: a.writers,
    owned,
  };
}

/** Pages that no shadow changes in place. */
const frozen = <P extends object>(page: P): P => ({ ...page, epoch: -1 });

/** The state `onto` with the lines and bytes of a difference, and with these reports. */
export function applySanitizerDiff(
  onto: SanitizerSnapshot,
  { runs, writers: ours, owned: bytes }: SanitizerDiff,
  reports: Reports,
): SanitizerSnapshot {
  const writers = [...onto.writers];
  const numbers = new Map(writers.map((writer, i) => [idOf(writer), i + 1]));
  const numberOf = (number: number): number => {
    const writer = ours[number - 1];
    if (writer === undefined) return number;
    const known = numbers.get(idOf(writer)) ?? writers.push(writer);
    numbers.set(idOf(writer), known);
    return known;
  };
  const touched = new Set(runs.map(({ start }) => Math.floor(start / PAGE_SIZE)));
  const pages = new Map(onto.shadow.pages);
  let { splits } = onto.shadow;
  if (touched.size > 0) {
    for (const number of touched) {
      const page = pages.get(number);
      if (page !== undefined) pages.set(number, frozen(page));
    }
    const shadow = shadowOf({ pages, splits }, touched);
    for (const { start, length, writer, destroyed } of runs) {
      shadow.write(start, length, numberOf(writer));
      if (destroyed) shadow.destroy(start, length);
    }
    const changed = shadow.snapshot();
    ({ splits } = changed);
    for (const [number, page] of changed.pages) pages.set(number, frozen(page));
  }
  const owned = onto.owned.map((bits) => bits.slice());
  for (const { range, byte, read } of bytes) owned[range]?.fill(read, byte, byte + 1);
  return { ...onto, shadow: { pages, splits }, writers, owned, reports };
}

const SEVERITY = ['nothing yet', 'garbage consumed', 'data lost'];

function worse(a: Folded['outcome'], b: Folded['outcome']): Folded['outcome'] {
  return SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a;
}

/**
 * The reports of a boot after a step that makes the same reports in it as in another boot, whose reports before and after
 * are known; undefined where these do not tell which were made in the step.
 */
export function reportsAfter(ours: Reports, before: Reports, after: Reports): Reports | undefined {
  const [mine, old] = [new Map(ours), new Map(before)];
  for (const [id, now] of after) {
    const [known, then] = [mine.get(id), old.get(id)];
    const made = now.n - (then?.n ?? 0);
    if (made === 0) continue;
    if (known === undefined && then === undefined) mine.set(id, now);
    else if (known !== undefined && then !== undefined) {
      // The range grows by what adjoins its end, the outcome by what is worse.
      const same = known.end === then.end && Object.is(known.vaEnd, then.vaEnd);
      if (!same || known.outcome !== then.outcome) return undefined;
      const { end, vaEnd, outcome } = now;
      mine.set(id, { ...known, n: known.n + made, end, vaEnd, outcome });
    } else if (known !== undefined && made === 1) {
      const grows = known.end === now.found.start;
      const end = grows ? now.end : known.end;
      const vaEnd = grows && known.vaEnd === now.found.va ? now.vaEnd : known.vaEnd;
      const outcome = worse(known.outcome, now.outcome);
      mine.set(id, { ...known, n: known.n + 1, end, vaEnd, outcome });
    } else return undefined;
  }
  return [...mine];
}
