/** `freed-with-attribute`: pages that are freed with another C-bit, type or protection than the rest of free memory. */
import { va as toVa } from '../../machine/address.js';
import { isFault } from '../../machine/cpu/fault.js';
import { MEMTYPE_NAMES } from '../../machine/cpu/memory-types.js';
import { quietTables } from '../../machine/quiet.js';
import type { LinearRange } from '../annotations.js';
import { cBit, withC, type Watch } from '../watch.js';

/** Freed bytes by the attributes of their mapping. */
export type FreedSnapshot = readonly (readonly [string, number])[];

/** A part of a range with one translation. */
interface Part extends LinearRange {
  readonly start: number;
  readonly attributes: string;
  readonly C: 0 | 1 | undefined;
}

export class FreedMemory {
  private bytes = new Map<string, number>();

  freed(watch: Watch, ranges: readonly LinearRange[]): void {
    const parts = ranges.flatMap((range) => partsOf(watch, range));
    for (const { attributes, size } of parts) {
      this.bytes.set(attributes, (this.bytes.get(attributes) ?? 0) + size);
    }
    const usual = this.usual();
    for (const { start, at, size, attributes, C } of parts) {
      if (attributes === usual) continue;
      watch.report({
        rule: 'freed-with-attribute',
        ...watch.by({ requester: watch.cpu, origin: 0 }),
        ...{ start, length: size, va: at },
        ...(C !== undefined && { C }),
        what: `pages are freed that are mapped ${attributes}; most of free memory is mapped ${usual}`,
        outcome: 'nothing yet',
      });
    }
  }

  /** The attributes of most of the freed memory. */
  private usual(): string {
    let [most, usual] = [0, ''];
    for (const [attributes, bytes] of this.bytes) {
      if (bytes > most) [most, usual] = [bytes, attributes];
    }
    return usual;
  }

  snapshot(): FreedSnapshot {
    return [...this.bytes];
  }

  restore(snapshot: FreedSnapshot): void {
    this.bytes = new Map(snapshot);
  }
}

/** The parts of a range that have one translation each; equal ones that adjoin are one. */
export function partsOf(watch: Watch, { at, size }: LinearRange): Part[] {
  const { machine } = watch;
  const cpu = machine.cpus[watch.cpu];
  if (cpu === undefined) return [];
  const tables = quietTables(machine);
  const parts: Part[] = [];
  for (let from = at; from < at + size;) {
    const entry = cpu.walkTables(toVa(from), tables);
    const end = isFault(entry) ? from + 4096 : Math.min(at + size, entry.va + entry.size);
    const attributes = isFault(entry)
      ? 'not present'
      : [withC(entry.key), MEMTYPE_NAMES[entry.type], ...(entry.rw ? [] : ['read-only'])].join(' ');
    const last = parts.at(-1);
    if (last?.attributes === attributes) {
      parts[parts.length - 1] = { ...last, size: end - last.at };
    } else {
      const start = isFault(entry) ? 0 : entry.pa + (from - entry.va);
      const C = isFault(entry) ? undefined : cBit(entry.key);
      parts.push({ at: from, size: end - from, start, attributes, C });
    }
    from = end;
  }
  return parts;
}
