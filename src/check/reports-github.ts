/** The reports of a run as annotations of GitHub Actions (its manual, "Workflow commands"), and as a step's summary. */
import { oneLine } from '../base/printable.js';
import { commandData, commandProperty } from '../base/workflow-command.js';
import { markdownCell, SHOWN, summaryText } from './report-github.js';
import {
  bodyLines,
  codeText,
  headText,
  isSuppressed,
  reportCounts,
  type ReportedRun,
  type ReportPlaces,
} from './report-words.js';

/** What failed beside the reports, in lines. */
const failures = ({ unexpected, expressions }: ReportedRun): string[] => [
  ...unexpected,
  ...expressions
    .filter(({ holds }) => !holds)
    .map(({ text, seen }) => `--expect ${text}: does not hold: ${seen}`),
];

const countsLine = (run: ReportedRun): string =>
  oneLine(`${run.title}: ${run.unchecked ?? reportCounts(run.reports)}`);

/** An error for what the boot did against the expectation, a warning for each report that is not suppressed. */
export function reportsGithub(run: ReportedRun, places: ReportPlaces): string {
  const errors = failures(run).map(
    (line) => `::error title=${commandProperty('outcome')}::${commandData(oneLine(line))}`,
  );
  const warnings = run.reports
    .filter((each) => !isSuppressed(each))
    .map((each) => {
      const { file, line } = places.recordLine(each);
      const properties = [
        `file=${commandProperty(file)}`,
        ...(line === undefined ? [] : [`line=${line}`]),
        `title=${commandProperty(headText(each))}`,
      ];
      return `::warning ${properties.join(',')}::${commandData(bodyLines(each).join('\n'))}`;
    });
  const all = [...errors, ...warnings];
  const more =
    all.length > SHOWN ? [`${all.length} annotations; GitHub shows ${SHOWN} of a step`] : [];
  return [...all, ...more, countsLine(run)].map((line) => `${line}\n`).join('');
}

/** The summary of a step, as Markdown: the counts, and a row for each report. */
export function reportsSummary(run: ReportedRun): string {
  const head = [`### sme-boot run: ${markdownCell(countsLine(run))}`, ''];
  const failed = failures(run).map((line) => `- ${markdownCell(line)}`);
  const shown = run.reports.filter((each) => !isSuppressed(each));
  const table = ['| rule | place | by | what | outcome |', '| --- | --- | --- | --- | --- |'];
  const rows = shown.map((each) => {
    const cells = [each.rule, `${each.at}, in ${each.step}`, codeText(each), each.what];
    return `| ${[...cells, each.outcome].map(markdownCell).join(' | ')} |`;
  });
  return summaryText([
    ...head,
    ...(failed.length === 0 ? [] : [...failed, '']),
    ...(rows.length === 0 ? [] : [...table, ...rows, '']),
    'The run again:',
    '',
    `    ${oneLine(run.rerun)}`,
  ]);
}
