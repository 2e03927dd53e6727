/** A kernel source tree in a folder: its version, its files, and what is refused. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Parser } from 'web-tree-sitter';
import { cParser } from '../../src/node/c-parser.js';
import { SourceTree } from '../../src/node/source-tree.js';

let parser: Parser;
beforeAll(async () => {
  parser = await cParser();
});

const folders: string[] = [];
function temporaryFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sme-boot-tree-'));
  folders.push(made);
  return made;
}
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true });
});

const MAKEFILE = 'VERSION = 4\nPATCHLEVEL = 6\nSUBLEVEL = 5\nEXTRAVERSION =\n';

function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const root = temporaryFolder();
  for (const [path, content] of Object.entries({ Makefile: MAKEFILE, ...files })) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

test('has a version, texts and definitions', () => {
  const tree = new SourceTree(folder({ 'a/b.c': 'int f(void) { return 1; }\n' }), parser);
  expect([tree.release, tree.version]).toEqual(['4.6', '4.6.5']);
  expect(tree.text('a/b.c')).toContain('int f');
  expect(tree.text('a/none.c')).toBeUndefined();
  expect(tree.text('Makefile/none')).toBeUndefined();
  expect(tree.text('a')).toBeUndefined();
  expect(tree.index('a/b.c')?.all('f')).toHaveLength(1);
  expect(tree.index('a/none.c')).toBeUndefined();
});

describe('is refused', () => {
  test.each([
    ['a folder that is not there', join(temporaryFolder(), 'none'), /E_TREE: .*not a folder/],
    ['a file', join(folder(), 'Makefile'), /E_TREE: .*not a folder/],
    ['a folder without a Makefile', temporaryFolder(), /E_TREE: .*found no such file/],
    ['a Makefile of something else', folder({ Makefile: 'all:\n' }), /E_TREE: .*without them/],
  ])('%s', (_name, path, message) => {
    expect(() => new SourceTree(path, parser)).toThrow(message);
  });
});

describe('a file of a tree', () => {
  test('that is a link out of the tree is not read', () => {
    const outside = join(temporaryFolder(), 'secret.c');
    writeFileSync(outside, 'int secret;\n');
    const root = folder();
    symlinkSync(outside, join(root, 'link.c'));
    const tree = new SourceTree(root, parser);
    expect(() => tree.text('link.c')).toThrow(/E_TREE: .*link\.c: a link that leads outside/);
    expect(() => tree.text('../secret.c')).not.toThrow();
    expect(tree.text('../secret.c')).toBeUndefined();
  });

  test('that is a link within the tree is read; one to itself is an error', () => {
    const root = folder({ 'a.c': 'int a;\n' });
    symlinkSync('a.c', join(root, 'b.c'));
    symlinkSync('loop.c', join(root, 'loop.c'));
    const tree = new SourceTree(root, parser);
    expect(tree.text('b.c')).toBe('int a;\n');
    expect(() => tree.text('loop.c')).toThrow(/E_READ: .*too many symbolic links/);
  });

  test('that is binary is refused; one with Latin-1 in a comment is read', () => {
    const latin = Uint8Array.from(
      [...'/* '].map((c) => c.charCodeAt(0)).concat([0xe9, 0x2a, 0x2f]),
    );
    const root = folder({ 'bin.c': new Uint8Array([1, 0, 2]), 'latin.c': latin });
    const tree = new SourceTree(root, parser);
    expect(() => tree.text('bin.c')).toThrow(/E_TREE: .*not a text/);
    expect(tree.text('latin.c')).toMatch(/^\/\* /);
  });
});
