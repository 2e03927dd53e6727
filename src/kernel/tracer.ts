/**
 * Emits the events of a running kernel model to the recorder, with their origin and the symbols of their addresses.
 * Nothing here changes the machine; the kernel model does not read it.
 */
import type { Recorder } from '../trace/recorder.js';
import { optional } from '../base/optional.js';
import type { FieldsOf, Origin, Span, TraceKind } from '../trace/event.js';
import { hex, PAGE_SIZE, va, vaOfU64, type Va } from '../machine/address.js';
import { MEMTYPE_NAMES } from '../machine/cpu/memory-types.js';
import { bitNumbers } from '../machine/cpu/mmu.js';
import type { EntryRead, Fault } from '../machine/types.js';
import { __START_KERNEL_map, PAGE_OFFSET } from './constants.js';
import { describe, valueText } from './fault-text.js';
import type { Kernel } from './kernel.js';
import type { Frame } from './state.js';
import type { LinkedEntry } from './table.js';

/** Capacity of `reads`: a consumer's read is checked within the next few (our choice). */
const MAX_READS = 16;

/** Bytes that were read, and the physical ranges and C-bits that they were read from. */
export interface RecordedRead {
  readonly bytes: Uint8Array;
  readonly ranges: readonly Omit<TranslatedRange, 'va'>[];
}

/** A request of a device: sizes in bytes. */
export interface DmaRequest {
  readonly pa: number;
  readonly key: number;
  readonly length: number;
}

/** A part of a copy or fill that is contiguous in physical memory and has one key: sizes in bytes, `c` the C-bit. */
export interface TranslatedRange {
  va: Va;
  pa: number;
  c: number;
  length: number;
}

const span = (space: 'va' | 'pa', start: number, length: number): Span => ({
  space,
  start,
  length,
});

export class Tracer {
  /** No event is emitted while this is false. */
  on = true;
  /** The latest reads, oldest first; null: not recorded. */
  reads: RecordedRead[] | null = null;
  /** The fault delivered last: its text, the CPU, and the address that faulted (RIP if the fault has none). */
  lastFault: { what: string; cpu: number; at: Va; read?: EntryRead } | null = null;
  /** Changes whenever origin() may give another answer. */
  version = 0;
  /** Inline hunks that are running, each with the number of frames when it was entered. */
  private readonly hunks: { entry: LinkedEntry; depth: number }[] = [];

  constructor(
    private readonly k: Kernel,
    readonly recorder: Recorder,
  ) {}

  /** The origin of an event emitted now: the running inline hunk, otherwise the function on top of the stack. */
  origin(): Origin {
    const frame = this.k.current;
    const last = this.hunks[this.hunks.length - 1];
    // Inside a function that the hunk calls, the origin is that function.
    const inHunk = last?.depth === this.k.state.frames.length ? last.entry : undefined;
    const entry = frame === undefined ? undefined : this.k.table.get(frame.name);
    const by = inHunk ?? entry;
    const file = by?.file ?? (frame === undefined ? undefined : this.k.program.fileOf(frame.name));
    return {
      fn: frame?.name ?? inHunk?.name ?? 'loader',
      ...optional({ file, patch: by?.patch, hunk: by?.hunk }),
    };
  }

  /** A function was entered: emits `enter` unless its entry is quiet, and opens its scope. */
  entered(name: string, entry: LinkedEntry | undefined): void {
    if (entry?.quiet !== true) this.emit('enter', { fn: name });
    this.recorder.scopeEnter(name);
    this.k.machine.origin = this.recorder.intern(name);
    this.version++;
  }

  /** A function returned: closes its scope. */
  left(_name: string): void {
    this.recorder.scopeLeave();
    this.setOrigin();
  }
  /** Sets the origin of memory accesses to the function that runs now. */
  setOrigin(): void {
    this.version++;
    this.k.machine.origin = this.recorder.intern(this.k.current?.name ?? '');
  }

