/**
 * Checkpoints: the state of the whole series' boot at each label, and what the label's step accesses. Another boot is
 * compared with a checkpoint; if it differs only in lines of memory, PAT slots and entries of the kernel's state that
 * the next steps do not access, these steps are skipped and the boot resumes from a later checkpoint.
 *
 * This is sound because a step depends only on what it accesses: if two boots differ only in state that a step does not
 * access, the step does the same in both, and they differ in the same state after it.
 */
import type { KernelState } from '../../kernel/state.js';
import type { LinkedEntry } from '../../kernel/table.js';
import { LineSet } from '../../machine/memory/line-set.js';
import type { MachineSnapshot } from '../../machine/machine.js';
import type { Sanitizer, SanitizerSnapshot } from '../../sanitizer/sanitizer.js';
import type { Boot, BootSnapshot } from '../../sequencer/boot.js';
import { sanitizerHost } from '../../sequencer/sanitizer-host.js';
import type { RecorderState } from '../../trace/recorder.js';
import type { Consumed, Outcome, TraceEvent } from '../../trace/trace.js';
import { deepEqual } from './deep-equal.js';
import { applyDiff, diffMachines, type MachineDiff } from './machine-diff.js';
import {
  applySanitizerDiff,
  diffSanitizers,
  reportsAfter,
  type SanitizerDiff,
} from './sanitizer-diff.js';
import { copyEntries, diffStates, Touched, trackFields, type Entry } from './tracked-entries.js';

/** The boot of the whole series before a step, and what the step does. */
export interface Checkpoint {
  readonly label: string;
  readonly snapshot: BootSnapshot;
  /** Ids of the hunks that run in the step. */
  readonly uses: ReadonlySet<string>;
  readonly events: readonly TraceEvent[];
  /** Lines of memory that the step reads or writes. */
  readonly touches: LineSet;
  /** PAT slots that the step uses. */
  readonly patSlots: ReadonlySet<number>;
  /** Entries of the kernel's state that the step reads or writes. */
  readonly touchedState: Touched;
  /** The read checks in the step, in order. */
  readonly readChecks: readonly Consumed[];
}

/**
 * Runs a boot whose loader has not run yet to its end. Returns a checkpoint before each step and one after the end.
 * `always`: ids of hunks that count as running in every step.
 */
export function checkpointsOf(
  boot: Boot,
  always: readonly string[] = [],
): { checkpoints: Checkpoint[]; outcome: Outcome } {
  const checkpoints: Checkpoint[] = [];
  boot.step();
  while (boot.outcome === null) {
    const label = boot.ahead[0] ?? '';
    const snapshot = boot.snapshot();
    const ran = new Set<LinkedEntry>();
    const [touches, patSlots] = [new LineSet(), new Set<number>()];
    const [touchedState, readChecks] = [new Touched(), [] as Consumed[]];
    boot.kernel.uses = ran;
    const stop = [
      boot.machine.watchLines(touches),
      boot.machine.probes.patSlotUsed.listen((slot) => patSlots.add(slot)),
      trackFields(boot.kernel.state, touchedState),
    ];
    // The sanitizer looks at the lines that a CLFLUSH names, also if they are not cached.
    if (boot.sanitizer !== null) {
      stop.push(
        boot.machine.probes.linesFlushed.listen((_cpu, _va, start, length) => {
          touches.add(start, length);
        }),
      );
    }
    boot.recorder.keepReadChecks(readChecks);
    boot.step();
    for (const end of stop) end();
    const uses = new Set([...[...ran].flatMap((entry) => entry.hunks ?? []), ...always]);
    const events = boot.recorder.eventsOf(label);
    checkpoints.push({
      label,
      snapshot,
      uses,
      events,
      touches,
      patSlots,
      touchedState,
      readChecks,
    });
  }
  boot.kernel.uses = null;
  boot.recorder.keepReadChecks(null);
  boot.watchScreen();
  const touched = {
    touches: new LineSet(),
    patSlots: new Set<number>(),
    touchedState: new Touched(),
  };
  const end = { label: '', uses: new Set<string>(), events: [], readChecks: [], ...touched };
  checkpoints.push({ ...end, snapshot: boot.snapshot() });
  return { checkpoints, outcome: boot.outcome };
}

/**
 * The difference of a boot from a checkpoint, if it is limited to lines of memory, PAT slots, entries of the kernel's
 * state and read checks. Machine and kernel are the boot's own objects: valid until its next step.
 */
