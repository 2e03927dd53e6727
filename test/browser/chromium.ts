/** Chromium without a window, for tests of pages. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const known = JSON.parse(readFileSync('scripts/chromium.json', 'utf8')) as {
  executable: string;
  flags: string[];
};

/** A browser that knows nothing of any other, and how to end it. */
export interface Browser {
  readonly context: BrowserContext;
  /** A directory of its own for files to open. */
  readonly dir: string;
  close(): Promise<void>;
}

/** Starts Chromium: Debian's, or the one that CHROMIUM names. Fails if there is none; these tests are never passed over. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? known.executable;
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}, so the pages were not tried: ` +
        `apt-get install chromium, or let CHROMIUM name one.`,
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
