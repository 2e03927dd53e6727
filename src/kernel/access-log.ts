/**
 * The accesses of a CPU while they happen, for the trace: listeners of the probe point `accessed`. An event's physical
 * addresses, keys and memory types are those of the access itself.
 */
import { KEY_PLAIN, va, type KeyId, type Va } from '../machine/address.js';
import type { AccessKind } from '../machine/probes.js';
import type { MemType } from '../machine/types.js';

/** Bytes that were accessed through translations to contiguous memory with one key: sizes in bytes. */
export interface AccessRun {
  readonly va: Va;
  readonly pa: number;
  readonly key: KeyId;
  readonly type: MemType;
  readonly length: number;
}

/** A listener of the probe point `accessed`. */
export type AccessListener = (
  kind: AccessKind,
  cpu: number,
  va: Va,
  pa: number,
  key: KeyId,
  type: MemType,
  length: number,
) => void;

type Growing = { -readonly [Field in keyof AccessRun]: AccessRun[Field] };

/** The C-bit of a key. */
export const cBit = ({ key }: Pick<AccessRun, 'key'>): 0 | 1 => (key === KEY_PLAIN ? 0 : 1);

/** Whether `next` continues a run, in both address spaces and with the same key. */
const continues = (run: AccessRun, next: AccessRun): boolean =>
  run.va + run.length === next.va && run.pa + run.length === next.pa && run.key === next.key;

/** The runs of one access, in its order. */
export class RunLog {
  private readonly list: Growing[] = [];

  /** @param kind the kind of access that is recorded. */
  constructor(private readonly kind: AccessKind) {}

  get runs(): readonly AccessRun[] {
    return this.list;
  }

  readonly listener: AccessListener = (kind, _cpu, at, pa, key, type, length) => {
    if (kind !== this.kind) return;
    const run = { va: at, pa, key, type, length };
    const last = this.list.at(-1);
    if (last !== undefined && continues(last, run)) last.length += length;
    else this.list.push(run);
  };
}

/** A part of a copy: both runs have one length. */
export interface CopyRun {
  readonly from: AccessRun;
  readonly to: AccessRun;
}

/** The runs of a copy (Cpu.copy: each read is followed by the write of the same bytes), in its order. */
export class CopyLog {
  private readonly list: { from: Growing; to: Growing }[] = [];
  private read: Growing | undefined;

  get runs(): readonly CopyRun[] {
    return this.list;
  }

  readonly listener: AccessListener = (kind, _cpu, at, pa, key, type, length) => {
    const run = { va: at, pa, key, type, length };
    // A read whose write faults is repeated.
    if (kind !== 'write') this.read = run;
    else if (this.read !== undefined) this.add(this.read, run);
  };

  private add(from: Growing, to: Growing): void {
    const last = this.list.at(-1);
    if (last !== undefined && continues(last.from, from) && continues(last.to, to)) {
      last.from.length += from.length;
      last.to.length += to.length;
    } else this.list.push({ from, to });
  }
}

/** Accesses that one translation explains: linear addresses from `first` up to `end`, `offset` below physical ones. */
interface Extent {
  first: number;
  end: number;
  readonly offset: number;
  readonly key: KeyId;
  readonly type: MemType;
}

function matches(extent: Extent, offset: number, key: KeyId, type: MemType): boolean {
  return extent.offset === offset && extent.key === key && extent.type === type;
}

/** The accesses of a kind by one CPU, for an event about a range that they touch here and there: a scan, a screen line. */
export class RangeLog {
  private readonly extents: Extent[] = [];
  /** The extent of the last access. */
  private last: Extent | undefined;

  /** @param range only accesses in this range; default: all. */
  constructor(
    private readonly cpu: number,
    private readonly kind: AccessKind,
    private readonly range?: { readonly at: number; readonly length: number },
  ) {}

  readonly listener: AccessListener = (kind, cpu, at, pa, key, type, length) => {
    if (kind !== this.kind || cpu !== this.cpu) return;
    const { range } = this;
    if (range && (at + length <= range.at || at >= range.at + range.length)) return;
    const extent = this.extentOf(pa - at, key, type, at);
    if (at < extent.first) extent.first = at;
    if (at + length > extent.end) extent.end = at + length;
  };

  /** The extent of a translation; a new one is empty, at `at`. */
  private extentOf(offset: number, key: KeyId, type: MemType, at: Va): Extent {
    const { last } = this;
    // Most accesses are translated as the one before.
    if (last !== undefined && matches(last, offset, key, type)) return last;
    const known = this.extents.find((each) => matches(each, offset, key, type));
    this.last = known ?? { first: at, end: at, offset, key, type };
    if (known === undefined) this.extents.push(this.last);
    return this.last;
  }

  /**
   * The range [at, at + length) as it was accessed: whole, if one translation explains all accesses in it; else the part
   * of each, by ascending address. Empty if it was not accessed.
   */
  within(at: Va, length: number): AccessRun[] {
    const found = this.extents
      .filter(({ first, end }) => first < at + length && end > at)
      .sort((a, b) => a.first - b.first);
    return found.map(({ first, end, offset, key, type }) => {
      const from = found.length === 1 ? at : Math.max(first, at);
      const to = found.length === 1 ? at + length : Math.min(end, at + length);
      return { va: va(from), pa: from + offset, key, type, length: to - from };
    });
  }
}
