/** Compares rows of a matrix with complete boots. */
import { reportChanges } from '../../../src/check/report-changes.js';
import { expect } from '@jest/globals';
import { wrongRead } from '../../../src/analysis/matrix/key-mismatch.js';
import type { Matrix } from '../../../src/analysis/matrix/matrix.js';
import type { Run } from '../../../src/analysis/matrix/run.js';
import { differenceOf, causeOf } from '../../../src/analysis/matrix/cause.js';
import type { MatrixRow, WrongRead } from '../../../src/analysis/matrix/report.js';
import type { Boot, BootOptions } from '../../../src/sequencer/boot.js';
import type { Consumed, TraceEvent } from '../../../src/trace/trace.js';
import { boot, scenario } from '../../helpers.js';

export const optionsOf = (name: string): BootOptions => boot({ scenario: scenario(name) }).options;

/** A complete boot, with all wrong reads. */
export interface Whole {
  readonly boot: Boot;
  readonly consumed: readonly Consumed[];
  readonly events: ReadonlyMap<string, readonly TraceEvent[]>;
  readonly wrong: readonly WrongRead[];
}

export function whole(options: BootOptions): Whole {
  const subject = boot(options);
  const wrong: WrongRead[] = [];
  subject.recorder.onReadCheck((check) => {
    if (!check.intact) wrong.push(wrongRead(subject, check));
  });
  const events = new Map<string, readonly TraceEvent[]>();
  for (let going = true; going;) {
    const [label = ''] = subject.ahead;
    subject.kernel.trace.reads ??= [];
    going = subject.step();
    events.set(label, subject.recorder.eventsOf(label));
  }
  return { boot: subject, consumed: subject.recorder.consumedSoFar, events, wrong };
}

type Told = Pick<
  MatrixRow,
  'outcome' | 'same' | 'wrong' | 'lost' | 'gained' | 'difference' | 'encrypted'
>;

/** The expected row, from the two complete boots. */
function expected(series: Whole, less: Whole): Told & { cause: string } {
  const intactIn = ({ consumed }: Whole, { name, by }: Pick<Consumed, 'name' | 'by'>): boolean =>
    consumed.some((each) => each.name === name && each.by === by && each.intact);
  const names = (from: Whole, to: Whole): string[] => [
    ...new Set(
      from.consumed.filter((each) => each.intact && !intactIn(to, each)).map(({ name }) => name),
    ),
  ];
  const outcome = less.boot.outcome ?? { kind: 'booted' };
  const wrong = less.wrong.find(({ name, reader }) => intactIn(series, { name, by: reader }));
  const step = [...less.events].find(
    ([label, events]) => JSON.stringify(events) !== JSON.stringify(series.events.get(label)),
  );
  const differs =
    step === undefined
      ? undefined
      : { label: step[0], before: series.events.get(step[0]) ?? [], after: step[1] };
  const { encrypted } = less.boot.machine.dram;
  const reports = less.boot.reports();
  const { boot, consumed } = less;
  const run: Run = { boot, outcome, consumed, wrong, differs, reports, encrypted };
  const changes = reportChanges(series.boot.reports(), reports);
  const difference = differs === undefined ? undefined : differenceOf(differs);
  return {
    outcome,
    same:
      JSON.stringify(outcome) === JSON.stringify(series.boot.outcome) &&
      JSON.stringify(less.consumed) === JSON.stringify(series.consumed),
    ...(wrong === undefined ? {} : { wrong }),
    lost: names(series, less),
    gained: names(less, series),
    ...(difference === undefined ? {} : { difference }),
    ...(changes.length === 0 ? {} : { reports: changes }),
    encrypted,
    cause: causeOf(run, difference),
  };
}

/** Checks the row of a hunk against the complete boot, including fields that must be absent. */
export function holds(matrix: Matrix, series: Whole, id: string): MatrixRow {
  const leftOut = matrix.hunks.find(({ hunk }) => hunk.id === id);
  if (leftOut === undefined) throw new Error(`no hunk ${id}`);
  const row = matrix.row(leftOut);
  const less = whole({
    ...series.boot.options,
    without: [id],
    stub: leftOut.how === 'stub',
  });
  const { hunk: _h, file: _f, what: _w, how: _o, scenario: _s, command: _c, ...compared } = row;
  const { firstUse, ...fields } = compared;
  const fromBoots = expected(series, less);
  if (firstUse === undefined) {
    expect(fromBoots).toMatchObject({ same: true, cause: 'nothing runs differently' });
    expect(fields).toEqual({ ...fromBoots, cause: 'this boot never runs it' });
  } else {
    expect(fields).toEqual(fromBoots);
  }
  return row;
}
