/** Invariants of every boot: one describe block for each scenario and stage. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { printTrace } from '../../src/trace/yaml-out.js';
import type { Trace } from '../../src/trace/trace.js';
import { scenario } from '../helpers.js';
import { walk } from './walk.js';
import { Watched } from './watched.js';
import { LAST_STAGE, TURN_ON } from '../../src/series/patches.js';

/** Stages 0 (no patch) to 18. */
export const STAGES: readonly number[] = Array.from(
  { length: LAST_STAGE + 1 },
  (_, stage) => stage,
);
/** Stages whose traces are also made without observers and from snapshots. */
const TWICE: readonly number[] = [TURN_ON - 1, TURN_ON];
/** Scenarios that encrypt nothing at any stage: processor, option or configuration is missing. */
const NEVER: readonly string[] = ['intel', 'amd-fam15h', 'option-absent', 'config-off'];
/** Scenarios whose key uses are observed also at the stage that encrypts: one small, one with all devices. */
const WATCHED_ON: readonly string[] = ['bios-minimal', 'epyc-efi'];
const TIME = 120_000;

/** A trace without its header, which differs from stage to stage. */
export function body({ steps, consumed, final, outcome }: Trace): unknown {
  return { steps, consumed, final, outcome };
}

/** Defines tests that run a scenario at some stages and check the invariants; returns the traces by stage. */
export function holdsAt(name: string, stages: readonly number[]): ReadonlyMap<number, Trace> {
  const traces = new Map<number, Trace>();
  describe.each(stages)(`${name} at stage %i`, (stage) => {
    const off = stage < TURN_ON || NEVER.includes(name);
    const keys = off || WATCHED_ON.includes(name);
    let trace: Trace;
    let uses: string[];
    let accesses: string[];
    let faults: number;
    let unanswered: readonly string[];

    beforeAll(() => {
      // Only the observations are stored, not the boots: hundreds of machines would not fit in memory.
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

      test('accesses no memory with a key, by CPU, page walk, cache line or device', () => {
        expect(uses).toEqual([]);
      });

      test('reads everything intact', () => {
        const first = trace.consumed.filter((consumed) => !consumed.name.startsWith('kexec '));
        expect(first.length).toBeGreaterThan(5);
        expect(first.filter(({ intact }) => !intact)).toEqual([]);
      });
    } else if (keys) {
      test('accesses memory with a key in every way that is observed', () => {
        const seen = ['fetch', 'fill', 'owner', 'read', 'translation', 'write', 'write-back'];
        expect(uses).toEqual(expect.arrayContaining(seen));
      });
    }

    if (keys) {
      test('is observed at every kind of access', () => {
        const seen = ['fetch', 'fill', 'read', 'translation', 'write', 'write-back'];
        if (scenario(name).machine.devices.length > 0) seen.push('device read', 'device write');
        expect(accesses).toEqual(expect.arrayContaining(seen));
      });
    }

    test('repeats the access of each fault, or ends with a message that names it', () => {
      expect(faults).toBeGreaterThan(0);
      expect(unanswered).toEqual([]);
    });

    test('has the location and the reason of its end, and ends as the scenario expects', () => {
      const { kind, where, message } = trace.outcome;
      expect(where).toMatch(/./);
      if (kind !== 'booted') expect(message).toMatch(/./);
      if (stage === TURN_ON) expect(kind).toBe(scenario(name).expect?.outcome ?? kind);
    });

    if (TWICE.includes(stage)) {
      test(
        'writes the same trace without observers, and from the snapshot at each label',
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

/** Defines a test that exactly these stages have a trace equal to that of the stage before, except the header. */
export function sameAsBefore(
  name: string,
  traces: ReadonlyMap<number, Trace>,
  stages: readonly number[],
): void {
  describe(`${name} with encryption off`, () => {
    test('has the trace of the stage before only where the patch has no effect without a key', () => {
      const same = STAGES.filter((stage) => {
        const [before, after] = [traces.get(stage - 1), traces.get(stage)];
        if (before === undefined || after === undefined) return false;
        return JSON.stringify(body(before)) === JSON.stringify(body(after));
      });
      expect(same).toEqual(stages);
    });
  });
}
