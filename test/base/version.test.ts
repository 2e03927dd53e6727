import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { VERSION } from '../../src/base/version.js';
import { DEFINES } from '../../scripts/defines.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** VERSION of the module bundled for a browser. */
async function bundled(define: Record<string, string>): Promise<unknown> {
  const { outputFiles } = await build({
    entryPoints: ['src/base/version.ts'],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'module',
    define,
    write: false,
  });
  const text = outputFiles[0]?.text ?? '';
  return runInNewContext(`${text}; module.VERSION`);
}

describe('the version', () => {
  test('is that of package.json in tests and in the built program', async () => {
    expect(VERSION).toBe(version);
    expect(await bundled(DEFINES)).toBe(version);
  });

  test('is unknown where the module was bundled without it', async () => {
    expect(await bundled({})).toBe('unknown');
  });
});
