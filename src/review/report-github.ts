/** A review as annotations of GitHub Actions (its manual, "Workflow commands"): one for each claim that failed. */
import { oneLine, printableLines } from '../base/printable.js';
import { isFailed } from './result.js';
import { countsText, placeText, rowText, type RecordLine, type Review } from './report.js';

/** The data of a command: % and the ends of lines are escaped. */
const data = (text: string): string =>
  printableLines(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** The value of a property: also : and , which separate properties. */
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** The annotations, at the claims in the records, and a line with the counts. */
export function reviewGithub({ title, rows }: Review, recordLine: RecordLine): string {
  const lines = rows.filter(isFailed).map((row) => {
    const { file, line } = recordLine(row);
    const where = row.source === undefined ? '' : ` (${placeText(row.source)})`;
    const properties = [
      `file=${property(file)}`,
      ...(line === undefined ? [] : [`line=${line}`]),
      `title=${property(oneLine(`${row.claim}: ${row.state}`))}`,
    ];
    return `::error ${properties.join(',')}::${data(`${rowText(row)}${where}`)}`;
  });
  return [...lines, `${oneLine(title)}: ${countsText(rows)}`].map((line) => `${line}\n`).join('');
}
