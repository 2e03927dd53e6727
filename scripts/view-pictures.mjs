// Takes the pictures of the viewer in docs/: node scripts/view-pictures.mjs, after npm run build.
// Chromium is Debian's, or the one that CHROMIUM names.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const known = JSON.parse(readFileSync(new URL('chromium.json', import.meta.url), 'utf8'));
const executablePath = process.env.CHROMIUM || known.executable;
if (!existsSync(executablePath)) {
  console.error(
    `there is no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM`,
  );
  process.exit(2);
}

/** The kernel has just encrypted itself; its bytes. */
const VIEW = 'at=startup_64%3Aphys_base&panel=memory&place=kernel%20text';
const SIZES = { wide: { width: 1400, height: 900 }, narrow: { width: 400, height: 800 } };

const dir = mkdtempSync(join(tmpdir(), 'sme-boot-pictures-'));
try {
  const file = join(dir, 'view.html');
  const made = spawnSync(
    process.execPath,
    [join(root, 'dist/sme-boot.js'), 'view', '--output', file],
    { stdio: 'inherit' },
  );
  if (made.status !== 0) process.exit(made.status ?? 1);
  const browser = await chromium.launch({ executablePath, args: known.flags });
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport, colorScheme });
      await page.goto(`${pathToFileURL(file).href}#${VIEW}`);
      await page.waitForSelector('#outcome');
      await page.waitForSelector('#bytes');
      // The answers to the last questions are drawn.
      await page.waitForTimeout(500);
      await page.screenshot({ path: join(root, `docs/view-${size}-${colorScheme}.png`) });
      await page.close();
    }
  }
  await browser.close();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
