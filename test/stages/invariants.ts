/** What holds of every boot, whatever the scenario and the stage: one describe block for each of them. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { printTrace } from '../../src/trace/yaml-out.js';
import type { Trace } from '../../src/trace/trace.js';
import { scenario } from '../helpers.js';
import { walk } from './walk.js';
import { Watched } from './watched.js';
import { LAST_STAGE } from '../../src/series/patches.js';

/** Patches 1 to 18, and none. */
export const STAGES: readonly number[] = Array.from(
  { length: LAST_STAGE + 1 },
  (_, stage) => stage,
);
/** The stage that turns encryption on. */
const TURNED_ON = 18;
/** Stages whose traces are made twice. */
const TWICE: readonly number[] = [17, 18];
/** Scenarios that encrypt nothing at any stage: no processor, option or configuration for it. */
const NEVER: readonly string[] = ['intel', 'amd-fam15h', 'option-absent', 'config-off'];
/** Scenarios whose uses of keys are watched at the stage that has some: the others tell nothing more there. */
const WATCHED_ON: readonly string[] = ['bios-minimal', 'epyc-efi'];
const TIME = 120_000;

/** A trace without the invocation in its header, which differs from stage to stage. */
export function body({ steps, consumed, final, outcome }: Trace): unknown {
  return { steps, consumed, final, outcome };
}

/** Runs a scenario at some stages and checks what must hold; gives the traces by stage, once they ran. */
export function holdsAt(name: string, stages: readonly number[]): ReadonlyMap<number, Trace> {
  const traces = new Map<number, Trace>();
  describe.each(stages)(`${name} at stage %i`, (stage) => {
    const off = stage < TURNED_ON || NEVER.includes(name);
    const keys = off || WATCHED_ON.includes(name);
    let trace: Trace;
    let uses: string[];
    let accesses: string[];
    let faults: number;
    let unanswered: readonly string[];

    beforeAll(() => {
      // Nothing of the boot is kept but what was seen of it: hundreds of machines would not fit.
      const watched = new Watched({ scenario: scenario(name), stage }, keys);
      // The kernel that is entered by kexec has all patches, whatever the stage of the first.
      if (watched.boot.labels.includes('kexec')) watched.runUpTo('kexec');
      uses = Object.keys(watched.encrypted);
      trace = watched.run();
      accesses = Object.keys(watched.plain);
      faults = watched.faults.length;
      ({ unanswered } = watched);
      traces.set(stage, trace);
    }, TIME);

    if (off) {
      test('boots to /init', () => {
        expect(trace.outcome).toEqual({ kind: 'booted', where: 'run_init' });
      });

      test('reaches memory through no key, be it a CPU, a walk, a cache line or a device', () => {
        expect(uses).toEqual([]);
      });

      test('reads everything as it was put there', () => {
        const first = trace.consumed.filter((consumed) => !consumed.name.startsWith('kexec '));
        expect(first.length).toBeGreaterThan(5);
        expect(first.filter(({ intact }) => !intact)).toEqual([]);
      });
    } else if (keys) {
      test('reaches memory through a key, so that the watcher of keys has something to see', () => {
        const seen = ['fetch', 'fill', 'owner', 'read', 'translation', 'write', 'write-back'];
        expect(uses).toEqual(expect.arrayContaining(seen));
      });
    }

    if (keys) {
      test('is watched at every kind of access, so that none goes by unseen', () => {
        const seen = ['fetch', 'fill', 'read', 'translation', 'write', 'write-back'];
        if (scenario(name).machine.devices.length > 0) seen.push('device read', 'device write');
        expect(accesses).toEqual(expect.arrayContaining(seen));
      });
    }

    test('makes the access of each fault again, or ends and names it', () => {
      expect(faults).toBeGreaterThan(0);
      expect(unanswered).toEqual([]);
    });

    test('says where and why it ends, and ends as the scenario expects', () => {
      const { kind, where, message } = trace.outcome;
      expect(where).toMatch(/./);
      if (kind !== 'booted') expect(message).toMatch(/./);
      if (stage === TURNED_ON) expect(kind).toBe(scenario(name).expect?.outcome ?? kind);
    });

    if (TWICE.includes(stage)) {
      test(
        'writes the same trace when nobody watches, and from the snapshot at each label',
        () => {
          const { wrong, steps, traces } = walk({ scenario: scenario(name), stage });
          expect(wrong).toEqual([]);
          expect(steps).toBeGreaterThan(1);
          expect(traces).toEqual([printTrace(trace), printTrace(trace)]);
        },
        TIME,
      );
    }
  });
  return traces;
}

/** Stages whose patch changes nothing of a boot without encryption: their traces differ in the header alone. */
export function sameAsBefore(
  name: string,
  traces: ReadonlyMap<number, Trace>,
  stages: readonly number[],
): void {
  describe(`${name} with encryption off`, () => {
    test('boots differently at each other stage, and alike where the patch needs a key', () => {
      const same = STAGES.filter((stage) => {
        const [before, after] = [traces.get(stage - 1), traces.get(stage)];
        if (before === undefined || after === undefined) return false;
        return JSON.stringify(body(before)) === JSON.stringify(body(after));
      });
      expect(same).toEqual(stages);
    });
  });
}
