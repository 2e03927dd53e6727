/** The lines of a range that are in the cache, each compared with memory and with the same line under other keys. */
import { hex, LINE_SIZE, pa } from '../machine/address.js';
import type { CachedLine } from '../machine/cache/cache-tags.js';
import type { Machine } from '../machine/machine.js';
import { behindCaches } from '../machine/quiet.js';
import type { PhysicalRange } from './memory.js';
import { writerName, type Named } from './writer.js';

/** The same physical line in the cache under another key. */
export interface Alias {
  readonly key: number;
  readonly dirty: boolean;
  /** Both are dirty: whether the other one was written later. */
  readonly later?: boolean;
}

/** A line in the cache. */
export interface CachedRow {
  readonly pa: string;
  /** 0: without encryption, 1: the host's key, others: guests'. */
  readonly key: number;
  readonly dirty: boolean;
  /** The CPU that wrote the line last; of a clean line, the one that filled it. */
  readonly cpu: number;
  /** The code that wrote the contents last, here or, of a clean line that equals memory, in memory. */
  readonly writer?: string;
  /** Of a clean line: the code that filled it, or wrote through it. */
  readonly filledBy?: string;
  /** Whether memory has the same bytes, decrypted under the line's key. */
  readonly same: boolean;
  /** The last write to memory, where that does not have the same bytes; absent if it was never written. */
  readonly memory?: { readonly key: number; readonly writer: string };
  readonly aliases?: readonly Alias[];
}

/** The other lines of one physical line. */
function aliasesOf(line: CachedLine, ofAddress: readonly CachedLine[]): Alias[] {
  return ofAddress
    .filter(({ key }) => key !== line.key)
    .map(({ key, dirty }) => ({
      key,
      dirty: dirty !== undefined,
      ...(dirty !== undefined && line.dirty !== undefined && { later: dirty > line.dirty }),
    }));
}

/** A machine and the names of those who wrote its memory: a boot. */
interface Source extends Named {
  readonly machine: Machine;
}

function rowOf(source: Source, line: CachedLine, ofAddress: readonly CachedLine[]): CachedRow {
  const { machine } = source;
  const { pa: at, key, cpu, origin, dirty, bytes } = line;
  const below = behindCaches(machine, at, LINE_SIZE, key);
  const same = bytes.every((byte, i) => byte === below[i]);
  const last = machine.dram.lastWrite(at);
  const inMemory = last && { key: last.key, writer: writerName(source, last.origin) };
  const writer = dirty === undefined ? same && inMemory?.writer : writerName(source, origin);
  const aliases = aliasesOf(line, ofAddress);
  return {
    pa: hex(at),
    key,
    dirty: dirty !== undefined,
    cpu,
    ...(typeof writer === 'string' && { writer }),
    ...(dirty === undefined && { filledBy: writerName(source, origin) }),
    same,
    ...(!same && inMemory !== undefined && { memory: inMemory }),
    ...(aliases.length > 0 && { aliases }),
  };
}

/** Every cached line of physical ranges, ascending by address and key in each. Has no side effects. */
export function cachedLines(source: Source, ranges: readonly PhysicalRange[]): CachedRow[] {
  return ranges.flatMap(({ base, size }) => {
    const lines = source.machine.cache.linesOf(pa(base), size);
    const byAddress = new Map<number, CachedLine[]>();
    for (const line of lines) byAddress.set(line.pa, [...(byAddress.get(line.pa) ?? []), line]);
    return lines.map((line) => rowOf(source, line, byAddress.get(line.pa) ?? []));
  });
}