export interface CheckpointDiff {
  readonly machine: MachineSnapshot;
  readonly kernel: KernelState;
  readonly recorder: RecorderState;
  readonly places: MachineDiff;
  readonly entries: readonly Entry[];
  /** Whether the read checks so far are the same. */
  readonly sameReadChecks: boolean;
}

/** The difference of a boot before a step from the checkpoint there; undefined if it differs in any other state. */
export function diffFrom(
  boot: Boot,
  { label, snapshot: reference }: Checkpoint,
): CheckpointDiff | undefined {
  const { state: kernel } = boot.kernel;
  if ((boot.ahead[0] ?? '') !== label || !deepEqual(boot.outcome, reference.outcome))
    return undefined;
  // The machine first: most boots that diverged have other registers, which is found quickly.
  const machine = boot.machine.view();
  const { config, engine } = boot.machine;
  const places = diffMachines(machine, reference.machine, config.cache.ways, engine);
  if (places === undefined) return undefined;
  const entries = diffStates(kernel, reference.kernel);
  if (entries === undefined) return undefined;

  const recorder = boot.recorder.snapshot();
  const [ours, theirs] = [recorder.integrity, reference.recorder.integrity];
  const same =
    deepEqual(recorder.scopes, reference.recorder.scopes) &&
    deepEqual(ours.produced, theirs.produced) &&
    ours.prefix === theirs.prefix;
  if (!same) return undefined;
  const sameReadChecks = deepEqual(ours.consumed, theirs.consumed);
  return { machine, kernel, recorder, places, entries, sameReadChecks };
}

/** Whether the step of a checkpoint accesses state in which a boot differs. */
export function isAffected(checkpoint: Checkpoint, { places, entries }: CheckpointDiff): boolean {
  return (
    places.lines.some((line) => checkpoint.touches.has(line)) ||
    places.pat.some(({ slot }) => checkpoint.patSlots.has(slot)) ||
    entries.some((entry) => checkpoint.touchedState.has(entry))
  );
}

/** The difference in what the sanitizer has, and the reports at the checkpoint from which a boot resumes. */
export interface WatchedDiff {
  readonly diff: SanitizerDiff;
  readonly reports: SanitizerSnapshot['reports'];
}

/**
 * The difference of a boot's sanitizer from that of a checkpoint, `skipped[0]`, at the last checkpoint before which none of
 * the steps of `skipped` depends on it, and the number of these steps; undefined if that is none, or if it differs in more
 * than lines. The last of `skipped` is the checkpoint after these steps.
 */
export function watchedDiff(
  boot: Boot,
  sanitizer: Sanitizer,
  skipped: readonly Checkpoint[],
): (WatchedDiff & { readonly steps: number }) | undefined {
  const theirs = skipped[0]?.snapshot.sanitizer;
  if (theirs === undefined) return undefined;
  const ours = sanitizer.snapshot();
  const diff = diffSanitizers(ours, theirs, sanitizerHost(boot).owned());
  if (diff === undefined) return undefined;
  let { reports } = ours;
  let steps = 0;
  for (const [index, { touches, snapshot }] of skipped.entries()) {
    const after = skipped[index + 1]?.snapshot.sanitizer;
    if (after === undefined || diff.lines.some((line) => touches.has(line))) break;
    const next = reportsAfter(reports, snapshot.sanitizer?.reports ?? [], after.reports);
    if (next === undefined) break;
    reports = next;
    steps++;
  }
  return steps === 0 ? undefined : { diff, reports, steps };
}

/**
 * Restores a later checkpoint with the boot's difference applied. `skipped`: the checkpoints whose steps are not run.
 */
export function resumeFrom(
  boot: Boot,
  checkpoint: Checkpoint,
  diff: CheckpointDiff,
  skipped: readonly Checkpoint[],
  watched?: WatchedDiff,
): void {
  const { recorder, machine, sanitizer } = checkpoint.snapshot;
  const names = [...recorder.names];
  const origin = (number: number): number => {
    const name = diff.recorder.names[number] ?? '';
    const known = names.indexOf(name);
    return known < 0 ? names.push(name) - 1 : known;
  };
  const { consumed } = diff.recorder.integrity;
  boot.restore({
    ...checkpoint.snapshot,
    machine: applyDiff(machine, diff.machine, diff.places, origin),
    recorder: { ...recorder, names, integrity: { ...recorder.integrity, consumed } },
    ...(watched !== undefined &&
      sanitizer !== undefined && {
        sanitizer: applySanitizerDiff(sanitizer, watched.diff, watched.reports),
      }),
  });
  copyEntries(boot.kernel.state, diff.kernel, diff.entries);
  boot.recorder.replayReadChecks(skipped.flatMap(({ readChecks }) => readChecks));
}
