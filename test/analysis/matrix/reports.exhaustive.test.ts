/** Each row of a matrix with a wrong read has a report of the sanitizer at or before that read. */
import { describe, expect, test } from '@jest/globals';
import { removableHunks, withoutHunk, type LeftOut } from '../../../src/analysis/matrix/matrix.js';
import type { BootOptions } from '../../../src/sequencer/boot.js';
import { Boot } from '../../../src/sequencer/boot.js';
import type { SanitizerReport } from '../../../src/trace/report.js';
import type { Consumed } from '../../../src/trace/trace.js';
import { optionsOf } from './whole-boots.js';

/** Rows without such a report, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

const key = ({ name, by }: Pick<Consumed, 'name' | 'by'>): string => `${name}, read by ${by}`;

/** What makes two reports the same: all but the count, the range and the outcome, which change while a boot runs. */
const identity = ({ rule, in: by, hunk, C, cpu, what, earlier }: SanitizerReport): string =>
  JSON.stringify([rule, by, hunk, C, cpu, what, earlier]);

/** The first wrong read of what `intact` has, and the reports until then. */
function firstWrong(
  options: BootOptions,
  intact: ReadonlySet<string>,
): { wrong: string; reports: readonly SanitizerReport[] } | undefined {
  const boot = new Boot(options);
  let found: { wrong: string; reports: readonly SanitizerReport[] } | undefined;
  boot.recorder.onReadCheck((check) => {
    if (found !== undefined || check.intact || !intact.has(key(check))) return;
    found = { wrong: key(check), reports: [...boot.reports()] };
  });
  while (found === undefined && boot.step());
  return found;
}

describe.each(['bios-minimal', 'epyc-efi'])('the rows of %s', (name) => {
  const options: BootOptions = { ...optionsOf(name), sanitize: true };
  const series = new Boot(options).run();
  const intact = new Set(series.consumed.filter((each) => each.intact).map(key));
  const usual = new Set((series.reports ?? []).map(identity));
  const wrong: string[] = [];

  test.each(removableHunks(options).map((each) => ({ ...each, id: each.hunk.id })))(
    'a wrong read without $id has a report at or before it',
    (row: LeftOut) => {
      const found = firstWrong({ ...options, ...withoutHunk(options, row) }, intact);
      if (found === undefined) return;
      wrong.push(row.hunk.id);
      const came = found.reports.filter((report) => !usual.has(identity(report)));
      const excepted = EXCEPTIONS[`${name} ${row.hunk.id}`] !== undefined;
      expect([found.wrong, came.length > 0 || excepted]).toEqual([found.wrong, true]);
      // An exception that is not needed is removed from the list.
      expect([found.wrong, came.length > 0 && excepted]).toEqual([found.wrong, false]);
    },
  );

  test('there are such rows, in several patches', () => {
    const patches = new Set(wrong.map((id) => id.slice(0, 2)));
    expect(patches.size).toBeGreaterThan(3);
  });
});
