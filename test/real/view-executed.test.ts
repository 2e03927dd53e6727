/** Debian's kernel, given to the page, boots there: as the model has it, and executed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { pageOf } from '../../src/cli/view.js';
import { startBrowser, type Browser } from '../browser/chromium.js';
import { sme } from '../cli/io.js';
import { debianKernelFile } from './debian-kernel.js';

jest.setTimeout(300_000);

let browser: Browser;
let page: Page;
const complaints: string[] = [];
beforeAll(async () => {
  browser = await startBrowser();
  page = await browser.context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterAll(async () => {
  await browser.close();
});

const text = async (selector: string): Promise<string> =>
  ((await page.textContent(selector)) ?? '').trim();
/** Waits for the end of a boot. */
const ended = (kind: string): Promise<unknown> =>
  page.waitForSelector(`#outcome.${kind}`, { timeout: 200_000 });

test('boots as the model has it, and executed, with its text encrypted and read as inspect does', async () => {
  const file = join(browser.dir, 'real.html');
  writeFileSync(file, pageOf('firmware-syscfg', {}, false));
  await page.goto(`${pathToFileURL(file).href}#panel=screen`);
  await ended('booted');
  const kernel = debianKernelFile();
  await page.setInputFiles('#kernel', kernel);
  for (let i = 0; i < 600 && !(await text('#image')).includes('-cloud-amd64'); i++) {
    await page.waitForTimeout(100);
  }
  await ended('booted');

  await page.check('#execute');
  await page.click('#stop');
  await ended('interrupted');
  await page.click('#console-words');
  await page.fill('#until', 'setup_arch');
  await page.press('#until', 'Tab');
  await ended('stopped');
  expect(await text('#screen')).toMatch(/Linux version 6\.1\./);
  const labels = await page.locator('#label option').allTextContents();
  expect(labels).toEqual(
    expect.arrayContaining(['sme_enable', 'sme_encrypt_kernel', 'setup_arch']),
  );

  await page.selectOption('#label', 'sme_encrypt_kernel');
  await page.click('#tab-memory');
  await page.fill('#place', 'linux_banner');
  await page.press('#place', 'Enter');
  const bytes = async (view: string): Promise<string> => {
    const row = page.locator(`#bytes tr[data-views~="${view}"]`).first();
    return (await row.locator('.bytes span:not(.text)').allTextContents()).join('');
  };
  await page.waitForSelector('#bytes');
  await page.waitForTimeout(2000);
  for (const as of ['dram', 'c1']) {
    const { out } = await sme([
      ...['inspect', 'firmware-syscfg', '--kernel', kernel, '--execute'],
      ...['--at', 'x86_64_start_kernel', '--mem', 'linux_banner:16', '--as', as],
      ...['--cmdline', 'console=ttyS0 earlyprintk=serial,ttyS0,115200 mem_encrypt=on'],
      ...['--format', 'json'],
    ]);
    const { mem } = JSON.parse(out) as { mem: { bytes: string } };
    expect([as, await bytes(as)]).toEqual([as, mem.bytes]);
  }
  expect(Buffer.from(await bytes('c1'), 'hex').toString()).toBe('Linux version 6.');
  expect(complaints).toEqual([]);
});
