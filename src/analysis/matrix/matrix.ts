/**
 * The series without each of its hunks, on one scenario. The whole series boots once, with a checkpoint at each label.
 * The boot without a hunk resumes from the step in which that hunk first ran; while it differs from the checkpoints only
 * in state that the next steps do not access, these steps are skipped. Rows are read from the machine and the trace.
 */
import type { Hunk } from '../../kernel/hunk.js';
import { commandLine } from '../../base/shell-words.js';
import { Boot, type BootOptions } from '../../sequencer/boot.js';
import { garbageOf } from '../../sequencer/expected.js';
import { deepEqual } from '../checkpoint/deep-equal.js';
import { LAST_STAGE } from '../../series/patches.js';
import { unmetBy } from '../../series/without.js';
import { compose, selectionFlags, type HunkSelection } from '../../series/compose.js';
import { reportChanges } from '../../check/report-changes.js';
import type { SanitizerReport } from '../../trace/report.js';
import type { ReadCheck } from '../../trace/integrity.js';
import type { Consumed, Outcome } from '../../trace/trace.js';
import { wrongRead } from './key-mismatch.js';
import { differenceOf, causeOf } from './cause.js';
import type { MatrixRow, MatrixScenario, WrongRead } from './report.js';
import type { Run, StepPair } from './run.js';
import {
  diffFrom,
  checkpointsOf,
  isAffected,
  resumeFrom,
  watchedDiff,
  type CheckpointDiff,
  type Checkpoint,
} from '../checkpoint/checkpoint.js';

/** A hunk and how it is left out. */
export interface LeftOut {
  readonly hunk: Hunk;
  readonly how: MatrixRow['how'];
}

/** All hunks of a selection, each with the way in which it can be left out. */
export function removableHunks(selection: HunkSelection): LeftOut[] {
  const { hunks } = compose(selection);
  return hunks.map((hunk) => {
    const staying = hunks.filter((other) => other !== hunk);
    return { hunk, how: unmetBy(new Set([hunk]), staying).length > 0 ? 'stub' : 'out' };
  });
}

/** A selection without one of its hunks; without an alternative, the hunk that it replaced is back. */
export function withoutHunk(selection: HunkSelection, { hunk, how }: LeftOut): HunkSelection {
  const { without = [], stub = false, with: alternatives = [] } = selection;
  if (alternatives.includes(hunk.id)) {
    return { ...selection, with: alternatives.filter((id) => id !== hunk.id) };
  }
  return { ...selection, without: [...without, hunk.id], stub: stub || how === 'stub' };
}

const key = ({ name, by }: Pick<Consumed, 'name' | 'by'>): string => JSON.stringify([name, by]);

export class Matrix {
  readonly scenario: MatrixScenario;
  readonly hunks: readonly LeftOut[];
  private readonly boot: Boot;
  private readonly checkpoints: readonly Checkpoint[];
  private readonly consumed: readonly Consumed[];
  private readonly intact: ReadonlySet<string>;
  private readonly outcome: Outcome;
  private readonly encrypted: boolean;
  private readonly reports: readonly SanitizerReport[];

  /** Boots the whole series. */
  constructor(private readonly options: BootOptions) {
    this.hunks = removableHunks(options);
    this.boot = new Boot(options);
    // A configuration option affects every step.
    const always = this.hunks.flatMap(({ hunk }) => (hunk.options === undefined ? [] : hunk.id));
    const { checkpoints, outcome } = checkpointsOf(this.boot, always);
    this.checkpoints = checkpoints;
    this.outcome = outcome;
    this.consumed = this.boot.recorder.consumedSoFar;
    this.reports = [...this.boot.reports()];
    this.encrypted = this.boot.machine.dram.encrypted;
    this.intact = new Set(this.consumed.filter(({ intact }) => intact).map(key));
    this.scenario = {
      name: options.scenario.name,
      digest: options.scenarioDigest,
      outcome: this.outcome,
      garbage: garbageOf({ consumed: [...this.consumed], outcome: this.outcome }),
    };
  }

  /** The row of one hunk. */
  row({ hunk, how }: LeftOut): MatrixRow {
    const first = this.checkpoints.find(({ uses }) => uses.has(hunk.id));
    const run = first === undefined ? undefined : this.runWithout({ hunk, how }, first);
    const consumed = run?.consumed ?? this.consumed;
    const found = new Map(consumed.map((each) => [key(each), each.intact]));
    const whole = new Map(this.consumed.map((each) => [key(each), each.intact]));
    const names = (all: readonly Consumed[], is: (each: Consumed) => boolean): string[] => [
      ...new Set(all.filter(is).map(({ name }) => name)),
    ];
    const lost = names(this.consumed, (each) => each.intact && found.get(key(each)) !== true);
    const gained = names(consumed, (each) => each.intact && whole.get(key(each)) !== true);
    const outcome = run?.outcome ?? this.outcome;
    const difference = run?.differs === undefined ? undefined : differenceOf(run.differs);
    const reports = run === undefined ? [] : reportChanges(this.reports, run.reports);
    const same = deepEqual(outcome, this.outcome) && deepEqual(consumed, this.consumed);
    return {
      scenario: this.scenario.name,
      hunk: hunk.id,
      file: hunk.file,
      what: hunk.what,
      how,
      ...(first === undefined ? {} : { firstUse: first.label }),
      outcome,
      same,
      ...(run?.wrong === undefined ? {} : { wrong: run.wrong }),
      lost,
      gained,
      ...(difference === undefined ? {} : { difference }),
      ...(reports.length === 0 ? {} : { reports }),
      encrypted: run?.encrypted ?? this.encrypted,
      cause: run === undefined ? 'this boot never runs it' : causeOf(run, difference),
      command: commandOf(this.options, { hunk, how }),
    };
  }

