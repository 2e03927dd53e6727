/** The result of a match file as text: a line per directive, with details below one that failed. */
import { plainPainter, type Painter } from './compare-text.js';
import type { Directive } from './directive.js';
import {
  isGood,
  type DirectiveResult,
  type MatchResult,
  type Nearest,
  type Neighbours,
  type Placed,
  type Verdict,
  type RequiredResult,
} from './match.js';
import { patternText, type Captures, type Mismatch, type Pattern } from './pattern.js';
import { printable } from '../base/printable.js';
import { placePrefix, type Failure } from './result.js';
import type { Place } from '../base/errors.js';
import type { PathKey } from '../base/yaml-source.js';
import { printEvent, printReport } from '../trace/yaml-out.js';

/** Context of a report, from the caller. */
export interface MatchContext {
  /** The place of the value at a path of the match file. */
  readonly place?: (path: readonly PathKey[]) => Place;
  /** The command that runs the same boot again, on one line. */
  readonly rerun?: string;
  /** The state of the machine at the start of a boot step, as lines of text; undefined if it is not known. */
  readonly stateAt?: (step: string) => string | undefined;
  readonly paint?: Painter;
}

function recordText(pattern: Pattern, captures?: Captures): string {
  const fields = Object.entries(pattern).map(
    ([field, value]) => `${field}: ${patternText(value, captures)}`,
  );
  return `{${fields.join(', ')}}`;
}

function directiveText({ kind, patterns, step, times, about }: Directive): string {
  const range = times === undefined ? '' : ` times ${timesText(times)}`;
  const where = step === undefined ? '' : ` (in ${step})`;
  const word = about === 'reports' && kind !== 'report' ? `${kind} report` : kind;
  return `${word} ${patterns.map((pattern) => recordText(pattern)).join(', ')}${range}${where}`;
}

function timesText({ min, max }: { min: number; max: number }): string {
  if (min === max) return `${min}`;
  return max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
}

const placedText = ({ step, event, report }: Placed): string =>
  `${step}: ${report === undefined ? printEvent(event) : printReport(report)}`;

/** A line of the trace for orientation: without its source file and hunk. */
export function neighbourText({ step, event }: Placed): string {
  const shown = Object.entries(event).filter(
    ([field]) => !['file', 'patch', 'hunk'].includes(field),
  );
  return placedText({ step, event: Object.fromEntries(shown) });
}

/** `C: expected 1, found 0`. */
export const mismatchText = ({ field, expected, found }: Mismatch): string =>
  `${field}: expected ${expected}, found ${found === undefined ? '(none)' : `${found}`}`;

/** The lines of the trace around an event. */
const aroundText = ({ before, after }: Neighbours): string[] => [
  ...(before === undefined ? [] : [`  before: ${neighbourText(before)}`]),
  ...(after === undefined ? [] : [`  after:  ${neighbourText(after)}`]),
];

function nearestText(nearest: Nearest): string[] {
  const note = nearest.differs.length === 0 ? ' (outside the range searched)' : '';
  return [
    `nearest${note}: ${placedText(nearest)}`,
    ...nearest.differs.map((each) => printable(`  ${mismatchText(each)}`)),
    ...aroundText(nearest),
  ];
}

/** The lines below the line of a directive. */
function details(verdict: Verdict): string[] {
  switch (verdict.status) {
    case 'found':
    case 'absent':
    case 'counted':
      return [];
    case 'not-found': {
      const begins = verdict.from === undefined ? 'after the last event' : `from ${verdict.from}`;
      const missing = `no ${recordText(verdict.pattern, verdict.captures)} ${begins}`;
      if (verdict.nearest !== undefined) return [missing, ...nearestText(verdict.nearest)];
      const began = aroundText(verdict.began);
      return [
        missing,
        'no event of this kind in the trace',
        ...(began.length === 0 ? [] : ['the search began between', ...began]),
      ];
    }
    case 'not-reported': {
      const { pattern, captures, reported, nearest } = verdict;
      const among = reported === 0 ? 'there are no reports' : `among ${reported} reports`;
      return [
        `no ${recordText(pattern, captures)}: ${among}`,
        ...(nearest === undefined ? [] : nearestText(nearest)),
      ];
    }
    case 'forbidden':
      return [`at ${placedText(verdict.at)}`, ...aroundText(verdict.at)];
    case 'wrong-count': {
      const { times, first, last, nearest } = verdict;
      return [
        `found ${times}`,
        ...(first === undefined ? [] : [`first: ${placedText(first)}`, ...aroundText(first)]),
        ...(last === undefined ? [] : [`last: ${placedText(last)}`, ...aroundText(last)]),
        ...(nearest === undefined ? [] : nearestText(nearest)),
      ];
    }
    case 'unused':
      return [verdict.reason];
  }
}

