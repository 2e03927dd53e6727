/**
 * Emits the events of a running kernel model to the recorder, with their origin and the symbols of their addresses. An
 * event about memory has the physical addresses, keys and types of the accesses themselves, from the machine's probe
 * points. Nothing here changes the machine or translates an address; the kernel model does not read it.
 */
import type { Recorder } from '../trace/recorder.js';
import { optional } from '../base/optional.js';
import type { FieldsOf, Origin, Span, TraceKind } from '../trace/event.js';
import { hex, PAGE_SIZE, va, vaOfU64, type Va } from '../machine/address.js';
import { MEMTYPE_NAMES } from '../machine/cpu/memory-types.js';
import { bitNumbers } from '../machine/cpu/mmu.js';
import type { AccessKind } from '../machine/probes.js';
import type { Requester } from '../machine/requester.js';
import { MEMTYPE, type EntryRead, type Fault } from '../machine/types.js';
import { cBit, RangeLog, RunLog, type AccessRun, type CopyRun } from './access-log.js';
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
  readonly ranges: readonly { readonly pa: number; readonly c: number; readonly length: number }[];
}

const span = (space: 'va' | 'pa', start: number, length: number): Span => ({
  space,
  start,
  length,
});

/** Runs an access whose addresses an event is about. */
type Counted = <T>(access: () => T) => T;

/** The addresses of a run, as the fields of an event. */
const vaAndPa = (run: AccessRun): { at: Span; pa: Span } => ({
  at: span('va', run.va, run.length),
  pa: span('pa', run.pa, run.length),
});

