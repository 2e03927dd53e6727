/** A review as annotations of GitHub Actions (its manual, "Workflow commands"): one for each claim that failed. */
import { oneLine } from '../base/printable.js';
import { commandData, commandProperty } from '../base/workflow-command.js';
import { isFailed } from './result.js';
import { countsText, placeText, rowText, type RecordLine, type Review } from './report.js';

/** The annotations, at the claims in the records, and a line with the counts. */
export function reviewGithub({ title, rows }: Review, recordLine: RecordLine): string {
  const lines = rows.filter(isFailed).map((row) => {
    const { file, line } = recordLine(row);
    const where = row.source === undefined ? '' : ` (${placeText(row.source)})`;
    const properties = [
      `file=${commandProperty(file)}`,
      ...(line === undefined ? [] : [`line=${line}`]),
      `title=${commandProperty(oneLine(`${row.claim}: ${row.state}`))}`,
    ];
    return `::error ${properties.join(',')}::${commandData(`${rowText(row)}${where}`)}`;
  });
  return [...lines, `${oneLine(title)}: ${countsText(rows)}`].map((line) => `${line}\n`).join('');
}
