/** The effects of a patch, computed from traces with and without it; nothing is booted here. */
import { own } from '../../base/own.js';
import { byName, compare, isSame, plainDifferences, type Difference } from '../../check/compare.js';
import { differenceText } from '../../check/compare-text.js';
import { digestOf } from '../../trace/integrity.js';
import { reportChanges } from '../../check/report-changes.js';
import {
  reportsOf,
  type Consumed,
  type FinalRegion,
  type AnyOutcome,
  type Trace,
} from '../../trace/trace.js';
import { effectSteps } from './events.js';
import type { EffectView, ScriptEffect, Read, Reading } from './form.js';

/** The results of one call script without the patch and with it: plain data. */
export interface ScriptAnswers {
  readonly probe: string;
  readonly before: unknown;
  readonly after: unknown;
}

const some = (list: readonly unknown[]): boolean => list.length > 0;

/** The outcome in a line. */
export function outcomeText({ kind, where, message }: AnyOutcome): string {
  if (kind === 'booted') return kind;
  return `${kind}${where === undefined ? '' : ` in ${where}`}${message === undefined ? '' : `: ${message}`}`;
}

/** Pairs of rows with the same name: first the names of `after` in its order, then those only in `before`. */
function pairs<R>(
  before: Readonly<Record<string, R>>,
  after: Readonly<Record<string, R>>,
): [R | undefined, R | undefined][] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].map((name) => [own(before, name), own(after, name)]);
}

type Consumption = Pick<EffectView, 'consumed' | 'readNow' | 'readNoMore'>;

const reading = ({ intact }: Consumed): Reading => (intact ? 'intact' : 'garbage');

/** Names by what their readers got, each once. */
function readOf(rows: readonly Consumed[]): Read {
  const names = (which: Reading): string[] => [
    ...new Set(rows.filter((row) => reading(row) === which).map(({ name }) => name)),
  ];
  const [intact, garbage] = [names('intact'), names('garbage')];
  return { ...(some(intact) && { intact }), ...(some(garbage) && { garbage }) };
}

function consumedEffects(before: Trace, after: Trace): Consumption {
  const rows = ({ consumed }: Trace): Record<string, Consumed> =>
    byName(consumed, ({ name, by }) => `${name} by ${by}`);
  const all = pairs(rows(before), rows(after));
  const consumed = all.flatMap(([was, is]) =>
    was === undefined || is === undefined || was.intact === is.intact
      ? []
      : [{ name: is.name, by: is.by, before: reading(was), after: reading(is) }],
  );
  const now = all.flatMap(([was, is]) => (was === undefined && is !== undefined ? [is] : []));
  const noMore = all.flatMap(([was, is]) => (was !== undefined && is === undefined ? [was] : []));
  return {
    ...(some(consumed) && { consumed }),
    ...(some(now) && { readNow: readOf(now) }),
    ...(some(noMore) && { readNoMore: readOf(noMore) }),
  };
}

function regionEffects(before: Trace, after: Trace): NonNullable<EffectView['regions']> {
  const rows = ({ final }: Trace): Record<string, FinalRegion> =>
    byName(final.regions, ({ name }) => name);
  return pairs(rows(before), rows(after)).flatMap(([was, is]) =>
    was?.state === is?.state
      ? []
      : [
          {
            name: is?.name ?? was?.name ?? '',
            before: was?.state ?? 'none',
            after: is?.state ?? 'none',
          },
        ],
  );
}

/** Number of differing lines of the screen. */
function screenEffect(
  { final: { screen: was = [] } }: Trace,
  { final: { screen: is = [] } }: Trace,
): number {
  const lines = Math.max(was.length, is.length);
  return Array.from({ length: lines }, (_, line) => was[line] !== is[line]).filter(Boolean).length;
}

/** The effects of a patch between two traces. Headers are not compared; equal boots have an empty view. */
export function effectBetween(patch: number, before: Trace, after: Trace): EffectView {
  const difference: Difference = { ...compare(before, after), header: [] };
  if (isSame(difference)) return {};
  const regions = regionEffects(before, after);
  const screen = screenEffect(before, after);
  const reports = reportChanges(reportsOf(before), reportsOf(after));
  const steps = effectSteps(difference.steps, patch);
  const ends = { before: outcomeText(before.outcome), after: outcomeText(after.outcome) };
  return {
    ...(ends.before !== ends.after && { outcome: ends }),
    ...consumedEffects(before, after),
    ...(some(regions) && { regions }),
    ...(screen > 0 && { screen }),
    ...(some(reports) && { reports }),
    ...(some(steps) && { steps }),
    digest: digestOf(new TextEncoder().encode(differenceText(difference, undefined, 'before'))),
  };
}

/** The differences in the results of call scripts. */
export function scriptEffects(answers: readonly ScriptAnswers[]): ScriptEffect[] {
  return answers.flatMap(({ probe, before, after }) =>
    plainDifferences(before, after).map(({ field, expected, found }) => ({
      probe,
      field,
      ...(expected !== undefined && { before: expected }),
      ...(found !== undefined && { after: found }),
    })),
  );
}
