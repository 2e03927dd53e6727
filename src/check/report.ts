/** Reports of many results: text for a terminal, JUnit for CI servers, KTAP for kernel test tooling, GitHub Actions. */
import { oneLine, printableColoured } from '../base/printable.js';
import { github } from './report-github.js';
import { junit } from './report-junit.js';
import { ktap } from './report-ktap.js';
import { countsText, isFine, withEnds, type Reporter, type Result, type Status } from './result.js';

/** A format of a report. */
export type ReportForm = 'text' | 'junit' | 'ktap' | 'github';

const TAGS: Readonly<Record<Status, string>> = {
  ok: 'ok    ',
  failed: 'FAILED',
  invalid: 'FAILED',
  updated: 'updated',
  skipped: 'skipped',
};

/** One result as text: its line, and the details of a failure. */
export function resultText(result: Result): string {
  const { name, status, note, rerun } = result;
  const head = `${TAGS[status]} ${oneLine(name)}${note === undefined ? '' : `: ${oneLine(note)}`}`;
  if (isFine(result)) return withEnds([head]);
  const details = rerun === undefined ? result.lines : [...result.lines, `rerun: ${rerun}`];
  return withEnds([
    head,
    ...details.flatMap((line) => printableColoured(line).split('\n')).map((line) => `  ${line}`),
  ]);
}

const text: Reporter = (results) => `${results.map(resultText).join('')}\n${countsText(results)}\n`;

const REPORTERS: Readonly<Record<ReportForm, Reporter>> = { text, junit, ktap, github };

/** The report formats, by the name of the flag. */
export const REPORT_FORMS = Object.keys(REPORTERS) as readonly ReportForm[];

/** The report of `results` in a format. */
export function report(form: ReportForm, results: readonly Result[]): string {
  return REPORTERS[form](results);
}
