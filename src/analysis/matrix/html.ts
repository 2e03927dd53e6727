/**
 * A matrix as one self-contained HTML page: no network, no other file. The table can be read without scripts; a script
 * adds sorting, filters and details of rows. All strings of the report are escaped.
 */
import { htmlPage } from '../../base/html-page.js';
import { htmlText } from '../../base/html.js';
import { printableLines } from '../../base/printable.js';
import { MATRIX_SCHEMA, missingOf, type MatrixReport, type MatrixRow } from './report.js';
import {
  byScenario,
  causeAndReads,
  OUTCOME_ORDER,
  outcomeText,
  patchText,
  readerText,
  rowsText,
  totalsOf,
  totalsText,
  writerText,
  wrongName,
  type MatrixOutcome,
  subjectOf,
} from './words.js';
import { gridHtml, rowId } from './grid.js';
import { PAGE_SCRIPT, PAGE_STYLE } from './page-assets.js';
import type { ColumnKey } from './page/select.js';

/** A text for a name that may be wider than its column: it may break after an underscore. */
function name(text: string): string {
  return htmlText(text).replace(/_+(?=[^_])/g, '$&<wbr>');
}

/** The columns: key and heading. */
const COLUMNS: Readonly<Record<ColumnKey, string>> = {
  scenario: 'Scenario',
  hunk: 'Without hunk',
  how: 'How',
  outcome: 'Outcome',
  wrong: 'Read wrongly',
  writer: 'Written by',
  reader: 'Read by',
  cause: 'Cause',
};

/** Labels of cells on a narrow page, where the headings are not above the cells. */
const LABELS: Readonly<Partial<Record<ColumnKey, string>>> = {
  wrong: 'reads wrongly',
  writer: 'written by',
  reader: 'read by',
};

const MONOSPACE: readonly ColumnKey[] = ['scenario', 'hunk', 'writer', 'reader'];

const badge = ({ kind }: MatrixOutcome): string => `<span class="badge ${kind}">${kind}</span>`;

/**
 * The outcome of a row: its kind, the function it ended in if it did not boot, whether it is that of the whole series.
 */
function outcomeCell({ outcome, same }: MatrixRow): string {
  const { where } = outcome;
  return [
    badge(outcome),
    same ? ' <span class="soft">same</span>' : '',
    where === undefined ? '' : `<span class="where mono">${name(where)}</span>`,
  ].join('');
}

function rowHtml(row: MatrixRow, index: number): string {
  const cells: Readonly<Record<ColumnKey, string>> = {
    scenario: htmlText(row.scenario),
    hunk: name(row.hunk),
    how: row.how,
    outcome: outcomeCell(row),
    wrong: htmlText(wrongName(row)),
    writer: name(writerText(row)),
    reader: name(readerText(row)),
    cause: htmlText(causeAndReads(row)),
  };
  const columns = Object.keys(COLUMNS) as ColumnKey[];
  const tds = columns.map((key) => {
    const label = LABELS[key] === undefined ? '' : ` data-label="${LABELS[key]}"`;
    const font = MONOSPACE.includes(key) ? ' class="mono"' : '';
    return `<td role="cell" data-key="${key}"${label}${font}>${cells[key]}</td>`;
  });
  const tone = row.same ? ' class="same"' : '';
  return `<tr role="row" id="${rowId(index)}" data-row="${index}"${tone}>${tds.join('')}</tr>`;
}

/** A select element; its first option selects all. */
function select(id: string, label: string, all: string, values: readonly string[]): string {
  const options = values.map(
    (value) => `<option value="${htmlText(value)}">${htmlText(value)}</option>`,
  );
  return `<label>${label}
<select id="${id}"><option value="">${all}</option>${options.join('')}</select></label>`;
}

/** The filters; hidden until the script runs. */
function controls({ scenarios, rows }: MatrixReport): string {
  const kinds = Object.keys(OUTCOME_ORDER).filter((kind) =>
    rows.some(({ outcome }) => outcome.kind === kind),
  );
  const patches = [...new Set(rows.map(patchText))].filter((patch) => patch !== '').sort();
  const names = scenarios.map((scenario) => scenario.name);
  return `<form id="controls" class="controls" role="search" hidden>
<label class="search">Search all columns
<input id="filter-text" type="search" autocomplete="off" spellcheck="false"></label>
${select('filter-scenario', 'Scenario', 'all', names)}
${select('filter-outcome', 'Outcome', 'all', kinds)}
${select('filter-patch', 'Patch', 'all', patches)}
<label class="check"><input id="filter-differing" type="checkbox">Only rows that differ from the whole series</label>
<button id="clear" class="plain" type="button">Clear</button>
<output id="shown" class="count">${rowsText(rows.length)}</output>
</form>`;
}