  private runWithout({ hunk, how }: LeftOut, first: Checkpoint): Run {
    const { boot } = this;
    boot.relink(withoutHunk(this.options, { hunk, how }));
    let wrong: WrongRead | undefined;
    boot.recorder.onReadCheck((check: ReadCheck) => {
      if (!check.intact && this.intact.has(key(check))) wrong ??= wrongRead(boot, check);
    });
    let differs: StepPair | undefined;
    let at = this.checkpoints.indexOf(first);
    // Whether the rest of the boot is that of the whole series, and the reports then.
    let stopped = false;
    let { reports } = this;
    boot.restore(first.snapshot);
    while (boot.outcome === null) {
      const checkpoint = this.checkpoints[at];
      const label = boot.ahead[0] ?? '';
      boot.kernel.trace.reads ??= [];
      boot.kernel.trace.on = differs === undefined;
      boot.step();
      if (differs === undefined) {
        const events = boot.recorder.eventsOf(label);
        if (!deepEqual(events, checkpoint?.events)) {
          differs = { label, before: checkpoint?.events ?? [], after: events };
        }
      }
      at++;
      const next = this.checkpoints[at];
      const diff = next && boot.outcome === null ? diffFrom(boot, next) : undefined;
      if (diff === undefined) continue;
      const wanted = this.nextAffected(at, hunk.id, diff);
      if (wanted === at) continue;
      const last = this.checkpoints.length - 1;
      const { sanitizer } = boot;
      const watched =
        sanitizer === null
          ? undefined
          : watchedDiff(boot, sanitizer, this.checkpoints.slice(at, (wanted ?? last) + 1));
      if (sanitizer !== null && watched === undefined) continue;
      const to = watched === undefined ? wanted : at + watched.steps;
      const target = this.checkpoints[to ?? last];
      if (to === undefined || (wanted === undefined && to === last)) {
        if (watched !== undefined && target !== undefined) {
          resumeFrom(boot, target, diff, this.checkpoints.slice(at, last), watched);
          reports = boot.reports();
        }
        stopped = true;
        break;
      }
      if (target !== undefined) {
        resumeFrom(boot, target, diff, this.checkpoints.slice(at, to), watched);
        at = to;
      }
    }
    if (!stopped) boot.watchScreen();
    boot.recorder.onReadCheck(null);
    return {
      boot,
      outcome: stopped ? this.outcome : (boot.outcome ?? this.outcome),
      consumed: stopped ? this.consumed : boot.recorder.consumedSoFar,
      wrong,
      differs,
      reports: stopped ? reports : [...boot.reports()],
      encrypted: stopped ? this.encrypted : boot.machine.dram.encrypted,
    };
  }

  /**
   * Index of the next step that runs the hunk or accesses state in which the boot differs, at the latest the last step;
   * undefined if the boot does not differ and the hunk does not run again.
   */
  private nextAffected(at: number, hunk: string, diff: CheckpointDiff): number | undefined {
    const step = this.checkpoints.findIndex(
      (checkpoint, i) => i >= at && (checkpoint.uses.has(hunk) || isAffected(checkpoint, diff)),
    );
    if (step >= 0) return step;
    const { places, entries, sameReadChecks } = diff;
    const none = [places.lines, places.pat, entries].every(({ length }) => length === 0);
    // The last step is always run, to get the outcome; the last checkpoint is after the end.
    return sameReadChecks && none ? undefined : Math.max(at, this.checkpoints.length - 2);
  }
}

/** The command that shows the boot of a row. */
function commandOf(options: BootOptions, leftOut: LeftOut): string {
  const { scenario, settings = {} } = options;
  const { stage, ...others } = withoutHunk(options, leftOut);
  const words = [
    ...Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${String(value)}`]),
    // The last stage is the default.
    ...selectionFlags(stage === LAST_STAGE ? others : { stage, ...others }),
    ...(options.ownHunks ?? []).flatMap(({ path }) =>
      path === undefined ? [] : ['--hunks', path],
    ),
  ];
  return commandLine(['sme-boot', 'run', scenario.name, ...words]);
}
