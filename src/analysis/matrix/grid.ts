/** The grid of a matrix's page: a cell of one colour for each hunk in each scenario. */
import { htmlText } from '../../base/html.js';
import { own } from '../../base/own.js';
import type { MatrixReport, MatrixRow } from './report.js';
import { OUTCOME_ORDER, outcomeText } from './words.js';

/** The id of a row's element. */
export const rowId = (index: number): string => `row-${index}`;

/** The colour of a row, as a class: the outcome, or `same` as the whole series. */
const toneOf = ({ same, outcome }: MatrixRow): string => (same ? 'same' : outcome.kind);

const NAMES: Readonly<Record<string, string>> = {
  same: 'as the whole series',
  booted: 'boots, but reads something else',
};

function cell(row: MatrixRow | undefined, index: number): string {
  if (row === undefined) return '<td></td>';
  const text = `${row.hunk} in ${row.scenario}: ${row.same ? 'as the whole series' : outcomeText(row.outcome)}`;
  const said = htmlText(text);
  return `<td><a class="cell ${toneOf(row)}" href="#${rowId(index)}" title="${said}" aria-label="${said}"></a></td>`;
}

/** The grid; '' for a report of one scenario, whose rows are one already. */
export function gridHtml({ scenarios, rows }: MatrixReport): string {
  if (scenarios.length < 2 || rows.length === 0) return '';
  const hunks = [...new Set(rows.map(({ hunk }) => hunk))];
  const places = new Map(rows.map((row, index) => [`${row.scenario}\n${row.hunk}`, index]));
  const lines = hunks.map((hunk) => {
    const cells = scenarios.map(({ name }) => {
      const index = places.get(`${name}\n${hunk}`) ?? -1;
      return cell(rows[index], index);
    });
    return `<tr><th scope="row" class="mono">${htmlText(hunk)}</th>${cells.join('')}</tr>`;
  });
  const heads = scenarios.map(
    ({ name }) => `<th scope="col"><span class="upright mono">${htmlText(name)}</span></th>`,
  );
  const used = new Set(rows.map(toneOf));
  const legend = ['same', ...Object.keys(OUTCOME_ORDER)]
    .filter((tone) => used.has(tone))
    .map((tone) => `<li><span class="cell ${tone}"></span> ${own(NAMES, tone) ?? tone}</li>`);
  return `<section class="overall" aria-label="All rows at a glance">
<ul class="legend">${legend.join('')}</ul>
<div class="wide">
<table class="grid">
<thead><tr><td></td>${heads.join('')}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table>
</div>
</section>`;
}
