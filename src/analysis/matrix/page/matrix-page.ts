/**
 * The script of a matrix's page: adds sorting, filters and details of rows to the static table. Runs in the browser;
 * scripts/page.mjs bundles it into a string in ../page-assets.ts.
 */
import { own } from '../../../base/own.js';
import type { MatrixLinks } from '../html.js';
import type { MatrixReport, MatrixRow } from '../report.js';
import { addressOf, fragmentOf } from './address.js';
import { reportsText, accessText, outcomeText, patchText, rowsText } from '../words.js';
import {
  matches,
  nextDirection,
  sortedBy,
  type ColumnKey,
  type Direction,
  type Filter,
} from './select.js';

/** The element with an id. Throws if the page has none of this type. */
function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} ${id}`);
  return found;
}

/** A new element with a text. */
function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = '',
  className = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className !== '') element.className = className;
  return element;
}

const report = JSON.parse(byId('matrix-data', HTMLScriptElement).text) as MatrixReport;
const links = JSON.parse(byId('matrix-links', HTMLScriptElement).text) as MatrixLinks;
const { rows } = report;
const table = byId('matrix', HTMLTableElement);
const body = table.tBodies[0] ?? table.createTBody();
const controls = byId('controls', HTMLFormElement);
const shown = byId('shown', HTMLElement);
const none = byId('none', HTMLElement);
const announce = byId('announce', HTMLElement);
const search = byId('filter-text', HTMLInputElement);
const scenario = byId('filter-scenario', HTMLSelectElement);
const outcome = byId('filter-outcome', HTMLSelectElement);
const patch = byId('filter-patch', HTMLSelectElement);
const differing = byId('filter-differing', HTMLInputElement);
const heads = [...table.querySelectorAll<HTMLTableCellElement>('thead th[data-key]')];

/** A row of the table, with the row of its details once it was opened. */
interface Line {
  readonly row: MatrixRow;
  readonly element: HTMLTableRowElement;
  button?: HTMLButtonElement;
  details?: HTMLTableRowElement;
}

const lines = rows.map((row, index): Line => {
  const element = body.querySelector<HTMLTableRowElement>(`tr[data-row="${index}"]`);
  if (element === null) throw new Error(`the page has no row ${index}`);
  return { row, element };
});

let sort: { key: ColumnKey; direction: Direction } | undefined;

/** Sorts the rows of the table, each followed by its details. */
function arrange(): void {
  const order = sort === undefined ? rows.keys() : sortedBy(rows, sort.key, sort.direction);
  for (const index of order) {
    const line = lines[index];
    if (line !== undefined) body.append(line.element, ...(line.details ? [line.details] : []));
  }
  for (const head of heads) {
    const isSorted = head.dataset.key === sort?.key;
    head.setAttribute('aria-sort', isSorted && sort ? sort.direction : 'none');
  }
}

/** Whether the details of a row are open. */
const isOpen = (line: Line): boolean => line.button?.getAttribute('aria-expanded') === 'true';

/** The values of the filters. */
const filterNow = (): Filter => ({
  text: search.value,
  scenario: scenario.value,
  outcome: outcome.value,
  patch: patch.value,
  differing: differing.checked,
});

/** States the filters and the last row that was opened in the address. */
function keepAddress(): void {
  history.replaceState(null, '', `#${fragmentOf({ filter: filterNow(), row: opened?.row })}`);
}

/** The row that was opened last and is open. */
let opened: Line | undefined;

/** Hides the rows that the filters do not match and shows the number of the others. */
function sift(): void {
  const filter = filterNow();
  let count = 0;
  for (const line of lines) {
    const isShown = matches(line.row, filter);
    count += Number(isShown);
    line.element.hidden = !isShown;
    if (line.details !== undefined) line.details.hidden = !isShown || !isOpen(line);
  }
  shown.textContent =
    count === rows.length ? rowsText(count) : `${count} of ${rowsText(rows.length)}`;
  none.hidden = count > 0 || rows.length === 0;
  table.hidden = count === 0;
}

/** Copies a text to the clipboard; selects it if the browser refuses. */
function copy(code: HTMLElement, button: HTMLButtonElement): void {
  const say = (text: string): void => {
    button.textContent = text;
    announce.textContent = text;
  };
  const select = (): void => {
    getSelection()?.selectAllChildren(code);
    say('Selected');
  };
  // Pages that are not from a secure origin have no clipboard, although the type is not optional.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard === undefined) select();
  else clipboard.writeText(code.textContent).then(() => say('Copied'), select);
}

