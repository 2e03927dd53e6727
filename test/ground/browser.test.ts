import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { readdirSync } from 'node:fs';

/** Every source file that has to run in a browser. */
const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !/^(node|cli)\//.test(file))
  .sort();

/** Bundles a module with this text for the browser; returns the error messages. */
async function browserErrors(contents: string): Promise<string[]> {
  const bundled = build({
    stdin: { contents, resolveDir: 'src', loader: 'ts' },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  return bundled.then(
    () => [],
    (error: { errors: { text: string }[] }) => error.errors.map(({ text }) => text),
  );
}

describe('a browser bundle', () => {
  test('can be made of every module outside node/ and cli/', async () => {
    expect(files).toContain('base/errors.ts');
    const contents = files.map((file) => `export * as _${files.indexOf(file)} from './${file}';`);
    expect(await browserErrors(contents.join('\n'))).toEqual([]);
  }, 60_000);

  test('cannot be made of a module that needs Node', async () => {
    const errors = await browserErrors("export * from 'node:fs';");
    expect(errors).toEqual([expect.stringContaining('node:fs')]);
  });
});
