/** The viewer in a browser. */
import { readFileSync, writeFileSync } from 'node:fs';
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
import type { Page } from 'playwright-core';
import { errorPage, pageOf } from '../../src/cli/view.js';
import { pa } from '../../src/machine/address.js';
import { createBoot, loadScenario } from '../../src/node/library.js';
import { serveView } from '../../src/node/view-server.js';
import { stateName } from '../../src/sequencer/final-state.js';
import { elf, elfOf, program } from '../cli/code-image.js';
import { sme } from '../cli/io.js';
import { startBrowser, type Browser } from './chromium.js';

jest.setTimeout(240_000);

let browser: Browser | undefined;
let page: Page;
/** Console messages, errors and dialogs of the page, and its requests to the network. */
let complaints: string[] = [];

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  if (browser === undefined) throw new Error('no browser was started');
  complaints = [];
  page = await browser.context.newPage();
  page.on('console', (message) => {
    // The test itself reads the map's pixels.
    if (!message.text().includes('getImageData')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!/^(?:file|blob):/.test(request.url())) complaints.push(request.url());
  });
  page.setDefaultTimeout(30_000);
  await page.setViewportSize({ width: 1400, height: 900 });
});
afterEach(async () => {
  await page.close();
  expect(complaints).toEqual([]);
});

let pages = 0;

/** Opens the page of a scenario, at a view. */
async function open(scenario: string, fragment = ''): Promise<string> {
  const file = join(browser?.dir ?? '', `view-${++pages}.html`);
  writeFileSync(file, pageOf(scenario, {}, false));
  const { href } = pathToFileURL(file);
  await page.goto(`${href}#${fragment}`);
  return href;
}

/** Waits until an expression in the page is true. The page's policy forbids what playwright's own waiting does. */
async function until(expression: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await page.evaluate(expression)) === true) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`it never held: ${expression}`);
}

/** Waits until the boot has ended. */
const ended = (): Promise<unknown> => page.waitForSelector('#outcome');
const text = async (selector: string): Promise<string> =>
  ((await page.textContent(selector)) ?? '').trim();
const step = async (label: string): Promise<void> => {
  await page.selectOption('#label', label);
  await until(`document.querySelector('.story code')?.textContent === ${JSON.stringify(label)}`);
};
/** The colours of the map that a quarter of its pixels or more have, by their names in the style. */
const colours = (): Promise<string[]> =>
  page.evaluate(`(() => {
    const canvas = document.querySelector('#map');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const style = getComputedStyle(canvas);
    return ['plain', 'cipher', 'noise', 'mixed'].filter((name) => {
      const value = style.getPropertyValue('--' + name).trim();
      const wanted = [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16));
      let n = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (wanted.every((part, j) => part === data[i + j])) n++;
      }
      return n > data.length / 16;
    });
  })()`);
/** The bytes of the panel that are read through a view: the first 16. */
const bytes = async (view: string): Promise<string> => {
  const row = page.locator(`#bytes tr[data-views~="${view}"]`).first();
  return (await row.locator('.bytes span:not(.text)').allTextContents()).join('');
};

const TEXT = 'panel=memory&place=kernel%20text&map=0x1000000%2B0x800000';