/** The details of a row: terms and their values. */
function detailsOf({ row }: Line): HTMLTableRowElement {
  const list = make('dl');
  const say = (
    term: string,
    value: string | HTMLAnchorElement | undefined,
    className = '',
  ): void => {
    if (value === undefined || value === '') return;
    const pair = make('div');
    const definition = make('dd', '', className);
    definition.append(value);
    pair.append(make('dt', term), definition);
    list.append(pair);
  };
  const { wrong } = row;
  const link = (value: string, to: string | undefined): string | HTMLAnchorElement => {
    if (to === undefined) return value;
    const anchor = make('a', value);
    anchor.href = to;
    anchor.rel = 'noreferrer';
    return anchor;
  };
  say('Edits', link(row.file, own(links.source, row.file)), 'mono');
  const number = patchText(row);
  const mail = own(links.mail, number);
  if (mail !== undefined) say('Posted as', link(`patch ${number}`, mail));
  say('Does', row.what);
  say('First used in', row.firstUse ?? 'never in this boot', row.firstUse ? 'mono' : '');
  say('Ends', outcomeText(row.outcome), 'mono');
  say('First wrong line', wrong?.pa, 'mono');
  say('Written by', accessText(wrong?.writer, wrong?.writeC), 'mono');
  say('Read by', accessText(wrong?.reader, wrong?.readC), 'mono');
  say('No longer intact', row.lost.join(', '));
  say('Now intact', row.gained.join(', '));
  say('Reports', reportsText(row));
  // Broken between words, not after a hyphen.
  const code = make('code');
  row.command.split(' ').forEach((word, index) => {
    if (index > 0) code.append(' ');
    code.append(make('span', word));
  });
  const button = make('button', 'Copy', 'copy');
  button.type = 'button';
  button.setAttribute('aria-label', `Copy the command: ${row.command}`);
  button.addEventListener('click', () => copy(code, button));
  const value = make('dd', '', 'command');
  value.append(code, button);
  const pair = make('div');
  pair.append(make('dt', 'Shown by'), value);
  list.append(pair);

  const element = make('tr', '', 'details');
  element.setAttribute('role', 'row');
  const cell = make('td');
  cell.setAttribute('role', 'cell');
  cell.colSpan = heads.length;
  cell.append(list);
  element.append(cell);
  return element;
}

/** Opens or closes the details of a row. */
function toggle(line: Line): void {
  const open = !isOpen(line);
  line.button?.setAttribute('aria-expanded', String(open));
  if (line.details === undefined) {
    line.details = detailsOf(line);
    line.element.after(line.details);
  }
  line.details.hidden = !open;
  if (open) opened = line;
  else if (opened === line) opened = undefined;
}

/** Opens a row, which the filters may hide, and goes to it. */
function goTo(line: Line): void {
  if (!matches(line.row, filterNow())) {
    controls.reset();
    sift();
  }
  if (!isOpen(line)) toggle(line);
  line.element.scrollIntoView({ block: 'center' });
  line.button?.focus({ preventScroll: true });
  keepAddress();
}

for (const line of lines) {
  const cell = line.element.querySelector('[data-key="hunk"]');
  if (cell === null) continue;
  const button = make('button', '', 'open');
  button.type = 'button';
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => {
    toggle(line);
    keepAddress();
  });
  button.append(...cell.childNodes);
  cell.append(button);
  line.button = button;
}

for (const head of heads) {
  const key = head.dataset.key as ColumnKey;
  const button = make('button', head.textContent, 'sort');
  button.type = 'button';
  button.addEventListener('click', () => {
    const direction = nextDirection(sort?.key === key ? sort.direction : undefined);
    sort = direction === undefined ? undefined : { key, direction };
    arrange();
  });
  head.replaceChildren(button);
}

controls.addEventListener('input', () => {
  sift();
  keepAddress();
});
controls.addEventListener('submit', (event) => event.preventDefault());
for (const id of ['clear', 'clear-none']) {
  byId(id, HTMLButtonElement).addEventListener('click', () => {
    controls.reset();
    sift();
    keepAddress();
    search.focus();
  });
}
document.documentElement.classList.add('scripted');
controls.hidden = false;
for (const cell of document.querySelectorAll<HTMLAnchorElement>('.grid a')) {
  cell.addEventListener('click', (event) => {
    const line = lines[Number(cell.hash.slice('#row-'.length))];
    if (line === undefined) return;
    event.preventDefault();
    goTo(line);
  });
}

/** Shows what the address states; without one, only the rows that differ. */
function open(): void {
  const { filter, row } = addressOf(location.hash.slice(1), rows);
  search.value = filter.text;
  scenario.value = filter.scenario;
  outcome.value = filter.outcome;
  patch.value = filter.patch;
  differing.checked = filter.differing;
  sift();
  const line = row === undefined ? undefined : lines[row];
  if (line !== undefined && !isOpen(line)) goTo(line);
}

arrange();
open();
window.addEventListener('hashchange', open);
