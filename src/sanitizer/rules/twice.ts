/** `encrypted-twice`: bytes that are read as noise and written back in place under the key that they were written with. */
import { KEY_PLAIN, LINE_SIZE, type KeyId } from '../../machine/address.js';
import { cBit, firstLine, withC, type Access, type Watch } from '../watch.js';
import type { Writer } from '../writers.js';

/** A range that was read under another key than its writer's: what the reader got of its first line. */
interface Misread {
  readonly length: number;
  readonly key: KeyId;
  readonly writer: Writer;
  readonly noise: string;
}

export type TwiceSnapshot = readonly (readonly [number, Misread])[];

/** Ranges that are remembered, the latest (our choice: more than the 512 pages of a chunk that is converted in place). */
const REMEMBERED = 1024;

export class Twice {
  /** By first address. */
  private misread = new Map<number, Misread>();

  /** Whole lines are read under another key than their writer's. */
  wasMisread(watch: Watch, start: number, length: number, key: KeyId, writer: Writer): void {
    if (start % LINE_SIZE !== 0 || length < LINE_SIZE) return;
    this.misread.delete(start);
    this.misread.set(start, { length, key, writer, noise: firstLine(watch, start, key) });
    const [oldest] = this.misread.keys();
    if (this.misread.size > REMEMBERED && oldest !== undefined) this.misread.delete(oldest);
  }

  written(watch: Watch, access: Access): void {
    const { start, length, key } = access;
    const hit = this.misread.get(start);
    if (hit === undefined || hit.writer.key !== key || length < LINE_SIZE) return;
    this.misread.delete(start);
    const actor = watch.by(access);
    watch.afterwards(() => {
      if (firstLine(watch, start, key) !== hit.noise) return;
      const twice = key === KEY_PLAIN ? 'decrypted' : 'encrypted';
      watch.report({
        rule: 'encrypted-twice',
        ...actor,
        ...{ start, length: Math.min(length, hit.length), va: access.va, C: cBit(key) },
        what: `a write with ${withC(key)} of what a read with ${withC(hit.key)} got from the same place: ${twice} twice`,
        earlier: { what: 'written', writer: hit.writer },
        outcome: 'data lost',
      });
    });
  }

  snapshot(): TwiceSnapshot {
    return [...this.misread];
  }

  restore(snapshot: TwiceSnapshot): void {
    this.misread = new Map(snapshot);
  }
}