describe('the viewer', () => {
  test("shows the kernel's tiles change from plain to cipher, and the bytes that inspect prints", async () => {
    await open('bios-minimal', TEXT);
    await ended();
    for (const [label, colour] of [
      ['startup_64:identity-map', 'plain'],
      ['startup_64:phys_base', 'cipher'],
    ] as const) {
      await step(label);
      await until(`document.querySelector('#bytes') !== null`);
      for (let i = 0; i < 40 && (await colours()).join() !== colour; i++) {
        await page.waitForTimeout(50);
      }
      expect(await colours()).toEqual([colour]);
      for (const as of ['dram', 'c0', 'c1']) {
        const { out } = await sme([
          ...['inspect', 'bios-minimal', '--at', label, '--mem', 'kernel text:16', '--as', as],
          ...['--format', 'json'],
        ]);
        const { mem } = JSON.parse(out) as { mem: { bytes: string } };
        expect([label, as, await bytes(as)]).toEqual([label, as, mem.bytes]);
      }
    }
  });

  test('boots again without a hunk, panics, and shows the difference', async () => {
    await open('bios-minimal', 'panel=difference');
    await ended();
    expect(await text('#outcome')).toContain('booted');
    await page.locator('.hunks summary', { hasText: 'Patch 09' }).click();
    await page.locator('[data-hunk="09/initrd"]').uncheck();
    await page.waitForSelector('#outcome.panic');
    await page.waitForSelector('#differing-steps');
    expect(await text('#difference')).toContain('booted → panic');
    expect(await text('#difference')).toContain('reserve_initrd');
    expect(await page.locator('#differing-memory li').count()).toBeGreaterThan(0);
    expect(await text('#words')).toBe('sme-boot run bios-minimal --stage 18 --without 09/initrd');
  });

  test('opens a shared link in the same state', async () => {
    const href = await open('bios-minimal');
    await ended();
    await step('init_mem_mapping');
    await page.click('#tab-walk');
    await page.fill('#place', 'initrd');
    await page.press('#place', 'Enter');
    await page.selectOption('#layer', 'owners');
    await page.waitForSelector('#walk');
    const state = async (): Promise<(string | null)[]> => [
      await text('.story code'),
      await text('#walk-end'),
      await page.inputValue('#place'),
      await page.inputValue('#layer'),
      await page.getAttribute('#tab-walk', 'aria-selected'),
    ];
    const [before, url] = [await state(), page.url()];
    expect(url).not.toBe(href);
    await page.goto('about:blank');
    await page.goto(url);
    await ended();
    await page.waitForSelector('#walk');
    expect(await state()).toEqual(before);
    expect(before[0]).toBe('init_mem_mapping');
  });

  test('goes back to the panel, place and boot before; a step of the slider is no view of its own', async () => {
    await open('bios-minimal', 'panel=reads');
    await ended();
    await page.click('#tab-walk');
    await page.fill('#place', 'initrd');
    await page.press('#place', 'Enter');
    await page.waitForSelector('#walk');
    await step('init_mem_mapping');
    await step('reserve_initrd');
    await page.locator('.hunks summary', { hasText: 'Patch 09' }).click();
    await page.locator('[data-hunk="09/initrd"]').uncheck();
    await page.waitForSelector('#outcome.panic');
    await page.goBack();
    await page.waitForSelector('#outcome.booted');
    expect(await page.locator('[data-hunk="09/initrd"]').isChecked()).toBe(true);
    expect([await page.inputValue('#place'), await text('.story code')]).toEqual([
      'initrd',
      'reserve_initrd',
    ]);
    await page.goBack();
    await until(`document.querySelector('#place').value === 'kernel text'`);
    expect(await page.getAttribute('#tab-walk', 'aria-selected')).toBe('true');
    await page.goBack();
    await page.waitForSelector('#tab-reads[aria-selected="true"]');
  });

  test('walks an address as inspect does', async () => {
    await open('bios-minimal', 'at=startup_64%3Aswitch&panel=walk&place=_text');
    await ended();
    await page.waitForSelector('#walk');
    const { out } = await sme([
      'inspect',
      'bios-minimal',
      '--at',
      'startup_64:switch',
      '--vtop',
      '_text',
    ]);
    expect(out.trimEnd().split('\n').at(-1)).toBe(await text('#walk-end'));
    expect(await page.locator('#walk tbody tr').count()).toBe(3);
  });

  test('filters events', async () => {
    await open('bios-minimal', 'at=startup_64%3Aphys_base');
    await ended();
    const all = await page.locator('#events tbody tr').count();
    await page.fill('#filter', 'kind=encrypt');
    await until(`document.querySelectorAll('#events tbody tr').length < ${all}`);
    for (const row of await page.locator('#events tbody tr').allTextContents()) {
      expect(row).toContain('encrypt');
    }
    expect(await text('#shown')).toMatch(new RegExp(`^\\d+ of ${all} events$`));
  });

  test('says what a wrong value, place and link are', async () => {
    await open('bios-minimal', 'panel=memory&stage=99');
    await ended();
    expect(await text('.error')).toContain('does not know: stage');
    await page.fill('#place', 'nope');
    await page.press('#place', 'Enter');
    await page.waitForSelector('#panel .error');
    expect(await text('#panel .error')).toContain('E_PLACE');
    await page.fill('[data-path="machine.ram"]', '3 bananas');
    await page.press('[data-path="machine.ram"]', 'Tab');
    await page.waitForSelector('#choice-error');
    expect(await text('#choice-error')).toContain('E_SCENARIO');
  });

  test('is used with the keyboard alone', async () => {
    await open('bios-minimal', TEXT);
    await ended();
    await page.focus('#map');
    const first = await text('#tile');
    await page.keyboard.press('ArrowRight');
    await until(`document.querySelector('#tile').textContent !== ${JSON.stringify(first)}`);
    await page.keyboard.press('Enter');
    await until(`document.querySelector('#place').value.startsWith('0x100')`);
    await page.keyboard.press('+');
    await until(`document.querySelector('#window').textContent.includes('128 bytes')`);
    await page.focus('#tab-memory');
    await page.keyboard.press('ArrowRight');
    expect(await page.getAttribute('#tab-walk', 'aria-selected')).toBe('true');
  });

  test('shows hostile names as text', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202e\u0007';
    const file = join(browser?.dir ?? '', 'hostile.html');
    writeFileSync(
      file,
      pageOf(
        'bios-minimal',
        { set: [`title=${JSON.stringify(hostile)}`], cmdline: hostile },
        false,
      ),
    );
    await page.goto(pathToFileURL(file).href);
    await ended();
    expect(await page.locator('img').count()).toBe(0);
    expect(await text('h1')).toBe('<img src=x onerror=alert(1)>\\u202e\\u0007');
    for (const panel of ['events', 'screen', 'reads', 'reports']) {
      await page.click(`#tab-${panel}`);
    }
    expect(await page.locator('img').count()).toBe(0);
  });

  test('says that a file is no kernel, and goes on with the built-in one', async () => {
    await open('bios-minimal');
    await ended();
    expect(await text('#image')).toBe('built-in, 4.6.0 (built-in)');
    await page.setInputFiles('#kernel', 'README.md');
    await page.waitForSelector('#offer-error');
    expect(await text('#offer-error')).toContain('E_NOT_A_KERNEL: README.md');
    await page.getByRole('button').click();
    await ended();
    expect(await text('#image')).toBe('built-in, 4.6.0 (built-in)');
  });

  test('executes a kernel that is dropped on it', async () => {
    await open('firmware-syscfg');
    await ended();
    expect(await page.isDisabled('#execute')).toBe(true);
    const { code, symbols } = program();
    const dropped = await page.evaluateHandle(`(() => {
      const data = new DataTransfer();
      const bytes = atob('${Buffer.from(elf(code, symbols)).toString('base64')}');
      data.items.add(new File([Uint8Array.from(bytes, (each) => each.charCodeAt(0))], 'tiny'));
      return data;
    })()`);
    await page.dispatchEvent('.drop', 'drop', { dataTransfer: dropped });
    await until(`document.querySelector('#image')?.textContent === 'tiny'`);
    await page.check('#execute');
    await page.waitForSelector('#outcome.halt');
    expect(await page.locator('#stage').count()).toBe(0);
    expect(await page.locator('#label option').allTextContents()).toEqual(['loader', '_text']);
    expect(await text('#executed')).toBe('0.0 million instructions');
    expect(await text('#words')).toBe('sme-boot run firmware-syscfg --execute --kernel tiny');
    await page.click('#tab-screen');
    expect(await text('#screen')).toBe('ok');
    await page.click('#tab-reads');
    expect(await text('#reads')).toContain('not of executed instructions');
    await page.click('#tab-reports');
    expect(await text('#reports')).toContain('needs --sanitize');
    await page.fill('#until', 'nope');
    await page.press('#until', 'Tab');
    await page.waitForSelector('#choice-error');
    expect(await text('#choice-error')).toContain('E_LABEL');
    await page.fill('#until', 'put_o');
    await page.press('#until', 'Tab');
    await page.waitForSelector('#outcome.stopped');
    await page.click('#console-words');
    await until(`document.querySelector('#words').textContent.includes('console=ttyS0')`);
  });

  test('keeps what is typed while a boot runs', async () => {
    await open('bios-minimal');
    await page.waitForSelector('#progress');
    await page.focus('[data-path="machine.seed"]');
    for (const character of 'abcdefgh') {
      await page.keyboard.type(character);
      await page.waitForTimeout(200);
    }
    await page.keyboard.press('Enter');
    await until(`document.querySelector('#words').textContent.endsWith('machine.seed=abcdefgh')`);
    await ended();
    // Undone before the field is left: the value is that of the boot again.
    await page.fill('[data-path="machine.seed"]', 'other');
    await page.fill('[data-path="machine.seed"]', 'abcdefgh');
    await page.press('[data-path="machine.seed"]', 'Tab');
    await page.goBack();
    await until(`document.querySelector('[data-path="machine.seed"]').value === ''`);
  });

  test('ends an executed boot where it is stopped, and says what a link to one lacks', async () => {
    const file = join(browser?.dir ?? '', 'hangs.html');
    // nop; jmp to itself
    const kernel = join(browser?.dir ?? '', 'hangs');
    writeFileSync(kernel, elfOf('90ebfe'));
    writeFileSync(file, pageOf('firmware-syscfg', { kernel, execute: true }, false));
    await page.goto(pathToFileURL(file).href);
    await until(`/[1-9]/.test(document.querySelector('#executed')?.textContent ?? '')`);
    await page.click('#stop');
    await page.waitForSelector('#outcome.interrupted');
    expect(await text('#outcome')).toContain('stopped in the page');
    await open('firmware-syscfg', 'execute=1');
    await page.waitForSelector('#choice-error');
    expect(await text('#choice-error')).toContain('no code that could be executed');
  });

  test('fits a narrow window', async () => {
    await page.setViewportSize({ width: 400, height: 800 });
    await open('bios-minimal');
    await ended();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
  });

  test('takes the tour', async () => {
    await open('epyc-efi');
    await ended();
    await page.click('#tour');
    expect(await text('.tour h2')).toContain('1 of 10');
    await page.click('#tour-next');
    expect(await text('.tour h2')).toContain('2 of 10');
    await until(`document.querySelector('.story code').textContent === 'startup_64'`);
  });
});

