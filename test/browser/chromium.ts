/** Chromium without a window, for tests of pages. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const known = JSON.parse(readFileSync('scripts/chromium.json', 'utf8')) as {
  executable: string;
  flags: string[];
};

/** A browser with a new profile, and how to close it. */
export interface Browser {
  readonly context: BrowserContext;
  /** A new directory for the files to open. */
  readonly dir: string;
  close(): Promise<void>;
}

/** Starts Chromium: Debian's, or the one at the path in CHROMIUM. Throws if it is missing: these tests are never skipped. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? known.executable;
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}, so the pages were not tested: ` +
        `apt-get install chromium, or set CHROMIUM to the path of one.`,
    );
  }
  const dir = mkdtempSync(join(tmpdir(), 'sme-boot-browser-'));
  const context = await chromium.launchPersistentContext(join(dir, 'profile'), {
    executablePath,
    args: known.flags,
  });
  return {
    context,
    dir,
    async close() {
      await context.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
