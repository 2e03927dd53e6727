/**
 * Where the whole series stood at a label, with what its step is about; whether another boot stands there too but for
 * some lines of memory, slots of the PAT and entries of the kernel's state; and going on from a later stand when no step
 * between is about those.
 *
 * A step reads only what it touches. Where two boots differ in nothing but places that it does not touch, it does the
 * same in both, and leaves them different in the same places.
 */
import type { KernelState } from '../../kernel/state.js';
import type { LinkedEntry } from '../../kernel/table.js';
import { LineSet } from '../../machine/memory/line-set.js';
import type { MachineSnapshot } from '../../machine/machine.js';
import type { Boot, BootSnapshot } from '../../sequencer/boot.js';
import type { RecorderState } from '../../trace/recorder.js';
import type { Consumed, Outcome, TraceEvent } from '../../trace/trace.js';
import { deepEqual } from './deep-equal.js';
import { diffMachines, withThose, type MachineDiff } from './machine-diff.js';
import { putEntries, diffStates, Touched, trackFields, type Entry } from './tracked-entries.js';

/** The whole series before a step, and the step. */
export interface Checkpoint {
  readonly label: string;
  readonly snapshot: BootSnapshot;
  /** Hunks that run in the step. */
  readonly uses: ReadonlySet<string>;
  readonly events: readonly TraceEvent[];
  /** Lines of memory that it reads or writes. */
  readonly touches: LineSet;
  /** Slots of the PAT that it uses. */
  readonly patSlots: ReadonlySet<number>;
  /** Entries of the kernel's state that it reads or writes. */
  readonly touchedState: Touched;
  /** What consumers look at in it, one entry for each look. */
  readonly readChecks: readonly Consumed[];
}

/**
 * Runs a boot whose loader has not run yet to its end: a stand before each step, and one behind the end. `always` are
 * hunks that count as running in every step.
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
    boot.machine.watchLines(touches);
    boot.machine.patSlots = patSlots;
    boot.recorder.keepReadChecks(readChecks);
    const unwatch = trackFields(boot.kernel.state, touchedState);
    boot.step();
    unwatch();
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
  boot.machine.watchLines(null);
  boot.machine.patSlots = null;
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
 * A boot that stands where the whole series stood, but for some places and for what was read before. Machine and kernel
 * are the boot's own: they are good until it goes on.
 */
export interface CheckpointDiff {
  readonly machine: MachineSnapshot;
  readonly kernel: KernelState;
  readonly recorder: RecorderState;
  readonly places: MachineDiff;
  readonly entries: readonly Entry[];
  /** Whether all that was read is the same too. */
  readonly sameReadChecks: boolean;
}

/** How a boot before a step differs from the stand there; undefined where it differs in more than such places. */
export function diffFrom(
  boot: Boot,
  { label, snapshot: stood }: Checkpoint,
): CheckpointDiff | undefined {
  const { state: kernel } = boot.kernel;
  if ((boot.ahead[0] ?? '') !== label || !deepEqual(boot.outcome, stood.outcome)) return undefined;
  // The machine first: most boots that have gone another way have other registers, which is soon seen.
  const machine = boot.machine.view();
  const places = diffMachines(machine, stood.machine, boot.machine.config.cache.ways);
  if (places === undefined) return undefined;
  const entries = diffStates(kernel, stood.kernel);
  if (entries === undefined) return undefined;

  const recorder = boot.recorder.snapshot();
  const [ours, theirs] = [recorder.integrity, stood.recorder.integrity];
  const same =
    deepEqual(recorder.scopes, stood.recorder.scopes) &&
    deepEqual(ours.produced, theirs.produced) &&
    ours.prefix === theirs.prefix;
  if (!same) return undefined;
  const sameReadChecks = deepEqual(ours.consumed, theirs.consumed);
  return { machine, kernel, recorder, places, entries, sameReadChecks };
}

/** Whether a step is about something in which a boot differs. */
export function isAbout(stand: Checkpoint, { places, entries }: CheckpointDiff): boolean {
  return (
    places.lines.some((line) => stand.touches.has(line)) ||
    places.pat.some(({ slot }) => stand.patSlots.has(slot)) ||
    entries.some((entry) => stand.touchedState.has(entry))
  );
}

/** Goes on from a later stand as the boot would stand there; `between` are the stands whose steps are left out. */
export function goOnFrom(
  boot: Boot,
  stand: Checkpoint,
  apart: CheckpointDiff,
  between: readonly Checkpoint[],
): void {
  const { recorder, machine } = stand.snapshot;
  const names = [...recorder.names];
  const origin = (number: number): number => {
    const name = apart.recorder.names[number] ?? '';
    const known = names.indexOf(name);
    return known < 0 ? names.push(name) - 1 : known;
  };
  const { consumed } = apart.recorder.integrity;
  boot.restore({
    ...stand.snapshot,
    machine: withThose(machine, apart.machine, apart.places, origin),
    recorder: { ...recorder, names, integrity: { ...recorder.integrity, consumed } },
  });
  putEntries(boot.kernel.state, apart.kernel, apart.entries);
  boot.recorder.replayReadChecks(between.flatMap(({ readChecks }) => readChecks));
}
