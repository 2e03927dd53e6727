/** The page of a matrix in a browser. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  jest,
  test,
} from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { matrixHtml } from '../../src/analysis/matrix/html.js';
import type { MatrixReport } from '../../src/analysis/matrix/report.js';
import { initrdRow, report, row, wholeSeries } from '../analysis/matrix/reports.js';
import { startBrowser, type Browser } from './chromium.js';

jest.setTimeout(60_000);

const WIDE = { width: 1400, height: 900 };
const whole = wholeSeries();

let browser: Browser | undefined;
let page: Page;
const tabs: Page[] = [];
/** Console messages, errors and dialogs of the page, and its requests to the network. */
let complaints: string[] = [];

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
});

/** A tab whose messages, errors, dialogs and requests are recorded in `complaints`. */
async function newPage(): Promise<Page> {
  if (browser === undefined) throw new Error('no browser was started');
  const made = await browser.context.newPage();
  tabs.push(made);
  made.on('console', (message) => complaints.push(message.text()));
  made.on('pageerror', (error) => complaints.push(error.message));
  made.on('dialog', (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  made.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  made.setDefaultTimeout(5000);
  await made.setViewportSize(WIDE);
  return made;
}

beforeEach(async () => {
  complaints = [];
  page = await newPage();
});
afterEach(async () => {
  for (const tab of tabs.splice(0)) await tab.close();
  expect(complaints).toEqual([]);
});

let files = 0;

/** Opens the page of a report, with all its rows or as a fragment states. */
async function open(given: MatrixReport = whole, fragment = 'show=all'): Promise<void> {
  const file = join(browser?.dir ?? '', `matrix-${++files}.html`);
  const links = { mail: { '09': 'https://example.org/9' }, source: {} };
  writeFileSync(file, matrixHtml(given, links));
  await page.goto(`${pathToFileURL(file).href}#${fragment}`);
}

const head = (name: string): Locator =>
  page.locator('#matrix').getByRole('columnheader', { name, exact: true });
const sortBy = (name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click();
const visibleRows = (): Locator => page.locator('#matrix tbody tr[data-row]:visible');
const cells = (key: string): Promise<string[]> =>
  page.locator(`#matrix tbody tr[data-row]:visible td[data-key="${key}"]`).allTextContents();
const count = (): Promise<string | null> => page.locator('#shown').textContent();
/** The value of an expression in the page. */
const value = (expression: string): Promise<unknown> => page.evaluate(expression);

describe('the page of a matrix', () => {
  test('shows only the rows that differ at first', async () => {
    await open(whole, '');
    const differing = whole.rows.filter(({ same }) => !same);
    expect(await cells('hunk')).toEqual(differing.map(({ hunk }) => hunk));
    expect(await page.isChecked('#filter-differing')).toBe(true);
  });

  test('opens the row of a cell of the grid, whatever the filters, and states it in the address', async () => {
    await open(whole, 'show=differing&text=nothing-has-this');
    const index = whole.rows.findIndex(({ same }) => same);
    const { scenario, hunk } = whole.rows[index] ?? {};
    await page.click(`.grid a[href="#row-${index}"]`);
    expect(await page.locator(`#row-${index} .open`).getAttribute('aria-expanded')).toBe('true');
    expect(await count()).toBe(`${whole.rows.length} rows`);
    const given = new URL(page.url()).hash.slice(1);
    expect(new URLSearchParams(given).get('row')).toBe(`${scenario} ${hunk}`);
    await open(whole, given);
    expect(await page.locator(`#row-${index} .open`).getAttribute('aria-expanded')).toBe('true');
  });

  test("links to the patch's mail", async () => {
    await open(report([initrdRow()]));
    await page.locator('.open').click();
    const link = page.getByRole('link', { name: 'patch 09' });
    expect(await link.getAttribute('href')).toBe('https://example.org/9');
  });

  test('shows every row, in the order of the report', async () => {
    await open();
    expect(await count()).toBe(`${whole.rows.length} rows`);
    expect(await cells('hunk')).toEqual(whole.rows.map(({ hunk }) => hunk));
    expect(await head('Outcome').getAttribute('aria-sort')).toBe('none');
  });

  test('sorts by a column: ascending, descending, then back in the order of the series', async () => {
    await open();
    await sortBy('Without hunk');
    const up = await cells('hunk');
    expect(up).toEqual(whole.rows.map(({ hunk }) => hunk).sort());
    expect(await head('Without hunk').getAttribute('aria-sort')).toBe('ascending');
    await sortBy('Without hunk');
    expect(await cells('hunk')).toEqual([...up].reverse());
    expect(await head('Without hunk').getAttribute('aria-sort')).toBe('descending');
    await sortBy('Without hunk');
    expect(await cells('hunk')).toEqual(whole.rows.map(({ hunk }) => hunk));
    expect(await head('Without hunk').getAttribute('aria-sort')).toBe('none');
  });

  test('is sorted by a column with the keyboard', async () => {
    await open();
    await page.getByRole('button', { name: 'Outcome', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    expect(await head('Outcome').getAttribute('aria-sort')).toBe('descending');
    expect((await cells('outcome'))[0]).toMatch(/^triple-fault/);
  });

  test('combines the filters by words, scenario, outcome, patch and difference', async () => {
    await open();
    const of = (keep: (row: MatrixReport['rows'][number]) => boolean): number =>
      whole.rows.filter(keep).length;
    const shows = async (expected: number): Promise<void> => {
      expect(await visibleRows().count()).toBe(expected);
      expect(await count()).toBe(`${expected} of ${whole.rows.length} rows`);
    };
    await page.getByLabel('Only rows that differ').check();
    await shows(of((r) => !r.same));
    await page.getByLabel('Scenario').selectOption('epyc-efi');
    await shows(of((r) => !r.same && r.scenario === 'epyc-efi'));
    await page.getByLabel('Outcome').selectOption('panic');
    await shows(of((r) => r.outcome.kind === 'panic' && r.scenario === 'epyc-efi'));
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await count()).toBe(`${whole.rows.length} rows`);
    await page.getByLabel('Patch').selectOption('10');
    await shows(of((r) => r.hunk.startsWith('10/')));
    await page.getByLabel('Search all columns').fill('EFI_config firmware');
    await shows(of((r) => r.hunk.startsWith('10/') && r.wrong?.writer === 'firmware'));
    await page.getByLabel('Search all columns').fill('no such thing');
    await shows(0);
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(await visibleRows().count()).toBe(whole.rows.length);
  });

  test('shows the values of a row in its cells, and the details when it is expanded', async () => {
    await open(report([row(), initrdRow()]));
    const line = page.locator('tr[data-row="1"]');
    expect(await line.locator('td').allTextContents()).toEqual([
      'bios-minimal',
      '09/initrd',
      'out',
      'panicmount_block_root',
      'initrd',
      'loader (C=0)',
      'unpack_to_rootfs (C=1)',
      'written by loader with C=0 and never encrypted, read by unpack_to_rootfs with C=1',
    ]);
    const button = line.getByRole('button');
    expect(await button.getAttribute('aria-expanded')).toBe('false');
    await button.click();
    expect(await button.getAttribute('aria-expanded')).toBe('true');
    const pairs = await page.locator('tr.details:visible dl > div').allTextContents();
    expect(pairs).toEqual([
      'Editsarch/x86/kernel/setup.c',
      'Posted aspatch 09',
      'Doesthe initrd is encrypted in place before the check whether it must be relocated',
      'First used inreserve_initrd',
      'Endspanic in mount_block_root: VFS: Unable to mount root fs on unknown-block(0,0)',
      'First wrong line0x7ff9e000',
      'Written byloader (C=0)',
      'Read byunpack_to_rootfs (C=1)',
      'No longer intactinitrd',
      'Shown bysme-boot run bios-minimal --without 09/initrdCopy',
    ]);
    await sortBy('Without hunk');
    await sortBy('Without hunk');
    expect(await page.locator('tr[data-row="1"] + tr.details').isVisible()).toBe(true);
    await page.getByLabel('Patch').selectOption('04');
    expect(await page.locator('tr.details').isVisible()).toBe(false);
    await page.getByLabel('Patch').selectOption('');
    expect(await page.locator('tr.details').isVisible()).toBe(true);
    await button.click();
    expect(await page.locator('tr.details').isVisible()).toBe(false);
  });

  test('copies the command of a row to the clipboard, or selects it where that is refused', async () => {
    await browser?.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await open(report([initrdRow()]));
    await page.locator('tr[data-row="0"]').getByRole('button').click();
    const copy = page.getByRole('button', { name: /^Copy the command/ });
    await copy.click();
    await page.getByText('Copied').first().waitFor();
    const command = 'sme-boot run bios-minimal --without 09/initrd';
    expect(await value('navigator.clipboard.readText()')).toBe(command);
    await value('navigator.clipboard.writeText = () => Promise.reject(new Error())');
    await copy.click();
    await page.getByText('Selected').first().waitFor();
    expect(await value('getSelection().toString()')).toBe(command);
  });

  test('shows markup in a report as text', async () => {
    const evil = '<img src=x onerror=alert(1)></script><script>alert(2)</script>';
    const bad = initrdRow({ hunk: evil, cause: evil, command: evil, what: evil, lost: [evil] });
    await open(report([bad], { series: evil, missing: [evil] }));
    await page.locator('tr[data-row="0"]').getByRole('button').click();
    expect(await page.locator('tr.details code').textContent()).toBe(evil);
    expect(await cells('hunk')).toEqual([evil]);
    expect(await page.locator('img').count()).toBe(0);
  });

  test.each([375, 800, 1168, 1169, 1391, 1392, 2000])(
    'does not scroll sideways in a window of %i px',
    async (width) => {
      await page.setViewportSize({ width, height: 800 });
      const long = 'a_name_that_is_much_longer_than_most_of_the_kernel'.repeat(2);
      await open({ ...whole, rows: [...whole.rows, initrdRow({ hunk: `09/${'x'.repeat(40)}` })] });
      for (const line of [0, 1, 3]) await page.locator('button.open').nth(line).click();
      expect(await value('document.documentElement.scrollWidth')).toBe(width);
      if (width > 375) return;
      await open(report([initrdRow({ scenario: long, hunk: long, cause: long, command: long })]));
      await page.locator('button.open').click();
      expect(await value('document.documentElement.scrollWidth')).toBe(width);
    },
  );

  test('is dark if the browser prefers a dark colour scheme', async () => {
    const paper = 'getComputedStyle(document.body).backgroundColor';
    await page.emulateMedia({ colorScheme: 'light' });
    await open();
    expect(await value(paper)).toBe('rgb(251, 251, 250)');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await value(paper)).toBe('rgb(22, 24, 27)');
  });

  test('prints its rows without the controls', async () => {
    await open();
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('#controls').isVisible()).toBe(false);
    expect(await visibleRows().count()).toBe(whole.rows.length);
  });

  test('is a plain table in a browser without scripts', async () => {
    const launched = browser?.context.browser() ?? undefined;
    const context = await launched?.newContext({ javaScriptEnabled: false, viewport: WIDE });
    if (context === undefined) throw new Error('no second context');
    page = await context.newPage();
    tabs.push(page);
    await open();
    expect(await visibleRows().count()).toBe(whole.rows.length);
    expect(await page.locator('#controls').isVisible()).toBe(false);
    expect(await page.getByRole('button').count()).toBe(0);
  });
});
