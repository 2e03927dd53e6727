/**
 * Tells the recorder what the kernel does: who did it, and each address with its name.
 * Nothing here changes the machine or is asked by the kernel.
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

/** How many reads are remembered: consumers look at what they have read within the last few (our choice). */
const READS_KEPT = 16;

/** Bytes that were read, and where they stood. */
export interface ReadOf {
  readonly bytes: Uint8Array;
  readonly pieces: readonly Omit<Piece, 'va'>[];
}

/** A stretch of a copy or fill whose physical addresses are in one piece. */
export interface Piece {
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
  /** While it is off, no event is told. */
  on = true;
  /** The last reads of bytes and how they were reached, if somebody wants to know. */
  reads: ReadOf[] | null = null;
  /** The fault that was delivered last: on which CPU, and the address that could not be used. */
  lastFault: { what: string; cpu: number; at: Va; read?: EntryRead } | null = null;
  /** Inline hunks that run, each with how many frames there were when it began. */
  private readonly hunks: { entry: LinkedEntry; depth: number }[] = [];

  constructor(
    private readonly k: Kernel,
    readonly recorder: Recorder,
  ) {}

  /** Who acts now: the hunk's place if one of its inline pieces runs, else the function on top of the stack. */
  origin(): Origin {
    const frame = this.k.current;
    const last = this.hunks[this.hunks.length - 1];
    // A function that the hunk calls acts for itself.
    const inHunk = last?.depth === this.k.state.frames.length ? last.entry : undefined;
    const entry = frame === undefined ? undefined : this.k.table.get(frame.name);
    const by = inHunk ?? entry;
    const file = by?.file ?? (frame === undefined ? undefined : this.k.program.fileOf(frame.name));
    return {
      fn: frame?.name ?? inHunk?.name ?? 'loader',
      ...optional({ file, patch: by?.patch, hunk: by?.hunk }),
    };
  }

  entered(name: string, entry: LinkedEntry | undefined): void {
    if (entry?.quiet !== true) this.emit('enter', { fn: name });
    this.recorder.scopeEnter(name);
    this.k.machine.origin = this.recorder.intern(name);
  }

  left(_name: string): void {
    this.recorder.scopeLeave();
    this.back();
  }
  /** What is accessed from now on is on behalf of the function that runs now. */
  back(): void {
    this.k.machine.origin = this.recorder.intern(this.k.current?.name ?? '');
  }

  pushHunk(entry: LinkedEntry): void {
    this.hunks.push({ entry, depth: this.k.state.frames.length });
  }
  popHunk(): void {
    this.hunks.pop();
  }

  /** Another CPU runs: the hunks that run on this one are put aside until it goes on. */
  setAside(): { entry: LinkedEntry; depth: number }[] {
    return this.hunks.splice(0);
  }
  takeUp(hunks: readonly { entry: LinkedEntry; depth: number }[]): void {
    this.hunks.splice(0, this.hunks.length, ...hunks);
  }
  /** A CPU other than the boot CPU goes on in its functions, or leaves them for a while. */
  resumed(frames: readonly Frame[]): void {
    for (const { name } of frames) this.recorder.scopeEnter(name);
    this.k.machine.origin = this.recorder.intern(this.k.current?.name ?? '');
  }
  suspended(frames: readonly Frame[]): void {
    for (let left = frames.length; left > 0; left--) this.recorder.scopeLeave();
  }

  emit<K extends TraceKind>(kind: K, fields: FieldsOf<K>): void {
    if (!this.on) return;
    const { id } = this.k.cpu;
    this.recorder.emit(kind, id === 0 ? fields : { ...fields, cpu: id }, this.origin());
  }

