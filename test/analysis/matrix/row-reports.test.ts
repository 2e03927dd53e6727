/** Each row of a matrix with a wrong read has a report of the sanitizer at or before that read. */
import { describe, expect, test } from '@jest/globals';
import { removableHunks, withoutHunk, type LeftOut } from '../../../src/analysis/matrix/matrix.js';
import { Boot, type BootOptions } from '../../../src/sequencer/boot.js';
import type { ReadCheck } from '../../../src/trace/integrity.js';
import type { SanitizerReport } from '../../../src/trace/report.js';
import type { Consumed } from '../../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../../cases.js';
import { optionsOf } from './whole-boots.js';

/** Rows without such a report, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

const key = ({ name, by }: Pick<Consumed, 'name' | 'by'>): string => `${name}, read by ${by}`;

/** What makes two reports the same: all but the count, the range and the outcome, which change while a boot runs. */
const identity = ({ rule, in: by, hunk, C, cpu, what, earlier }: SanitizerReport): string =>
  JSON.stringify([rule, by, hunk, C, cpu, what, earlier]);

type Counts = ReadonlyMap<string, number>;
const countsOf = (boot: Boot): Counts =>
  new Map(boot.reports().map((report) => [identity(report), report.n ?? 1]));

/** Calls `visit` with each read check of a boot, the number of times it was made before, and the reports until then. */
function watched(
  options: BootOptions,
  visit: (check: ReadCheck, id: string, counts: () => Counts) => boolean,
): Boot {
  const boot = new Boot(options);
  const made = new Map<string, number>();
  let going = true;
  boot.recorder.onReadCheck((check) => {
    const times = made.get(key(check)) ?? 0;
    made.set(key(check), times + 1);
    going &&= visit(check, `${key(check)} ${String(times)}`, () => countsOf(boot));
  });
  while (boot.step() && going);
  return boot;
}

/** Rows with a wrong read, which are first. */
const FIRST = ['09/initrd', '06/sme_early_init', '09/bootdata'];

describe.each(firstOf(1, ['bios-minimal', 'epyc-efi']))('the rows of %s', (name) => {
  const options: BootOptions = { ...optionsOf(name), sanitize: true };
  /** The reports of the whole series at each check. */
  const usual = new Map<string, Counts>();
  const series = watched(options, (_check, id, counts) => {
    usual.set(id, counts());
    return true;
  });
  const all = countsOf(series);
  const intact = new Set(
    series.recorder.consumedSoFar.filter((each) => each.intact).map((each) => key(each)),
  );
  const wrong: string[] = [];

  const rows = removableHunks(options).map((each) => ({ ...each, id: each.hunk.id }));
  rows.sort((a, b) => Number(FIRST.includes(b.id)) - Number(FIRST.includes(a.id)));

  test.each(firstOf(FIRST.length, rows))(
    'a wrong read without $id has a report at or before it',
    (row: LeftOut) => {
      let read: string | undefined;
      const came: string[] = [];
      watched({ ...options, ...withoutHunk(options, row) }, (check, id, counts) => {
        if (check.intact || !intact.has(key(check))) return true;
        read = key(check);
        const before = usual.get(id) ?? all;
        for (const [report, n] of counts()) if (n > (before.get(report) ?? 0)) came.push(report);
        return false;
      });
      if (read === undefined) return;
      wrong.push(row.hunk.id);
      const excepted = EXCEPTIONS[`${name} ${row.hunk.id}`] !== undefined;
      expect([read, came.length > 0 || excepted]).toEqual([read, true]);
      // An exception that is not needed is removed from the list.
      expect([read, came.length > 0 && excepted]).toEqual([read, false]);
    },
  );

  test('there are such rows', () => {
    expect(wrong).toContain('09/initrd');
  });

  exhaustiveTest('they are of several patches', () => {
    expect(new Set(wrong.map((id) => id.slice(0, 2))).size).toBeGreaterThan(3);
  });
});
