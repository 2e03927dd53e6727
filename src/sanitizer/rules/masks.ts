/** `mask-read-early`: code uses the value of a mask before the write that sets it. */
import { pa } from '../../machine/address.js';
import { readUnder } from '../../machine/quiet.js';
import { withC, type Access, type Watch } from '../watch.js';
import type { Writer } from '../writers.js';

/** A mask whose first write has not come: the first reader of its value. */
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

  /** Masks that were not written yet, as far as the host has them. */
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

  private written(watch: Watch, { key, requester, origin, va }: Access, mask: Reader): void {
    this.unset = this.list(watch).filter((each) => each !== mask);
    if (mask.writer === null) return;
    const reader: Writer | undefined = watch.writers.get(mask.writer);
    const actor = watch.by({ requester, origin });
    // A read of the code that sets it is part of the change.
    if (reader?.site.in === actor.site.in) return;
    const value = (): string => readUnder(watch.machine, pa(mask.base), mask.size, key).join();
    const before = value();
    watch.afterwards(() => {
      if (reader === undefined || value() === before) return;
      watch.report({
        rule: 'mask-read-early',
        ...actor,
        ...{ start: mask.base, length: mask.size, va },
        what: `the first write of ${mask.name}, with ${withC(key)}: it was read before`,
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
