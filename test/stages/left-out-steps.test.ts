/**
 * A boot that skips steps must have the state that it would have if it had run them: each hunk's boot is run step by
 * step, and from each step on advanced by the checkpoints of the whole series as far as they apply.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { removableHunks, withoutHunk, type LeftOut } from '../../src/analysis/matrix/matrix.js';
import { diffMachines } from '../../src/analysis/checkpoint/machine-diff.js';
import { diffStates } from '../../src/analysis/checkpoint/tracked-entries.js';
import {
  diffFrom,
  resumeFrom,
  isAffected,
  checkpointsOf,
  type Checkpoint,
} from '../../src/analysis/checkpoint/checkpoint.js';
import type { Boot, BootOptions, BootSnapshot } from '../../src/sequencer/boot.js';
import { boot, scenario } from '../helpers.js';

interface Series {
  readonly options: BootOptions;
  readonly subject: Boot;
  readonly checkpoints: readonly Checkpoint[];
  readonly hunks: readonly LeftOut[];
}

function series(name: string): Series {
  const subject = boot({ scenario: scenario(name) });
  const hunks = removableHunks(subject.options);
  const always = hunks.flatMap(({ hunk }) => (hunk.options === undefined ? [] : hunk.id));
  return { options: subject.options, subject, hunks, ...checkpointsOf(subject, always) };
}

/** Snapshots of the boot without a hunk before each step from the hunk's first use on, with no step skipped. */
function stops({ subject, checkpoints }: Series, first: number): Map<number, BootSnapshot> {
  const found = new Map<number, BootSnapshot>();
  subject.restore((checkpoints[first] as Checkpoint).snapshot);
  subject.kernel.trace.on = false;
  for (let at = first; subject.step();) found.set(++at, subject.snapshot());
  return found;
}

/** The differences of a boot that skipped steps from the snapshot of the boot that ran them. */
function missing(subject: Boot, ran: BootSnapshot): string[] {
  const lines = diffMachines(
    subject.machine.view(),
    ran.machine,
    subject.machine.config.cache.ways,
    subject.machine.engine,
  );
  const entries = diffStates(subject.kernel.state, ran.kernel);
  const { consumed } = ran.recorder.integrity;
  return [
    ...(lines === undefined
      ? ['the machine, not only lines']
      : lines.lines.map((n) => `line ${n}`)),
    ...(entries === undefined ? ['the kernel, not only entries'] : entries.map(({ key }) => key)),
    ...(JSON.stringify(subject.recorder.consumedSoFar) === JSON.stringify(consumed)
      ? []
      : ['read checks']),
    ...(subject.ahead[0] === subject.labels[ran.next] ? [] : ['the label']),
  ];
}

/** Checks each step that the boot without a hunk may skip; returns how many there are. */
function check(all: Series, leftOut: LeftOut): number {
  const { subject, checkpoints, options } = all;
  const { id } = leftOut.hunk;
  const first = checkpoints.findIndex(({ uses }) => uses.has(id));
  if (first < 0) return 0;
  subject.relink(withoutHunk(options, leftOut));
  const ran = stops(all, first);
  let skipped = 0;
  for (const [at, stop] of ran) {
    subject.restore(stop);
    const differences = diffFrom(subject, checkpoints[at] as Checkpoint);
    if (differences === undefined) continue;
    for (let to = at; to < checkpoints.length - 2; to++) {
      const step = checkpoints[to] as Checkpoint;
      if (step.uses.has(id) || isAffected(step, differences)) break;
      subject.restore(stop);
      const again = diffFrom(subject, checkpoints[at] as Checkpoint);
      if (again === undefined) throw new Error('the same stop has no difference');
      resumeFrom(subject, checkpoints[to + 1] as Checkpoint, again, checkpoints.slice(at, to + 1));
      expect([id, at, to + 1, missing(subject, ran.get(to + 1) as BootSnapshot)]).toEqual([
        id,
        at,
        to + 1,
        [],
      ]);
      skipped++;
    }
  }
  return skipped;
}

describe('on bios-minimal', () => {
  let all: Series;
  beforeAll(() => {
    all = series('bios-minimal');
  }, 60_000);

  test('each skipped step would have changed only what it changes in the whole series', () => {
    const steps = new Map(all.hunks.map((each) => [each.hunk.id, check(all, each)]));
    const some = [...steps].filter(([, count]) => count > 0).map(([id]) => id);
    expect(some).toEqual(
      expect.arrayContaining(['04/scattered', '09/initrd', '15/setup_real_mode']),
    );
  }, 300_000);
});

describe('on epyc-efi', () => {
  let all: Series;
  beforeAll(() => {
    all = series('epyc-efi');
  }, 60_000);

  test('a boot with the trace off ends in the same state', () => {
    const { subject, checkpoints } = all;
    subject.relink(all.options);
    subject.restore((checkpoints[0] as Checkpoint).snapshot);
    subject.kernel.trace.on = false;
    while (subject.step());
    subject.watchScreen();
    expect(missing(subject, (checkpoints.at(-1) as Checkpoint).snapshot)).toEqual([]);
  }, 60_000);

  test.each([
    '01/pat_init',
    '04/scattered',
    '05/get_cpu_cap',
    '07/pgtable_types',
    '08/sme_early_mem',
    '09/initrd',
    '10/quirks',
    '13/pci-swiotlb',
    '15/realmode-header',
  ])(
    'each step skipped without %s would have changed nothing else',
    (id) => {
      const [leftOut] = all.hunks.filter(({ hunk }) => hunk.id === id);
      expect(check(all, leftOut as LeftOut)).toBeGreaterThan(0);
    },
    120_000,
  );
});