  /** An inline hunk starts. */
  pushHunk(entry: LinkedEntry): void {
    this.version++;
    this.hunks.push({ entry, depth: this.k.state.frames.length });
  }
  /** The inline hunk that started last ends. */
  popHunk(): void {
    this.version++;
    this.hunks.pop();
  }

  /** Switch to another CPU: removes and returns the running hunks of this one, for resumeHunks(). */
  suspendHunks(): { entry: LinkedEntry; depth: number }[] {
    this.version++;
    return this.hunks.splice(0);
  }
  /** Restores the hunks that suspendHunks() returned. */
  resumeHunks(hunks: readonly { entry: LinkedEntry; depth: number }[]): void {
    this.version++;
    this.hunks.splice(0, this.hunks.length, ...hunks);
  }
  /** Switch to a CPU other than the boot CPU: opens the scopes of its frames, outermost first. */
  resumed(frames: readonly Frame[]): void {
    this.version++;
    for (const { name } of frames) this.recorder.scopeEnter(name);
    this.k.machine.origin = this.recorder.intern(this.k.current?.name ?? '');
  }
  /** Switch away from a CPU other than the boot CPU: closes the scopes of its frames. */
  suspended(frames: readonly Frame[]): void {
    for (let depth = frames.length; depth > 0; depth--) this.recorder.scopeLeave();
  }

  /** Emits an event with the present origin; with the CPU's number if it is not the boot CPU. */
  emit<K extends TraceKind>(kind: K, fields: FieldsOf<K>): void {
    if (!this.on) return;
    const { id } = this.k.cpu;
    this.recorder.emit(kind, id === 0 ? fields : { ...fields, cpu: id }, this.origin());
  }

  /** Emits a copy of `length` bytes, one event for each part that is contiguous in physical memory on both sides. */
  copy(to: Va, from: Va, length: number): void {
    if (!this.on) return;
    let done = 0;
    while (done < length) {
      const source = this.translatedRange(va(from + done), length - done);
      const target = this.translatedRange(va(to + done), length - done);
      if (source === undefined || target === undefined) return;
      const run = Math.min(source.length, target.length);
      this.emit('copy', {
        from: span('va', source.va, run),
        to: span('va', target.va, run),
        fromPa: span('pa', source.pa, run),
        toPa: span('pa', target.pa, run),
        fromC: source.c,
        toC: target.c,
      });
      done += run;
    }
  }

  /** Emits a fill of `length` bytes with one value, one event for each physically contiguous part. */
  fill(at: Va, byte: number, length: number): void {
    if (!this.on) return;
    let done = 0;
    while (done < length) {
      const target = this.translatedRange(va(at + done), length - done);
      if (target === undefined) return;
      this.emit('fill', {
        at: span('va', target.va, target.length),
        pa: span('pa', target.pa, target.length),
        value: byte,
        C: target.c,
      });
      done += target.length;
    }
  }

  /** The translation of [at, at + length) as far as it is contiguous with one key; undefined if `at` is not mapped. */
  private translatedRange(at: Va, length: number): TranslatedRange | undefined {
    const probed = this.k.cpu.translate(at);
    if ('vector' in probed) return undefined;
    const pageSize = probed.pageSize;
    let run = pageSize - (((at % pageSize) + pageSize) % pageSize);
    while (run < length) {
      const next = this.k.cpu.translate(va(at + run));
      if ('vector' in next || next.pa !== probed.pa + run || next.key !== probed.key) break;
      run += next.pageSize;
    }
    return { va: at, pa: probed.pa, c: probed.key === 0 ? 0 : 1, length: Math.min(run, length) };
  }

