// What the build inserts into the sources in place of names: for esbuild's `define`, and as jest's globals.
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Values by name. */
export const CONSTANTS = { SME_BOOT_VERSION: version };

/** The same as esbuild's `define`: source text by name. */
export const DEFINES = Object.fromEntries(
  Object.entries(CONSTANTS).map(([name, value]) => [name, JSON.stringify(value)]),
);