test('a served page says what is wrong with a changed file, and comes back when it is right', async () => {
  const file = join(browser?.dir ?? '', 'served.yaml');
  const right = readFileSync('scenarios/bios-minimal.yaml', 'utf8');
  writeFileSync(file, right);
  const controller = new AbortController();
  let serving: Promise<void> | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    serving = serveView({
      port: 0,
      page: () => pageOf(file, {}, true),
      errorPage,
      files: [file],
      signal: controller.signal,
      onListening: resolve,
    });
    serving.catch(reject);
  });
  try {
    await page.goto(url);
    await ended();
    writeFileSync(file, `${right}nonsense: <b id="hostile">\n`);
    await page.waitForSelector('#error');
    expect(await text('#error')).toContain('nonsense');
    writeFileSync(file, right);
    await ended();
  } finally {
    controller.abort();
    await serving;
  }
  // The server is that of the page; its error has status 500.
  const others = complaints.filter((each) => !each.startsWith(url) && !/500/.test(each));
  expect(others).toEqual([]);
  complaints = [];
});

test("the page's numbers are those of the library, at every label", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const file = join(browser?.dir ?? '', 'numbers.html');
  writeFileSync(file, pageOf('epyc-efi', { set: [`machine.seed=view-${seed}`] }, false));
  await page.goto(`${pathToFileURL(file).href}#panel=reports`);
  await ended();
  const seeded = createBoot(loadScenario('epyc-efi', { 'machine.seed': `view-${seed}` }));
  const labels = await page.locator('#label option').allTextContents();
  expect(labels).toEqual([...seeded.labels]);
  for (const label of labels) {
    seeded.runTo(label);
    await step(label);
    const regions = await page.evaluate<string[][]>(
      `[...document.querySelectorAll('#regions tbody tr')].map((row) =>
        [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim()))`,
    );
    const expected = [...seeded.regions()]
      .sort((a, b) => a.base - b.base || b.size - a.size)
      .map(({ name, base, size }) => [
        name,
        `0x${base.toString(16)}`,
        stateName(seeded.machine.dram.stateOf(pa(base), size)),
      ]);
    expect([seed, label, regions.map(([name, at, , state]) => [name, at, state])]).toEqual([
      seed,
      label,
      expected,
    ]);
    const rules = await page.locator('#reports > li strong').allTextContents();
    expect([seed, label, rules]).toEqual([seed, label, seeded.reports().map(({ rule }) => rule)]);
  }
});