  /** A table entry was written. `mapped`: first virtual address that it governs; `size`: bytes that it governs. */
  entry(table: Va, index: number, value: bigint, mapped: Va, size: number): void {
    if (!this.on) return;
    const name = this.name(table);
    if ((value & 1n) === 0n) {
      this.emit('unmap', { va: span('va', mapped, size), table: name });
      return;
    }
    const decoded = this.k.cpu.decodeEntry(value, size);
    this.emit('map', {
      va: span('va', mapped, size),
      pa: span('pa', decoded.pa, decoded.leaf ? size : PAGE_SIZE),
      size: decoded.leaf ? sizeName(size) : 'table',
      flags: decoded.flags,
      C: decoded.c,
      ...(decoded.leaf ? { type: decoded.type } : {}),
      table: decoded.leaf ? name : `${name}[${String(index)}]`,
      ...reservedField(decoded.reserved),
    });
  }

  /** A present entry was changed from `was` to `value`: emits the new mapping and the flags before. */
  protected(table: Va, index: number, was: bigint, value: bigint, mapped: Va, size: number): void {
    if (!this.on) return;
    const { pa, leaf, flags, c, type, reserved } = this.k.cpu.decodeEntry(value, size);
    const before = this.k.cpu.decodeEntry(was, size);
    const name = this.name(table);
    this.emit('protect', {
      va: span('va', mapped, size),
      pa: span('pa', pa, leaf ? size : PAGE_SIZE),
      size: leaf ? sizeName(size) : 'table',
      flags,
      C: c,
      ...(leaf ? { type } : {}),
      table: leaf ? name : `${name}[${String(index)}]`,
      ...reservedField(reserved),
      was: `${before.flags} C=${String(before.c)}`,
    });
  }

  /** The cache lines of a range were flushed with CLFLUSH. */
  flushed(at: Va, length: number): void {
    if (!this.on) return;
    const target = this.translatedRange(at, length);
    this.emit('cache-flush', {
      how: 'clflush',
      va: span('va', at, length),
      ...(target === undefined ? {} : { pa: span('pa', target.pa, target.length) }),
    });
  }

  /** The C-bit (0 or 1) of the mapping of an address; undefined if it is not mapped. */
  cBitAt(at: Va): number | undefined {
    return this.translatedRange(at, 1)?.c;
  }

  /** Emits a copy whose sources are scattered: `from` names them in words, only the target has addresses. */
  copyFromMany(from: string, to: Va, length: number): void {
    if (!this.on) return;
    const target = this.translatedRange(to, length);
    this.emit('copy', {
      from,
      to: span('va', to, length),
      ...(target === undefined ? {} : { toPa: span('pa', target.pa, length), toC: target.c }),
    });
  }

  /** Emits a read of `length` bytes by a consumer; `what` names what was read. */
  read(what: string, at: Va, length: number): void {
    if (!this.on) return;
    const target = this.translatedRange(at, length);
    this.emit('read', {
      what,
      at: span('va', at, length),
      ...(target === undefined ? {} : { pa: span('pa', target.pa, target.length), C: target.c }),
    });
  }

  /** Adds bytes that were read at `at`, with their physical ranges, to `reads`, if reads are recorded. */
  recordRead(at: Va, bytes: Uint8Array): void {
    if (this.reads === null) return;
    this.reads.push({ bytes, ranges: this.translatedRanges(at, bytes.length) });
    if (this.reads.length > MAX_READS) this.reads.shift();
  }

  /** Adds bytes that a device read to `reads`; `requests` may include an IOMMU's reads of tables and commands. */
  recordDma(bytes: Uint8Array, requests: readonly DmaRequest[]): void {
    if (this.reads === null) return;
    const ranges = requests.map(({ pa, key, length }) => ({
      pa,
      c: key === 0 ? 0 : 1,
      length,
    }));
    this.reads.push({ bytes, ranges });
  }

  private translatedRanges(at: Va, length: number): TranslatedRange[] {
    const all: TranslatedRange[] = [];
    for (let done = 0; done < length;) {
      const range = this.translatedRange(va(at + done), length - done);
      if (range === undefined) break;
      all.push(range);
      done += range.length;
    }
    return all;
  }

