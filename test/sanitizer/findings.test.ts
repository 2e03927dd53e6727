/** The reports that show the findings, on boots of the whole series, and that they are gone with the alternatives. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { splitWords } from '../../src/base/shell-words.js';
import { findings } from '../../src/cli/findings.js';
import { addRunOptions, prepareBoot, type RunFlags } from '../../src/cli/run-options.js';
import type { Finding, Reported } from '../../src/series/finding.js';
import type { SanitizerReport } from '../../src/trace/report.js';
import { firstOf } from '../cases.js';

const all = findings('.');

/** Reports by run: a boot shows several findings. */
const known = new Map<string, readonly SanitizerReport[]>();

function reportsOf(run: string): readonly SanitizerReport[] {
  const before = known.get(run);
  if (before !== undefined) return before;
  const command = addRunOptions(new Command('run').argument('<SCENARIO>'));
  command.parse([...splitWords(run).words], { from: 'user' });
  const flags = { ...command.opts<RunFlags>(), sanitize: true };
  const { reports = [] } = prepareBoot(command.processedArgs[0] as string, flags).run();
  known.set(run, reports);
  return reports;
}

/** The run, with `$RAM` as the finding's first command sets it. */
function runOf({ shows: [first] }: Finding, { run }: Reported): string {
  if (!run.includes('$RAM')) return run;
  const [assignment = ''] = first?.command.split('sme-boot ') ?? [];
  const script = `${assignment.replaceAll(/^> /gm, '')}\nprintf %s "$RAM"`;
  const ram = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  return run.replace('"firmware.e820=$RAM"', `'firmware.e820=${ram}'`);
}

const matching = (
  { rule, in: by, earlier, what = '' }: Reported,
  reports: readonly SanitizerReport[],
): SanitizerReport[] =>
  reports.filter(
    (report) =>
      report.rule === rule &&
      report.in === by &&
      report.what.includes(what) &&
      (earlier === undefined || report.earlier?.in === earlier),
  );

const cases = all.flatMap((finding) =>
  (finding.reports ?? []).map((report) => ({
    id: finding.id,
    finding,
    report,
    ...report,
  })),
);

test('most findings are reported; the others have a reason', () => {
  const silent = all.filter(({ reports }) => reports === undefined);
  expect(silent.length).toBeLessThan(all.length / 3);
  expect(silent.filter(({ unreported }) => unreported === undefined)).toEqual([]);
});

describe('the sanitizer', () => {
  // The first rows have one boot, of bios-minimal.
  const ordered = [...cases].sort(
    (a, b) => Number(b.run === 'bios-minimal') - Number(a.run === 'bios-minimal'),
  );
  test.each(firstOf(6, ordered))('reports $id: $rule in $in, on $run', ({ finding, report }) => {
    const reports = reportsOf(runOf(finding, report));
    expect(matching(report, reports).length).toBeGreaterThan(0);
  });

  const fixed = cases.filter(({ goneWith }) => goneWith !== undefined);
  test.each(firstOf(1, fixed))(
    'does not report $id with $goneWith: $rule in $in',
    ({ finding, report }) => {
      const run = `${runOf(finding, report)} --with ${report.goneWith?.join(' ') ?? ''}`;
      expect(matching(report, reportsOf(run))).toEqual([]);
    },
  );

  test('has for each alternative of a reported finding a report that is gone with it', () => {
    const missing = all
      .filter(({ reports }) => reports !== undefined)
      .flatMap(({ id, fixes, reports = [] }) => {
        const gone = new Set(reports.flatMap(({ goneWith = [] }) => goneWith));
        return fixes.filter((fix) => !gone.has(fix.id)).map((fix) => `${id}: ${fix.id}`);
      });
    expect(missing).toEqual([]);
  });
});