/** The result of the whole series in each scenario. */
function overview(report: MatrixReport): string {
  const rows = byScenario(report).map(([scenario, own]) => {
    const { outcome, garbage, digest } = scenario;
    const { differing } = totalsOf(own);
    return `<tr><th scope="row" class="mono" title="${htmlText(`digest ${digest}`)}">${htmlText(scenario.name)}</th>\
<td>${badge(outcome)}${outcome.kind === 'booted' ? '' : ` ${htmlText(outcomeText(outcome))}`}</td>\
<td>${garbage.length === 0 ? '<span class="soft">nothing</span>' : htmlText(garbage.join(', '))}</td>\
<td class="number">${differing} of ${own.length}</td></tr>`;
  });
  return `<h2>The whole series</h2>
<table class="overview">
<thead><tr><th scope="col">Scenario</th><th scope="col">Outcome</th>\
<th scope="col">Read wrongly</th><th scope="col">Hunks that matter</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

/** The rows that were not run, at the top: the page does not have all that was asked for. */
function missingList(missing: readonly string[]): string {
  if (missing.length === 0) return '';
  return `<details class="missing-rows" open>
<summary>This matrix is not complete: ${rowsText(missing.length)} that ${missing.length === 1 ? 'was' : 'were'} asked for did not run.</summary>
<ul class="missing mono">
${missing.map((each) => `<li>${htmlText(each)}</li>`).join('\n')}
</ul>
</details>
`;
}

/** Where the page links to: the mail of a patch by its number, and kernel files. Absent: no links. */
export interface MatrixLinks {
  readonly mail: Readonly<Record<string, string>>;
  readonly source: Readonly<Record<string, string>>;
}

/** JSON for a data element: without `<`, neither an end tag nor a comment can begin. */
const dataOf = (value: unknown): string =>
  printableLines(JSON.stringify(value)).replaceAll('<', '\\u003c');

/** The Content-Security-Policy: allows only the page's own script and style. */
const POLICY = [
  "default-src 'none'",
  `script-src '${PAGE_SCRIPT.integrity}'`,
  `style-src '${PAGE_STYLE.integrity}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The page of a report. It contains the report as JSON in the element `matrix-data`, the links in `matrix-links`. */
export function matrixHtml(
  report: MatrixReport,
  links: MatrixLinks = { mail: {}, source: {} },
): string {
  const { rows } = report;
  const missing = missingOf(report);
  const title = `${htmlText(subjectOf(report))} without each hunk`;
  const heads = Object.entries(COLUMNS).map(
    ([key, head]) => `<th role="columnheader" scope="col" data-key="${key}">${head}</th>`,
  );
  return htmlPage({
    policy: POLICY,
    title,
    generator: `sme-boot matrix ${MATRIX_SCHEMA}`,
    style: PAGE_STYLE.text,
    body: `<header>
<h1>${title}</h1>
<p class="soft">Each row is a boot of the whole series without one of its hunks. ${totalsText(totalsOf(rows))}.</p>
</header>
<main>
${missingList(missing)}${gridHtml(report)}
${overview(report)}
<h2>Hunk by hunk</h2>
${controls(report)}
<p id="none" hidden>No row matches. <button id="clear-none" class="plain" type="button">Show all</button></p>
<span id="announce" class="unseen" role="status"></span>
<table id="matrix" class="matrix" role="table" aria-label="Boots without one hunk">
<thead role="rowgroup"><tr role="row">${heads.join('')}</tr></thead>
<tbody role="rowgroup">
${rows.map(rowHtml).join('\n')}
</tbody>
</table>
</main>
<script type="application/json" id="matrix-data">${dataOf(report)}</script>
<script type="application/json" id="matrix-links">${dataOf(links)}</script>
<script>${PAGE_SCRIPT.text}</script>`,
  });
}