  /** Emits a process's read of one of its pages. */
  readBack(what: string, at: Va, length: number): void {
    this.read(what, at, length);
  }

  /** Emits a fault, with the page-table entry that stopped the walk if there is one, and records it in lastFault. */
  fault(fault: Fault, handler: string): void {
    const { cpu } = this.k;
    const { read } = fault;
    this.lastFault = {
      what: describe(fault),
      cpu: cpu.id,
      at: faultAddress(fault) ?? cpu.rip,
      ...optional({ read }),
    };
    // An empty entry that the handler may fill says no more than the address: it is left out (our choice).
    const withEntry = handler === 'triple fault' || (read !== undefined && read.value !== 0n);
    this.emit('fault', {
      what: describe(fault),
      why: fault.why,
      handler,
      ...(withEntry && read !== undefined && entryFields(read)),
    });
  }

  /** Prints a line: an event of the trace, and printk() for the kernel's log and consoles, in a scope of its own. */
  console(text: string): void {
    this.emit('console', { text });
    this.recorder.aside('printk', () => {
      this.k.fn.printk(text);
    });
  }

  /** Emits one fill for a range that was written in parts, with the C-bit and memory type of its mapping. */
  writtenRange(at: Va, length: number): void {
    if (!this.on) return;
    const target = length > 0 ? this.translatedRange(at, length) : undefined;
    if (target === undefined) return;
    const { va: start, pa, c: C, length: run } = target;
    const type = this.typeName(start);
    this.emit('fill', { at: span('va', start, run), pa: span('pa', pa, run), C, type });
  }

  /** Emits the test of a memory range by a write and a read; `result` is its outcome. */
  memoryTest(what: string, at: Va, length: number, result: string): void {
    if (!this.on) return;
    const target = this.translatedRange(at, length);
    if (target === undefined) return;
    const { pa, c: C } = target;
    this.emit('read', { what, at: span('va', at, length), pa: span('pa', pa, length), C, result });
  }

  private typeName(at: Va): string {
    const probed = this.k.cpu.translate(at);
    return 'vector' in probed ? '?' : MEMTYPE_NAMES[probed.type];
  }

  /** The name of an address at the present slide: `symbol+0x10`, `pa:0x1000` in the direct map, or hexadecimal. */
  name(address: Va): string {
    const known =
      address >= __START_KERNEL_map || this.k.slide !== 0
        ? this.k.program.nameAt(address - this.k.slide)
        : undefined;
    if (known === undefined) {
      return address >= PAGE_OFFSET && address < 0
        ? `pa:${hex(address - PAGE_OFFSET)}`
        : hex(address);
    }
    const pages = Math.floor(known.offset / PAGE_SIZE);
    if (known.offset === 0) return known.name;
    return known.name.startsWith('early_dynamic_pgts') && known.offset % PAGE_SIZE === 0
      ? `${known.name}[${String(pages)}]`
      : `${known.name}+${hex(known.offset)}`;
  }
}

/** The fields of a fault that give the page-table entry that was read, its value and its reserved bits. */
function entryFields(read: EntryRead): {
  level: string;
  entry: Span;
  C: number;
  value: string;
  reserved?: string;
} {
  const { level, at, key, value, reserved, absent } = read;
  return {
    level,
    entry: span('pa', at, 1),
    C: key === 0 ? 0 : 1,
    value: absent ? valueText(read) : hex(value),
    ...(absent ? {} : reservedField(reserved)),
  };
}

/** The field for reserved bits that are set; no field if there are none. */
function reservedField(mask: bigint): { reserved?: string } {
  return mask === 0n ? {} : { reserved: `bits ${bitNumbers(mask)}` };
}

function faultAddress({ address }: Fault): Va | undefined {
  return address === undefined ? undefined : vaOfU64(BigInt.asUintN(64, BigInt(address)));
}

function sizeName(size: number): string {
  if (size === PAGE_SIZE) return '4K';
  return size === 0x20_0000 ? '2M' : '1G';
}
