/** A kernel source tree in a folder. */
import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Parser } from 'web-tree-sitter';
import { InputError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { FileIndex } from '../review/definition.js';
import { versionOf } from '../review/release.js';
import { indexFile, type Source } from '../review/source.js';
import { fileError, systemCode } from './file-errors.js';
import { readBytes } from './files.js';
import { kindOfPath } from './path-kind.js';

/** A path with all links followed; undefined if there is nothing. Throws E_READ. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined;
    throw fileError('E_READ', path, error);
  }
}

/** The files of a tree below a folder. Nothing outside of the folder is read. */
export class SourceTree implements Source {
  readonly release: string;
  readonly version: string;
  readonly #root: string;
  readonly #indexes = new Map<string, FileIndex | undefined>();

  /** Throws E_TREE if the folder is no kernel source tree. */
  constructor(
    readonly folder: string,
    readonly parser: Parser,
  ) {
    if (kindOfPath(folder) !== 'folder') {
      const reason = 'not a folder, or it cannot be read';
      throw new InputError({ code: 'E_TREE', place: { file: folder }, reason });
    }
    this.#root = realPath(folder) ?? folder;
    const makefile = this.text('Makefile');
    const version = makefile === undefined ? undefined : versionOf(makefile);
    if (version === undefined) {
      throw new InputError({
        code: 'E_TREE',
        place: { file: join(folder, 'Makefile') },
        reason: 'not the root of a kernel source tree',
        expected: 'VERSION = and PATCHLEVEL =',
        found: makefile === undefined ? 'no such file' : 'a Makefile without them',
      });
    }
    this.release = version.release;
    this.version = version.version;
  }

  text(path: string): string | undefined {
    const file = join(this.folder, path);
    const real = realPath(file);
    if (real === undefined) return undefined;
    if (!real.startsWith(this.#root + sep)) {
      throw new InputError({
        code: 'E_TREE',
        place: { file },
        reason: 'a link that leads outside of the tree; it is not followed',
      });
    }
    if (kindOfPath(real) === 'folder') return undefined;
    const bytes = readBytes(file, LIMITS.sourceFile);
    if (bytes.includes(0)) {
      const reason = 'not a text: it has bytes of 0';
      throw new InputError({ code: 'E_TREE', place: { file }, reason });
    }
    // Old files of the kernel have names in Latin-1 in comments: such bytes are replaced, no name has them.
    return new TextDecoder().decode(bytes);
  }

  index(path: string): FileIndex | undefined {
    if (!this.#indexes.has(path)) {
      const text = this.text(path);
      const index = text === undefined ? undefined : indexFile(path, text, this.parser);
      this.#indexes.set(path, index);
    }
    return this.#indexes.get(path);
  }
}
