/** What a source file defines: names with their places, values and bodies. */
import type { NameKind } from '../series/record.js';

/** A definition in a source file. */
export interface Definition {
  /** The name; STRUCT.MEMBER for a member. */
  readonly name: string;
  /** A `declaration` is a prototype, or an `extern` variable. */
  readonly kind: NameKind | 'declaration';
  /** The line of the name, from 1. */
  readonly line: number;
  /** The last line of the definition. */
  readonly endLine: number;
  /** The body of a function, or the value of a macro, constant or enumerator, without comments; absent if there is none. */
  readonly body?: Body;
}

/** A part of a file. */
export interface Body {
  readonly text: string;
  /** The line of its first character, from 1. */
  readonly line: number;
}

/** The definitions of a file, in its order. */
export class FileIndex {
  readonly #byName = new Map<string, Definition[]>();

  constructor(
    readonly path: string,
    readonly definitions: readonly Definition[],
  ) {
    for (const definition of definitions) {
      const same = this.#byName.get(definition.name);
      if (same === undefined) this.#byName.set(definition.name, [definition]);
      else same.push(definition);
    }
  }

  /** All definitions of a name: a header may have one for each configuration. */
  all(name: string): readonly Definition[] {
    return this.#byName.get(name) ?? [];
  }
}
