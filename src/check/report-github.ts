/**
 * Annotations and a step summary of GitHub Actions (its manual, "Workflow commands"). Annotations are printed to stdout;
 * the summary is a Markdown text for the file that GITHUB_STEP_SUMMARY names.
 */
import { oneLine } from '../base/printable.js';
import { commandData, commandProperty } from '../base/workflow-command.js';
import {
  countsText,
  headlineOf,
  isFine,
  withEnds,
  type Failure,
  type Reporter,
  type Result,
} from './result.js';

/** GitHub shows this many annotations of a step; further failures are in the log and the summary. */
export const SHOWN = 10;
/** The size of a step's summary is limited to 1 MiB; above it none is shown. Half of it is used (our choice). */
const SUMMARY_MAX = 512 * 1024;

function annotation(result: Result, failure: Failure): string {
  const { file = result.name, line, column } = failure.place;
  const properties = [
    `file=${commandProperty(file)}`,
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(line === undefined || column === undefined ? [] : [`col=${column}`]),
    `title=${commandProperty(oneLine(failure.headline))}`,
  ];
  const rerun = result.rerun === undefined ? [] : [`rerun: ${result.rerun}`];
  return `::error ${properties.join(',')}::${commandData([...failure.lines, ...rerun].join('\n'))}`;
}

/**
 * An annotation per failure: first the first failure of each file, since only SHOWN are displayed, then the others. A
 * line that begins with :: would be a command; no other line does.
 */
export const github: Reporter = (results) => {
  const failed = results.filter((each) => !isFine(each));
  const firsts = failed.flatMap((each) =>
    each.failures.slice(0, 1).map((one) => annotation(each, one)),
  );
  const others = failed.flatMap((each) =>
    each.failures.slice(1).map((one) => annotation(each, one)),
  );
  const all = [...firsts, ...others];
  const more =
    all.length > SHOWN ? [`${all.length} annotations; GitHub shows ${SHOWN} of a step`] : [];
  return withEnds([...all, ...more, countsText(results)]);
};

/** Text in a cell of a Markdown table, without markup. */
export const markdownCell = (text: string): string =>
  oneLine(text).replace(/[\\|`*_<>[\]]/g, (each) => `\\${each}`);

/** The summary of a step, as Markdown: the counts, and the failed files with their first failures. */
export function githubSummary(results: readonly Result[]): string {
  const failed = results.filter((each) => !isFine(each));
  const head = [`### sme-boot check: ${countsText(results)}`, ''];
  if (failed.length === 0) return withEnds(head);
  const table = ['| file | first failure | failures |', '| --- | --- | --- |'];
  const rows = failed.map(
    (each) =>
      `| ${markdownCell(each.name)} | ${markdownCell(headlineOf(each))} | ${each.failures.length} |`,
  );
  const reruns = failed.flatMap(({ rerun }) =>
    rerun === undefined ? [] : [`    ${oneLine(rerun)}`],
  );
  const commands = reruns.length === 0 ? [] : ['', 'The boots again:', '', ...new Set(reruns)];
  return summaryText([...head, ...table, ...rows, ...commands]);
}

/** The lines of a step's summary, up to the last whole line within the limit. */
export function summaryText(lines: readonly string[]): string {
  const text = withEnds(lines);
  if (new TextEncoder().encode(text).length <= SUMMARY_MAX) return text;
  const part = text.slice(0, SUMMARY_MAX / 4);
  return `${part.slice(0, part.lastIndexOf('\n'))}\n\nThe rest is in the log.\n`;
}
