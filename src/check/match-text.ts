/** A match file's result as text: a line per directive, and under a failed one what helps. */
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
import { printEvent } from '../trace/yaml-out.js';

/** What only the caller knows. */
export interface MatchContext {
  /** The command that runs the same boot again, one line. */
  readonly rerun?: string;
  /** The state of the machine at the start of a boot step, in a few lines. */
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

/** What there is to say under a directive's own line. */
function details(verdict: Verdict): string[] {
  switch (verdict.status) {
    case 'found':
    case 'absent':
    case 'counted':
      return [];
    case 'not-found': {
      const begins = verdict.from === undefined ? 'after the last event' : `from ${verdict.from}`;
      const wanted = `no ${recordText(verdict.pattern, verdict.captures)} ${begins}`;
      if (verdict.nearest === undefined) return [wanted, 'nothing of its kind in the trace'];
      const { nearest } = verdict;
      const note = nearest.differs.length === 0 ? ' (elsewhere)' : '';
      return [
        wanted,
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
  absent: 'absent, as it should be',
  counted: 'counted',
  'not-found': 'not found',
  forbidden: 'forbidden, but found',
  'wrong-count': 'another count',
  unused: 'unused',
};

/** The boot step to look at when a directive failed. */
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
  const line = `match[${index}] ${directiveText(directive)}: ${WORDS[verdict.status]}`;
  if (isGood(verdict)) return [paint.added(line)];
  const step = stepOf(verdict);
  const state = step === undefined ? undefined : by.stateAt?.(step);
  return [
    paint.gone(line),
    ...details(verdict).map((detail) => paint.changed(`  ${detail}`)),
    ...(state === undefined ? [] : [`  at ${step ?? ''}:`]),
    ...(state?.split('\n').map((each) => `    ${each}`) ?? []),
  ];
}

function requiredLines(
  { section, name, ok, known, differs }: RequiredResult,
  paint: Painter,
): string[] {
  const what = section === 'outcome' ? section : `${section} ${name}`;
  if (ok) return [paint.added(`${what}: as expected`)];
  if (!known) return [paint.gone(`${what}: the trace has no such thing`)];
  return [
    paint.gone(`${what}: differs`),
    ...differs.map((each) => paint.changed(`  ${mismatchText(each)}`)),
  ];
}

/** The report: every directive and what is wanted besides; the command to run again if anything failed. */
export function matchText(result: MatchResult, context: MatchContext = {}): string {
  const paint = context.paint ?? plainPainter;
  const rerun = result.ok || context.rerun === undefined ? [] : [`rerun: ${context.rerun}`];
  return [
    ...result.directives.flatMap((each) => directiveLines(each, context)),
    ...result.wanted.flatMap((each) => requiredLines(each, paint)),
    ...rerun,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
