/** `wrong-memory-type`: an access with a memory type other than the code asked for when it mapped the address. */
import { pa, PAGE_SIZE } from '../../machine/address.js';
import { effectiveType, MEMTYPE_NAMES } from '../../machine/cpu/memory-types.js';
import { MEMTYPE, type MemType } from '../../machine/types.js';
import type { LinearRange } from '../annotations.js';
import { cBit, describe, type Access, type Watch } from '../watch.js';

interface Asked extends LinearRange {
  readonly type: MemType;
}

export type AskedSnapshot = readonly Asked[];

export class AskedTypes {
  private list: readonly Asked[] = [];

  /** Whether any mapping has a type to compare with. */
  get any(): boolean {
    return this.list.length > 0;
  }

  mapped({ at, size }: LinearRange, type: MemType): void {
    this.unmapped(at);
    this.list = [...this.list, { at, size, type }];
  }

  unmapped(at: number): void {
    this.list = this.list.filter((each) => each.at !== at);
  }

  /** @param type the effective type of the access (APM 7.8.5). */
  check(watch: Watch, access: Access, type: MemType): void {
    const { va, requester: cpu, start, length, what, key } = access;
    if (va === undefined) return;
    for (const { at, size, type: asked } of this.list) {
      if (va < at || va >= at + size) continue;
      const page = pa(Math.floor(start / PAGE_SIZE) * PAGE_SIZE);
      const mtrr = watch.machine.cpus[cpu]?.mtrrType(page) ?? MEMTYPE.UC;
      const expected = effectiveType(asked, mtrr);
      if (expected === type) return;
      watch.report({
        rule: 'wrong-memory-type',
        ...watch.by(access),
        ...{ start, length, va },
        C: cBit(key),
        what: `${describe(what)} as ${MEMTYPE_NAMES[type]} through a mapping that was asked for as ${MEMTYPE_NAMES[asked]}`,
        outcome: 'nothing yet',
      });
      return;
    }
  }

  snapshot(): AskedSnapshot {
    return this.list;
  }

  restore(list: AskedSnapshot): void {
    this.list = list;
  }
}
