/** The parser for C of `sme-boot review`: tree-sitter with its grammar of C, both WebAssembly. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Parser } from 'web-tree-sitter';
import { readBytes } from './files.js';
import { packageRoot } from './package-files.js';

/** A module of WebAssembly: scripts/build.mjs copies it into dist/; a checkout has it in node_modules/. */
function moduleBytes(name: string, from: string): Uint8Array {
  const built = join(packageRoot(), 'dist', name);
  return readBytes(existsSync(built) ? built : join(packageRoot(), 'node_modules', from, name));
}

/** Makes a parser for C. It holds memory of WebAssembly until the process ends. */
export async function cParser(): Promise<Parser> {
  const { Language, Parser } = await import('web-tree-sitter');
  await Parser.init({ wasmBinary: moduleBytes('web-tree-sitter.wasm', 'web-tree-sitter') });
  const parser = new Parser();
  parser.setLanguage(await Language.load(moduleBytes('tree-sitter-c.wasm', 'tree-sitter-c')));
  return parser;
}
