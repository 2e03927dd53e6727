/** `mask-read-early`: code uses the value of a mask before the write that sets it. */
import { pa } from '../../machine/address.js';
import { readUnder } from '../../machine/quiet.js';
import { withC, type Access, type Watch } from '../watch.js';

/** A mask that is not set yet: the first reader of its value. */
interface Reader {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly writer: number | null;
}

export type MasksSnapshot = readonly Reader[] | null;

export class Masks {
  /** null before memory is filled. */
  private unset: Reader[] | null = null;

  /** Masks that are not set yet, as far as the host has them. */
  private list(watch: Watch): Reader[] {
    if (this.unset === null) {
      const masks = watch.host.masks();
      if (masks === undefined) return [];
      this.unset = masks.map((mask) => ({ ...mask, writer: null }));
    }
    return this.unset;
  }

  access(watch: Watch, access: Access): void {
    const list = this.list(watch);
    if (list.length === 0) return;
    const { start, length } = access;
    for (const mask of list) {
      // An access to more than the variable copies memory, and does not use the value.
      if (start < mask.base || start + length > mask.base + mask.size) continue;
      if (access.what === 'write') this.written(watch, access, mask);
      else if (mask.writer === null) {
        const writer = watch.writers.now(access.key, access.requester, access.origin);
        this.unset = list.map((each) => (each === mask ? { ...mask, writer } : each));
      }
      return;
    }
  }

  /** A write sets the mask if it changes the value: a mask that is cleared again is not set yet. */
  private written(watch: Watch, access: Access, { name, base, size, writer }: Reader): void {
    const { key, va } = access;
    const reader = writer === null ? undefined : watch.writers.get(writer);
    const actor = watch.by(access);
    const value = (): string => readUnder(watch.machine, pa(base), size, key).join();
    const before = value();
    watch.afterwards(() => {
      if (value() === before) return;
      this.unset = this.list(watch).filter((each) => each.base !== base);
      // A read of the code that sets it is part of the change.
      if (reader === undefined || reader.site.in === actor.site.in) return;
      watch.report({
        rule: 'mask-read-early',
        ...actor,
        ...{ start: base, length: size, va },
        what: `the first write of ${name}, with ${withC(key)}: it was read before`,
        earlier: { what: 'read', writer: reader },
        outcome: 'garbage consumed',
      });
    });
  }

  snapshot(): MasksSnapshot {
    return this.unset === null ? null : [...this.unset];
  }

  restore(snapshot: MasksSnapshot): void {
    this.unset = snapshot === null ? null : [...snapshot];
  }
}
