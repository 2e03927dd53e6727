/** The result of a match file as text: a line per directive, with details below one that failed. */
import { plainPainter, type Painter } from './compare-text.js';
import type { Directive } from './directive.js';
import {
  isGood,
  type DirectiveResult,
  type MatchResult,
  type Placed,
  type Verdict,
  type RequiredResult,
} from './match.js';
import { patternText, type Captures, type Mismatch, type Pattern } from './pattern.js';
import { printable } from '../base/printable.js';
import { printEvent } from '../trace/yaml-out.js';

/** Context of a report, from the caller. */
export interface MatchContext {
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

function directiveText({ kind, patterns, step, times }: Directive): string {
  const range = times === undefined ? '' : ` times ${timesText(times)}`;
  const where = step === undefined ? '' : ` (in ${step})`;
  return `${kind} ${patterns.map((pattern) => recordText(pattern)).join(', ')}${range}${where}`;
}

function timesText({ min, max }: { min: number; max: number }): string {
  if (min === max) return `${min}`;
  return max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
}

const placedText = ({ step, event }: Placed): string => `${step}: ${printEvent(event)}`;

const mismatchText = ({ field, expected, found }: Mismatch): string =>
  `${field}: expected ${expected}, found ${found === undefined ? '(none)' : `${found}`}`;

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
      if (verdict.nearest === undefined) return [missing, 'no event of this kind in the trace'];
      const { nearest } = verdict;
      const note = nearest.differs.length === 0 ? ' (outside the range searched)' : '';
      return [
        missing,
        `nearest${note}: ${placedText(nearest)}`,
        ...nearest.differs.map((each) => `  ${mismatchText(each)}`),
      ];
    }
    case 'forbidden':
      return [`at ${placedText(verdict.at)}`];
    case 'wrong-count':
      return [`found ${verdict.times}`];
    case 'unused':
      return [verdict.reason];
  }
}

const WORDS: Readonly<Record<Verdict['status'], string>> = {
  found: 'found',
  absent: 'absent, as required',
  counted: 'counted',
  'not-found': 'not found',
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

function directiveLines(
  { directive, index, verdict }: DirectiveResult,
  by: MatchContext,
): string[] {
  const paint = by.paint ?? plainPainter;
  const line = printable(`match[${index}] ${directiveText(directive)}: ${WORDS[verdict.status]}`);
  if (isGood(verdict)) return [paint.added(line)];
  const step = stepOf(verdict);
  const state = step === undefined ? undefined : by.stateAt?.(step);
  return [
    paint.gone(line),
    ...details(verdict).map((detail) => paint.changed(printable(`  ${detail}`))),
    ...(state === undefined ? [] : [printable(`  at ${step ?? ''}:`)]),
    ...(state?.split('\n').map((each) => `    ${each}`) ?? []),
  ];
}

function requiredLines(
  { section, name, ok, known, differs }: RequiredResult,
  paint: Painter,
): string[] {
  const what = printable(section === 'outcome' ? section : `${section} ${name}`);
  if (ok) return [paint.added(`${what}: as expected`)];
  if (!known) return [paint.gone(`${what}: not in the trace`)];
  return [
    paint.gone(`${what}: differs`),
    ...differs.map((each) => paint.changed(printable(`  ${mismatchText(each)}`))),
  ];
}

/** The report: a line for every directive and every required name; the command to run again if anything failed. */
export function matchText(result: MatchResult, context: MatchContext = {}): string {
  const paint = context.paint ?? plainPainter;
  const rerun =
    result.ok || context.rerun === undefined ? [] : [printable(`rerun: ${context.rerun}`)];
  return [
    ...result.directives.flatMap((each) => directiveLines(each, context)),
    ...result.required.flatMap((each) => requiredLines(each, paint)),
    ...rerun,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
