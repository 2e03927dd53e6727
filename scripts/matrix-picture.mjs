// Takes the picture of a matrix page for the README: node scripts/matrix-picture.mjs FILE.html OUT.png
// Chromium is Debian's, or the one that CHROMIUM names.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const known = JSON.parse(readFileSync(new URL('chromium.json', import.meta.url), 'utf8'));
const executablePath = process.env.CHROMIUM || known.executable;
const [file, out] = process.argv.slice(2);

/** Prints an error and exits with a status. */
function stop(status, message) {
  console.error(message);
  process.exit(status);
}

if (file === undefined || out === undefined) {
  stop(2, 'usage: node scripts/matrix-picture.mjs FILE.html OUT.png');
}
if (!existsSync(file)) stop(2, `there is no ${file}`);
if (!existsSync(executablePath)) {
  stop(2, `there is no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM`);
}

const profile = mkdtempSync(join(tmpdir(), 'sme-boot-chromium-'));
try {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: known.flags,
    viewport: { width: 1200, height: 800 },
    colorScheme: 'light',
  });
  const page = await context.newPage();
  await page.goto(pathToFileURL(resolve(file)).href);
  await page.screenshot({ path: out });
  await context.close();
} finally {
  rmSync(profile, { recursive: true, force: true });
}
