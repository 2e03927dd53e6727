/**
 * The series less each of its hunks, on one scenario. The whole series boots once and leaves a snapshot at each label;
 * the boot without a hunk goes on from the step in which that hunk first ran, and where it stands again as the whole
 * series stood, it goes on from the hunk's next use. What a row says is read off the machine and the trace.
 */
import type { Hunk } from '../kernel/hunk.js';
import type { LinkedEntry } from '../kernel/table.js';
import { Boot, type BootOptions, type BootSnapshot } from '../sequencer/boot.js';
import { garbageOf } from '../sequencer/expected.js';
import { alike } from './alike.js';
import { sameMachine } from './same-machine.js';
import { LAST_STAGE } from '../series/patches.js';
import { missed } from '../series/without.js';
import { compose, compositionWords, type Composition } from '../series/stages.js';
import type { Look } from '../trace/ghost.js';
import type { Consumed, Outcome, TraceEvent } from '../trace/trace.js';
import { wrongRead } from './blame.js';
import { differenceOf, mechanismOf } from './mechanism.js';
import type { MatrixRow, MatrixScenario, WrongRead } from './matrix-report.js';
import type { Run, StepPair } from './matrix-run.js';

/** A hunk and how it is taken away. */
export interface LeftOut {
  readonly hunk: Hunk;
  readonly how: MatrixRow['how'];
}

/** All hunks of a composition, each with the way in which it can be left out. */
export function leavable(composition: Composition): LeftOut[] {
  const { hunks } = compose(composition);
  return hunks.map((hunk) => {
    const staying = hunks.filter((other) => other !== hunk);
    return { hunk, how: missed(new Set([hunk]), staying).length > 0 ? 'neutral' : 'out' };
  });
}

/** A composition less one of its hunks: an alternative gives its place back to the hunk that it came for. */
export function less(composition: Composition, { hunk, how }: LeftOut): Composition {
  const { without = [], neutral = false, with: alternatives = [] } = composition;
  if (alternatives.includes(hunk.id)) {
    return { ...composition, with: alternatives.filter((id) => id !== hunk.id) };
  }
  return { ...composition, without: [...without, hunk.id], neutral: neutral || how === 'neutral' };
}

/** The whole series at one label. */
interface Stand {
  readonly label: string;
  readonly snapshot: BootSnapshot;
  /** Hunks that run in the step. */
  readonly uses: ReadonlySet<string>;
  readonly events: readonly TraceEvent[];
}

const key = ({ name, by }: Pick<Consumed, 'name' | 'by'>): string => JSON.stringify([name, by]);

export class Matrix {
  readonly scenario: MatrixScenario;
  readonly hunks: readonly LeftOut[];
  private readonly boot: Boot;
  private readonly stands: Stand[] = [];
  private readonly consumed: readonly Consumed[];
  private readonly intact: ReadonlySet<string>;
  private readonly outcome: Outcome;
  private readonly encrypted: boolean;