const WORDS: Readonly<Record<Verdict['status'], string>> = {
  found: 'found',
  absent: 'absent, as required',
  counted: 'counted',
  'not-found': 'not found',
  'not-reported': 'not reported',
  forbidden: 'found, but forbidden',
  'wrong-count': 'wrong count',
  unused: 'unused',
};

/** The boot step whose state helps to explain a failed directive; undefined if there is none. */
function stepOf(verdict: Verdict): string | undefined {
  if (verdict.status === 'forbidden') return verdict.at.step;
  if (verdict.status !== 'not-found') return undefined;
  return verdict.from ?? verdict.nearest?.step;
}

/** The lines of one directive or required name. */
interface Item {
  readonly ok: boolean;
  readonly place: Place;
  readonly headline: string;
  /** The lines below the headline. */
  readonly details: readonly string[];
}

function directiveItem({ directive, index, verdict }: DirectiveResult, by: MatchContext): Item {
  const headline = printable(
    `match[${index}] ${directiveText(directive)}: ${WORDS[verdict.status]}`,
  );
  const place = by.place?.(['match', index]) ?? {};
  if (isGood(verdict)) return { ok: true, place, headline, details: [] };
  const step = stepOf(verdict);
  const state = step === undefined ? undefined : by.stateAt?.(step);
  const paint = by.paint ?? plainPainter;
  return {
    ok: false,
    place,
    headline,
    details: [
      ...details(verdict).map((detail) => paint.changed(printable(`  ${detail}`))),
      ...(state === undefined ? [] : [printable(`  at ${step ?? ''}:`)]),
      ...(state?.split('\n').map((each) => `    ${each}`) ?? []),
    ],
  };
}

function requiredItem(result: RequiredResult, by: MatchContext): Item {
  const { section, name, ok, known, suggestion, differs } = result;
  const what = printable(section === 'outcome' ? section : `${section} ${name}`);
  const place = by.place?.(section === 'outcome' ? [section] : [section, name]) ?? {};
  const near = suggestion === undefined ? '' : `; did you mean ${printable(suggestion)}?`;
  const word = ok ? 'as expected' : known ? 'differs' : `not in the trace${near}`;
  const paint = by.paint ?? plainPainter;
  const lines = ok || !known ? [] : differs.map((each) => `  ${mismatchText(each)}`);
  return {
    ok,
    place,
    headline: `${what}: ${word}`,
    details: lines.map((line) => paint.changed(line)),
  };
}

const itemsOf = (result: MatchResult, context: MatchContext): Item[] => [
  ...result.directives.map((each) => directiveItem(each, context)),
  ...result.required.map((each) => requiredItem(each, context)),
  ...suppressItems(result),
];

/** The accepted reports; an entry that accepts none is an item of its own. */
function suppressItems({ suppress }: MatchResult): Item[] {
  if (suppress === undefined) return [];
  const { accepted, unused } = suppress;
  const count = `suppress: ${String(accepted)} ${accepted === 1 ? 'report' : 'reports'} accepted`;
  return [
    { ok: true, place: {}, headline: count, details: [] },
    ...unused.map(({ place, reason = '' }): Item => ({
      ok: false,
      place,
      headline: printable(`suppress: ${reason}`),
      details: [],
    })),
  ];
}

/** The lines of an item, those of a failure with its place. */
function itemLines({ ok, place, headline, details }: Item, paint: Painter): string[] {
  return ok
    ? [paint.added(headline)]
    : [paint.gone(`${placePrefix(place)}${headline}`), ...details];
}

/** What is not as expected, in the order of the file. */
export function matchFailures(result: MatchResult, context: MatchContext = {}): Failure[] {
  return itemsOf(result, context)
    .filter(({ ok }) => !ok)
    .map((item) => ({
      place: item.place,
      headline: headlineWith(item),
      lines: itemLines(item, plainPainter),
    }));
}

/** A required value that differs is said in its headline, which has no other content. */
function headlineWith({ headline, details: [first] }: Item): string {
  return headline.endsWith(': differs') && first !== undefined
    ? `${headline.replace(/ differs$/, '')} ${first.trim()}`
    : headline;
}

/** The report: a line for every directive and every required name; the command to run again if anything failed. */
export function matchText(result: MatchResult, context: MatchContext = {}): string {
  const paint = context.paint ?? plainPainter;
  const rerun =
    result.ok || context.rerun === undefined ? [] : [printable(`rerun: ${context.rerun}`)];
  return [...itemsOf(result, context).flatMap((each) => itemLines(each, paint)), ...rerun]
    .map((line) => `${line}\n`)
    .join('');
}