  copy(to: Va, from: Va, length: number): void {
    if (!this.on) return;
    let done = 0;
    while (done < length) {
      const source = this.piece(va(from + done), length - done);
      const target = this.piece(va(to + done), length - done);
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

  fill(at: Va, byte: number, length: number): void {
    if (!this.on) return;
    let done = 0;
    while (done < length) {
      const target = this.piece(va(at + done), length - done);
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

  /** How the memory at an address is reached now, for as long as it goes on in one piece. */
  private piece(at: Va, length: number): Piece | undefined {
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

  /** A table entry was written. `mapped` is the first address that the entry governs. */
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

  /** An entry in use got another value: what it maps now, and the flags that it had before. */
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

  /** Lines of a range were flushed one by one. */
  flushed(at: Va, length: number): void {
    if (!this.on) return;
    const target = this.piece(at, length);
    this.emit('cache-flush', {
      how: 'clflush',
      va: span('va', at, length),
      ...(target === undefined ? {} : { pa: span('pa', target.pa, target.length) }),
    });
  }

  /** The C-bit that an address is reached with; undefined where it is not mapped. */
  keyAt(at: Va): number | undefined {
    return this.piece(at, 1)?.c;
  }

  /** A copy that is one of many from places all over memory: only where it goes is told. */
  moved(from: string, to: Va, length: number): void {
    if (!this.on) return;
    const target = this.piece(to, length);
    this.emit('copy', {
      from,
      to: span('va', to, length),
      ...(target === undefined ? {} : { toPa: span('pa', target.pa, length), toC: target.c }),
    });
  }

  /** Bytes that a consumer read in one go. */
  read(what: string, at: Va, length: number): void {
    if (!this.on) return;
    const target = this.piece(at, length);
    this.emit('read', {
      what,
      at: span('va', at, length),
      ...(target === undefined ? {} : { pa: span('pa', target.pa, target.length), C: target.c }),
    });
  }

  /** Bytes were read from an address on: how they were reached is kept until some more reads were made. */
  didRead(at: Va, bytes: Uint8Array): void {
    if (this.reads === null) return;
    this.reads.push({ bytes, pieces: this.pieces(at, bytes.length) });
    if (this.reads.length > READS_KEPT) this.reads.shift();
  }

  /** Bytes that a device read with some requests; its tables and commands may be among those. */
  didDma(bytes: Uint8Array, requests: Kernel['machine']['dmaLog']): void {
    if (this.reads === null) return;
    const pieces = (requests ?? []).map(({ pa, key, length }) => ({
      pa,
      c: key === 0 ? 0 : 1,
      length,
    }));
    this.reads.push({ bytes, pieces });
  }

  private pieces(at: Va, length: number): Piece[] {
    const all: Piece[] = [];
    for (let done = 0; done < length;) {
      const piece = this.piece(va(at + done), length - done);
      if (piece === undefined) break;
      all.push(piece);
      done += piece.length;
    }
    return all;
  }

  /** A user page was read back by its process. */
  touched(what: string, at: Va, length: number): void {
    this.read(what, at, length);
  }

  fault(fault: Fault, handler: string): void {
    const { cpu } = this.k;
    const { read } = fault;
    this.lastFault = {
      what: describe(fault),
      cpu: cpu.id,
      at: faultAddress(fault) ?? cpu.rip,
      ...optional({ read }),
    };
    // An empty entry that a handler may fill says no more than its address: our choice, it is left out.
    const told = handler === 'triple fault' || (read !== undefined && read.value !== 0n);
    this.emit('fault', {
      what: describe(fault),
      why: fault.why,
      handler,
      ...(told && read !== undefined && entryFields(read)),
    });
  }

  /** printk(): a line for the trace, and for the kernel's log and consoles, which draw for whoever spoke. */
  console(text: string): void {
    this.emit('console', { text });
    this.recorder.aside('printk', () => {
      this.k.fn.printk(text);
    });
  }

  /** Memory was written piece by piece in one go: as one stretch, with how it was reached. */
  wrote(at: Va, length: number): void {
    if (!this.on) return;
    const target = length > 0 ? this.piece(at, length) : undefined;
    if (target === undefined) return;
    const { va: start, pa, c: C, length: run } = target;
    const type = this.typeName(start);
    this.emit('fill', { at: span('va', start, run), pa: span('pa', pa, run), C, type });
  }

  /** Memory was tried: what came back of what was written. */
  translated(what: string, at: Va, length: number, result: string): void {
    if (!this.on) return;
    const target = this.piece(at, length);
    if (target === undefined) return;
    const { pa, c: C } = target;
    this.emit('read', { what, at: span('va', at, length), pa: span('pa', pa, length), C, result });
  }

  private typeName(at: Va): string {
    const probed = this.k.cpu.translate(at);
    return 'vector' in probed ? '?' : MEMTYPE_NAMES[probed.type];
  }

  /** The name of an address as the kernel computes it now: a symbol, or hexadecimal. */
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

/** The fields of a fault that say which table entry was read, and what was wrong about it. */
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

/** Reserved bits that are set; most entries have none, and say nothing. */
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