export class Tracer {
  /** No event is emitted while this is false. */
  on = true;
  /** The latest reads, oldest first; null: not recorded. */
  reads: RecordedRead[] | null = null;
  /** The fault delivered last: its text, the CPU, and the address that faulted (RIP if the fault has none). */
  lastFault: { what: string; cpu: number; at: Va; read?: EntryRead } | null = null;
  /** The struct dma_map_ops that the kernel used last. */
  dmaOps = va(0);
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
    this.recorder.emit(kind, withCpu(fields, id), this.origin());
  }

  /** Emits a copy, one event for each part that is contiguous in physical memory on both sides. */
  copied(runs: readonly CopyRun[]): void {
    for (const { from, to } of runs) {
      this.emit('copy', {
        from: span('va', from.va, from.length),
        to: span('va', to.va, to.length),
        fromPa: span('pa', from.pa, from.length),
        toPa: span('pa', to.pa, to.length),
        fromC: cBit(from),
        toC: cBit(to),
      });
    }
  }

  /** Emits a fill with one value, one event for each part that is contiguous in physical memory. */
  filled(runs: readonly AccessRun[], byte: number): void {
    for (const run of runs) this.emit('fill', { ...vaAndPa(run), value: byte, C: cBit(run) });
  }

  /** Runs `body`; returns what it accessed of a range. Nothing is recorded while no event is emitted. */
  private accessesOf<T>(
    kind: AccessKind,
    at: Va,
    length: number,
    body: () => T,
  ): { result: T; runs: readonly AccessRun[] } {
    if (!this.on) return { result: body(), runs: [] };
    const log = new RangeLog(this.k.cpu.id, kind, { at, length });
    const result = this.k.machine.probes.accessed.during(log.listener, body);
    return { result, runs: log.within(at, length) };
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

  /** Runs `body`, which flushes the cache lines of a range with CLFLUSH, and emits the flush. */
  flushing(at: Va, length: number, body: () => void): void {
    if (!this.on) {
      body();
      return;
    }
    const log = new RangeLog(this.k.cpu.id, 'read', { at, length });
    this.k.machine.probes.linesFlushed.during((cpu, line, pa, bytes, key) => {
      log.listener('read', cpu, line, pa, key, MEMTYPE.WB, bytes);
    }, body);
    for (const run of log.within(at, length)) {
      const { at: flushed, pa } = vaAndPa(run);
      this.emit('cache-flush', { how: 'clflush', va: flushed, pa });
    }
  }

  /** Runs `body`, which writes a range; returns the runs of its writes, none while no event is emitted. */
  writing(at: Va, length: number, body: () => void): readonly AccessRun[] {
    return this.accessesOf('write', at, length, body).runs;
  }

  /** Runs `body`, which copies scattered sources, and emits the copy: `from` names them, only the target has addresses. */
  copyingFromMany(from: string, to: Va, length: number, body: () => void): void {
    for (const run of this.writing(to, length, body)) {
      const { at, pa } = vaAndPa(run);
      this.emit('copy', { from, to: at, toPa: pa, toC: cBit(run) });
    }
  }

  /** Runs `body`, a consumer's read of a range, and emits the read after its events; `what` names what was read. */
  read<T>(what: string, at: Va, length: number, body: () => T): T {
    const { result, runs } = this.accessesOf('read', at, length, body);
    for (const fields of readsOf(what, at, length, runs)) this.emit('read', fields);
    return result;
  }

  /**
   * As read(), but the event is in the place before those of `body`, also where `body` does not return. `body` makes the
   * accesses that count by the function that it is passed.
   */
  reading<T>(what: string, at: Va, length: number, body: (counted: Counted) => T): T {
    if (!this.on) return body((access) => access());
    const { id } = this.k.cpu;
    const log = new RangeLog(id, 'read', { at, length });
    const events = (): FieldsOf<'read'>[] =>
      readsOf(what, at, length, log.within(at, length)).map((fields) => withCpu(fields, id));
    const { accessed } = this.k.machine.probes;
    return this.recorder.ahead('read', this.origin(), events, () =>
      body((access) => accessed.during(log.listener, access)),
    );
  }

  /** The runs of an access that `reads` needs; null: they are not recorded. */
  readLog(kind: AccessKind = 'read'): RunLog | null {
    return this.reads === null ? null : new RunLog(kind);
  }

  /** Adds bytes that were read, and the runs that they were read from, to `reads`, if reads are recorded. */
  recordRead(bytes: Uint8Array, runs: readonly AccessRun[]): void {
    this.addRead({
      bytes,
      ranges: runs.map((run) => ({ pa: run.pa, c: cBit(run), length: run.length })),
    });
  }

  private addRead(read: RecordedRead): void {
    if (this.reads === null) return;
    this.reads.push(read);
    if (this.reads.length > MAX_READS) this.reads.shift();
  }

  /** Listens to the requests of a device, to add what it reads to `reads`; null: reads are not recorded. */
  dmaLog(device: Requester): { record(bytes: Uint8Array): void; end(): void } | null {
    if (this.reads === null) return null;
    const ranges: { pa: number; c: number; length: number }[] = [];
    const end = this.k.machine.probes.dma.listen((_kind, requester, pa, key, length) => {
      if (requester === device) ranges.push({ pa, c: cBit({ key }), length });
    });
    const record = (bytes: Uint8Array): void => {
      this.addRead({ bytes, ranges });
    };
    return { record, end };
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

  /** Runs `body`, which writes a range in parts and returns it, and emits one fill of the range, with its memory type. */
  writingParts(body: () => { readonly at: Va; readonly length: number }): void {
    if (!this.on) {
      body();
      return;
    }
    const log = new RangeLog(this.k.cpu.id, 'write');
    const { at, length } = this.k.machine.probes.accessed.during(log.listener, body);
    if (length === 0) return;
    for (const run of log.within(at, length)) {
      this.emit('fill', { ...vaAndPa(run), C: cBit(run), type: MEMTYPE_NAMES[run.type] });
    }
  }

  /** Runs `body`, the test of a memory range by writes and reads, and emits it; returns whether the memory holds data. */
  memoryTest(what: string, at: Va, length: number, body: () => boolean): boolean {
    const { result, runs } = this.accessesOf('read', at, length, body);
    for (const fields of readsOf(what, at, length, runs)) {
      this.emit('read', { ...fields, result: result ? 'holds' : 'does not hold' });
    }
    return result;
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

/** The fields of a read, one event for each part that is contiguous in physical memory. */
function readsOf(
  what: string,
  at: Va,
  length: number,
  runs: readonly AccessRun[],
): FieldsOf<'read'>[] {
  if (runs.length === 0) return [{ what, at: span('va', at, length) }];
  return runs.map((run) => ({ what, ...vaAndPa(run), C: cBit(run) }));
}

/** The fields of an event, with the number of the CPU that runs, if it is not the boot CPU and they have no other. */
function withCpu<K extends TraceKind>(fields: FieldsOf<K>, id: number): FieldsOf<K> {
  return id === 0 || fields.cpu !== undefined ? fields : { ...fields, cpu: id };
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