  /** Boots the whole series. */
  constructor(private readonly options: BootOptions) {
    this.hunks = leavable(options);
    this.boot = new Boot(options);
    this.outcome = this.runWhole();
    this.consumed = this.boot.recorder.consumedSoFar;
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
    const first = this.stands.find(({ uses }) => uses.has(hunk.id));
    const run = first === undefined ? undefined : this.runWithout({ hunk, how }, first);
    const consumed = run?.consumed ?? this.consumed;
    const found = new Map(consumed.map((each) => [key(each), each.intact]));
    const had = new Map(this.consumed.map((each) => [key(each), each.intact]));
    const names = (all: readonly Consumed[], is: (each: Consumed) => boolean): string[] => [
      ...new Set(all.filter(is).map(({ name }) => name)),
    ];
    const lost = names(this.consumed, (each) => each.intact && found.get(key(each)) !== true);
    const gained = names(consumed, (each) => each.intact && had.get(key(each)) !== true);
    const outcome = run?.outcome ?? this.outcome;
    const difference = run?.differs === undefined ? undefined : differenceOf(run.differs);
    const same = alike(outcome, this.outcome) && alike(consumed, this.consumed);
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
      encrypted: run?.encrypted ?? this.encrypted,
      mechanism: run === undefined ? 'this boot never uses it' : mechanismOf(run, difference),
      command: commandOf(this.options, { hunk, how }),
    };
  }

  private runWhole(): Outcome {
    const { boot } = this;
    boot.step();
    // An option of the configuration acts on whatever runs.
    const options = this.hunks.filter(({ hunk }) => hunk.options !== undefined);
    const fromTheFirst = options.map(({ hunk }) => hunk.id);
    while (boot.outcome === null) {
      const label = boot.ahead[0] ?? '';
      const snapshot = boot.snapshot();
      const entries = new Set<LinkedEntry>();
      boot.kernel.uses = entries;
      boot.step();
      const ran = [...entries].flatMap((entry) => entry.hunks ?? []);
      const uses = new Set(this.stands.length === 0 ? [...ran, ...fromTheFirst] : ran);
      this.stands.push({ label, snapshot, uses, events: boot.recorder.eventsOf(label) });
    }
    boot.watchScreen();
    this.stands.push({ label: '', snapshot: boot.snapshot(), uses: new Set(), events: [] });
    return boot.outcome;
  }

  private runWithout({ hunk, how }: LeftOut, first: Stand): Run {
    const { boot } = this;
    boot.become(less(this.options, { hunk, how }));
    let wrong: WrongRead | undefined;
    boot.recorder.onLook((look: Look) => {
      if (!look.intact && this.intact.has(key(look))) wrong ??= wrongRead(boot, look);
    });
    let differs: StepPair | undefined;
    let at = this.stands.indexOf(first);
    boot.restore(first.snapshot);
    while (boot.outcome === null) {
      const stand = this.stands[at];
      const label = boot.ahead[0] ?? '';
      boot.kernel.say.reads ??= [];
      boot.kernel.say.on = differs === undefined;
      boot.step();
      if (differs === undefined) {
        const events = boot.recorder.eventsOf(label);
        if (!alike(events, stand?.events)) {
          differs = { label, before: stand?.events ?? [], after: events };
        }
      }
      at++;
      // A boot that has come to differ is looked at where the hunk has its part: later it seldom comes back.
      const looked = differs === undefined || stand?.uses.has(hunk.id) === true;
      if (!looked || !this.standsAs(this.stands[at])) continue;
      // As the whole series stood here: what comes is the same until the hunk would run again.
      const rest = this.stands.slice(at);
      const next = rest.find((later) => later.uses.has(hunk.id));
      if (next === undefined) break;
      at = this.stands.indexOf(next);
      boot.restore(next.snapshot);
    }
    if (boot.outcome !== null) boot.watchScreen();
    boot.recorder.onLook(null);
    const stopped = boot.outcome === null;
    return {
      boot,
      outcome: boot.outcome ?? this.outcome,
      consumed: stopped ? this.consumed : boot.recorder.consumedSoFar,
      wrong,
      differs,
      encrypted: stopped ? this.encrypted : boot.machine.dram.encrypted,
    };
  }

  /** Whether the boot is where the whole series was, but for what reports alone know. */
  private standsAs(stand: Stand | undefined): boolean {
    if (stand === undefined || this.boot.outcome !== null) return false;
    const { recorder: theirs, machine: before, ...wanted } = stand.snapshot;
    const { ways } = this.boot.machine.config.cache;
    // Cheap first: most boots that have gone another way have other registers.
    const cpus = this.boot.machine.cpus.map((cpu) => cpu.snapshot());
    if (!alike(cpus, before.cpus)) return false;
    if (!alike(this.boot.recorder.consumedSoFar, theirs.ghost.consumed)) return false;
    const { recorder: _ours, machine, ...found } = this.boot.snapshot();
    return alike(found, wanted) && sameMachine(machine, before, ways);
  }
}

/** The command that shows the boot of a row. */
function commandOf(options: BootOptions, leftOut: LeftOut): string {
  const { scenario, settings = {} } = options;
  const { stage, ...others } = less(options, leftOut);
  const words = [
    ...Object.entries(settings).map(([path, value]) => `--set '${path}=${String(value)}'`),
    // The last stage goes without saying.
    ...compositionWords(stage === LAST_STAGE ? others : { stage, ...others }),
  ];
  return ['sme-boot run', scenario.name, ...words].join(' ');
}
