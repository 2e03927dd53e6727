/** The page of a review in a browser. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { reviewHtml } from '../../src/review/report-html.js';
import type { Row } from '../../src/review/result.js';
import { startBrowser, type Browser } from './chromium.js';

jest.setTimeout(60_000);

let browser: Browser;
let page: Page;
const complaints: string[] = [];

const claim = (name: string, state: Row['state'], line: number): Row => ({
  patch: 3,
  about: 'name',
  claim: name,
  record: { file: 'patches/0003.yaml', path: 'adds.0' },
  state,
  source: { file: 'arch/x86/kernel/mem_encrypt.S', line },
});

const ROWS = [claim('sme_me_mask', 'agrees', 21), claim('sme_<b>bold</b>', 'differs', 40)];

beforeAll(async () => {
  browser = await startBrowser();
  page = await browser.context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  const file = join(browser.dir, 'review.html');
  const html = reviewHtml(
    { title: 'Linux 4.6.5', remarks: ['A remark.'], rows: ROWS },
    {
      version: '0',
      recordLine: () => ({ file: 'patches/0003.yaml', line: 7 }),
      patches: new Map([[3, { subject: 'the subject', summary: 'The summary.' }]]),
      excerpt: ({ source }) => ({ first: source?.line ?? 0, lines: ['sme_me_mask:', '\t.quad 0'] }),
      traceLines: new Map([['sme_me_mask', ['{write: 1, in: sme_me_mask}']]]),
      traceName: 'boot.yaml',
    },
  );
  writeFileSync(file, html);
  await page.goto(pathToFileURL(file).href);
});
afterAll(async () => {
  await browser.close();
});

test('follows a patch to its claims, and a claim to its source lines', async () => {
  await page.getByRole('link', { name: '03 the subject' }).click();
  const details = page.locator('#patch-03-1');
  const source = details.locator('pre.source');
  expect(await source.isVisible()).toBe(false);
  await details.locator('summary').click();
  expect(await source.isVisible()).toBe(true);
  expect(await source.innerText()).toContain('21 sme_me_mask:');
  expect(await details.innerText()).toContain('{write: 1, in: sme_me_mask}');
  expect(await details.innerText()).toContain('patches/0003.yaml:7');
});

test('marks what failed, shows markup as text, and asks the network for nothing', async () => {
  const failed = page.locator('details.failed');
  expect(await failed.count()).toBe(1);
  expect(await failed.locator('summary').innerText()).toContain('sme_<b>bold</b>');
  expect(await page.locator('summary b').count()).toBe(0);
  expect(complaints).toEqual([]);
});

test('fits a narrow window', async () => {
  await page.setViewportSize({ width: 360, height: 640 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
});
