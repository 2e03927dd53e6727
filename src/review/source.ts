/** A kernel source tree as the review sees it. */
import type { Parser } from 'web-tree-sitter';
import { indexAssembly } from './asm-index.js';
import { indexC } from './c-index.js';
import { type Definition, FileIndex } from './definition.js';

/** A source tree: its files are read when they are asked for. */
export interface Source {
  /** Major and minor number: 4.6. */
  readonly release: string;
  /** The whole version: 4.6.5. */
  readonly version: string;
  /** The text of a file by its path from the root; undefined if there is none. Throws E_READ, E_TREE. */
  text(path: string): string | undefined;
  /** The definitions of a file; undefined if there is no such file. Throws as `text`. */
  index(path: string): FileIndex | undefined;
}

/** Definitions by a pattern on each line: its first group is the name. */
function byLine(
  path: string,
  text: string,
  pattern: RegExp,
  make: (name: string) => Pick<Definition, 'name' | 'kind'>,
): FileIndex {
  const found = text.split('\n').flatMap((lineText, at): Definition[] => {
    const name = pattern.exec(lineText)?.[1];
    return name === undefined ? [] : [{ ...make(name), line: at + 1, endLine: at + 1 }];
  });
  return new FileIndex(path, found);
}

/** The definitions of a file by the kind of its name: C, assembly, Kconfig, or a list of options in Documentation/. */
export function indexFile(path: string, text: string, parser: Parser): FileIndex {
  if (/\.[ch]$/.test(path)) return indexC(path, text, parser);
  if (path.endsWith('.S')) return indexAssembly(path, text);
  if (/(?:^|\/)Kconfig[\w.-]*$/.test(path)) {
    const config = (name: string): Pick<Definition, 'name' | 'kind'> => ({
      name: `CONFIG_${name}`,
      kind: 'config',
    });
    return byLine(path, text, /^\s*(?:menu)?config\s+(\w+)\s*$/, config);
  }
  if (path.startsWith('Documentation/')) {
    return byLine(path, text, /^\s+([\w.-]+)(?:=|\s*$|\s+\[)/, (name) => ({
      name,
      kind: 'option',
    }));
  }
  return new FileIndex(path, []);
}
