/**
 * A CPU: registers, translations, and all accesses of software to memory. Exceptions are returned as faults; the caller
 * decides when to deliver them.
 */
import {
  alignDown,
  alignUp,
  LINE_SIZE,
  pa,
  PAGE_SIZE,
  paAdd,
  translated,
  va,
  vaAdd,
  type KeyId,
  type Pa,
  type Va,
} from '../address.js';
import { CpuCore, type CpuBus } from './cpu-core.js';
import type { CpuModel } from './cpuid.js';
import { isFault } from './fault.js';
import { farJump, farReturn } from './far-jump.js';
import { deliver, iret, type Delivery, type InterruptTarget } from './idt.js';
import { deliverReal } from './ivt.js';
import {
  decodeEntry,
  pageFault,
  refusal,
  traceWalk,
  walk,
  type DecodedEntry,
  type PagingContext,
  type WalkAccess,
  type WalkStep,
} from './mmu.js';
import type { MtrrType } from './memory-types.js';
import { CR0, has } from './registers.js';
import { vmload, vmrun, vmsave, type VmrunResult } from '../svm/svm.js';
import { TLB_KIND, type TlbEntry, type TlbKind } from './tlb.js';
import { UnmodelledError } from '../unmodelled.js';
import { MEMTYPE, PF, type Fault, type MemType, type TableReader } from '../types.js';

export { isFault } from './fault.js';
export type { CpuBus, CpuSnapshot } from './cpu-core.js';

/** The present translation of a virtual address. */
export interface Translation {
  readonly pa: Pa;
  readonly key: KeyId;
  readonly pageSize: number;
  readonly type: MemType;
}

/** The access that the walker checks, indexed by TLB_KIND. */
const accesses = (user: boolean): readonly [WalkAccess, WalkAccess, WalkAccess] => [
  { write: false, user, fetch: false },
  { write: true, user, fetch: false },
  { write: false, user, fetch: true },
];
const SYSTEM_ACCESS = accesses(false);
const USER_ACCESS = accesses(true);
const READ = SYSTEM_ACCESS[TLB_KIND.read];

/** Names of the kinds, indexed by TLB_KIND. */
const KIND_NAMES = ['read', 'write', 'fetch'] as const;

export class Cpu extends CpuCore implements InterruptTarget {
  /** Bytes that the last read, write, copy or fill completed, up to a fault if there was one. */
  progress = 0;
  /** Told of each access to uncached memory before anything else sees it; it may throw. Set by what executes on the CPU. */
  beforeUncached: ((address: Pa) => void) | null = null;
  /** Reads tables for the walks of a guest, nested tables and its own: coherent with lines of the same key. */
  readonly tables: TableReader;
  /** Reads tables for this CPU's own walks. */
  private readonly walker: TableReader;
  /** The address that a walk translates. */
  private walks = va(0);
  private readonly word = new Uint8Array(8);
  private readonly wordView = new DataView(this.word.buffer);
  private readonly page = new Uint8Array(PAGE_SIZE);

  constructor(id: number, model: CpuModel, bus: CpuBus) {
    super(id, model, bus);
    this.tables = this.tableReader(true);
    this.walker = this.tableReader(false);
  }

  // --- Memory ----------------------------------------------------------------------------------------------------

  /** Reads bytes; after a fault `progress` is the number of bytes read. */
  read(at: Va, out: Uint8Array, off = 0, len = out.length): Fault | null {
    return this.access(at, len, TLB_KIND.read, out, off);
  }

  /** Writes bytes; after a fault `progress` is the number of bytes written. */
  write(at: Va, data: Uint8Array, off = 0, len = data.length): Fault | null {
    return this.access(at, len, TLB_KIND.write, data, off);
  }

  /** Fetches instruction bytes. */
  fetch(at: Va, out: Uint8Array, len = out.length): Fault | null {
    return this.access(at, len, TLB_KIND.fetch, out, 0);
  }

  /** REP MOVSB upwards; after a fault it can be restarted `progress` bytes further on. */
  copy(to: Va, from: Va, len: number): Fault | null {
    let done = 0;
    while (done < len) {
      const source = vaAdd(from, done);
      const target = vaAdd(to, done);
      const run = Math.min(len - done, toPageEnd(source), toPageEnd(target));
      const fault = this.read(source, this.page, 0, run) ?? this.write(target, this.page, 0, run);
      if (fault !== null) {
        this.progress = done;
        return fault;
      }
      done += run;
    }
    this.progress = done;
    return null;
  }

  /** REP STOSB. */
  fill(at: Va, byte: number, len: number): Fault | null {
    this.page.fill(byte);
    let done = 0;
    while (done < len) {
      const target = vaAdd(at, done);
      const long = this.fillLong(target, byte, len - done);
      const run = long > 0 ? long : Math.min(len - done, toPageEnd(target));
      const fault = long > 0 ? null : this.write(target, this.page, 0, run);
      if (fault !== null) {
        this.progress = done;
        return fault;
      }
      done += run;
    }
    this.progress = done;
    return null;
  }

  /**
   * Fills, up to the end of one translation, if the fill is long enough to replace everything in the cache. Returns the
   * number of bytes filled; 0 if it is not long enough.
   */
  private fillLong(at: Va, byte: number, len: number): number {
    const { cache, probes, origin } = this.bus;
    if (len < cache.longFill) return 0;
    const entry = this.tlbEntry(at, TLB_KIND.write);
    if (isFault(entry) || this.typeOf(entry) !== MEMTYPE.WB) return 0;
    const skip = at - entry.va;
    const run = alignDown(Math.min(len, entry.size - skip), LINE_SIZE);
    if (run < cache.longFill || skip % LINE_SIZE !== 0) return 0;
    const address = paAdd(entry.pa, skip);
    const { key, type } = entry;
    if (probes.accessed.active) {
      probes.accessed.notify('write', this.id, at, address, key, type, run, origin);
    }
    cache.fillRun(this.id, address, key, byte, run, origin);
    return run;
  }

  /** The fault of a write to an address, without writing: for a store that crosses into another page. */
  checkWrite(at: Va): Fault | null {
    const entry = this.tlbEntry(at, TLB_KIND.write);
    return isFault(entry) ? entry : null;
  }

  /** What is behind the CPU: cache, probe points, the origin of accesses. */
  get behind(): CpuBus {
    return this.bus;
  }

  /** The translation in the TLB that an access of a kind has just used, if its memory is cached (WB). */
  cachedEntry(at: Va, kind: TlbKind): TlbEntry | undefined {
    const entry = this.tlb.lookup(at, kind);
    return entry !== undefined && this.typeOf(entry) === MEMTYPE.WB ? entry : undefined;
  }

  loadU8(at: Va): number | Fault {
    return this.read(at, this.word, 0, 1) ?? this.wordView.getUint8(0);
  }
  loadU16(at: Va): number | Fault {
    return this.read(at, this.word, 0, 2) ?? this.wordView.getUint16(0, true);
  }
  loadU32(at: Va): number | Fault {
    return this.read(at, this.word, 0, 4) ?? this.wordView.getUint32(0, true);
  }
  loadU64(at: Va): bigint | Fault {
    return this.read(at, this.word, 0, 8) ?? this.wordView.getBigUint64(0, true);
  }
  storeU8(at: Va, value: number): Fault | null {
    this.wordView.setUint8(0, value);
    return this.write(at, this.word, 0, 1);
  }
  storeU16(at: Va, value: number): Fault | null {
    this.wordView.setUint16(0, value, true);
    return this.write(at, this.word, 0, 2);
  }
  storeU32(at: Va, value: number): Fault | null {
    this.wordView.setUint32(0, value, true);
    return this.write(at, this.word, 0, 4);
  }
  storeU64(at: Va, value: bigint): Fault | null {
    this.wordView.setBigUint64(0, value, true);
    return this.write(at, this.word, 0, 8);
  }

  /** PUSH of 64 bits; RSP changes only if the store succeeds. */
  push(value: bigint): Fault | null {
    const at = vaAdd(this.rsp, -8);
    const fault = this.storeU64(at, BigInt.asUintN(64, value));
    if (fault === null) this.rsp = at;
    return fault;
  }

  pop(): bigint | Fault {
    const value = this.loadU64(this.rsp);
    if (!isFault(value)) this.rsp = vaAdd(this.rsp, 8);
    return value;
  }

  // --- Caches and translations -----------------------------------------------------------------------------------

  invlpg(at: Va): void {
    this.tlb.invlpg(at);
    this.reportFlush('invlpg', at);
  }

  /** CLFLUSH: flushes the line under the mapping's key (inferred: no manual states it). */
  clflush(at: Va): Fault | null {
    const entry = this.tlbEntry(at, TLB_KIND.read);
    if (isFault(entry)) return entry;
    this.bus.cache.clflush(translated(entry, at), entry.key);
    this.reportLines(alignDown(at, LINE_SIZE), LINE_SIZE, entry);
    return null;
  }

  private reportLines(at: Va, length: number, entry: TlbEntry): void {
    const { probes, origin } = this.bus;
    if (!probes.linesFlushed.active) return;
    probes.linesFlushed.notify(this.id, at, translated(entry, at), length, entry.key, origin);
  }

  /** CLFLUSH of every line of a range, with one lookup per translation. */
  clflushRange(at: Va, len: number): Fault | null {
    for (let line = alignDown(at, LINE_SIZE); line < at + len;) {
      const entry = this.tlbEntry(line, TLB_KIND.read);
      if (isFault(entry)) return entry;
      const end = Math.min(at + len, entry.va + entry.size);
      const first = line;
      line = va(alignUp(end, LINE_SIZE));
      this.bus.cache.clflush(translated(entry, first), entry.key, line - first);
      this.reportLines(first, line - first, entry);
    }
    return null;
  }

  wbinvd(): void {
    this.bus.cache.wbinvd(this.id);
    this.reportFlush('wbinvd', undefined);
  }

  /** The present translation of an address: from the TLB, else by a walk. Changes nothing in the machine. */
  translate(at: Va): Translation | Fault {
    const entry = has(this.cr0, CR0.PG)
      ? (this.tlb.peek(at) ?? this.walkTables(at))
      : this.unpaged(at);
    if (isFault(entry)) return entry;
    const { key, size, type } = entry;
    return { pa: translated(entry, at), key, pageSize: size, type };
  }

  /** The table entries that a walk for an address reads. @param tables reads them for the walk. */
  traceWalk(at: Va, tables: TableReader = this.bus.quietTables): WalkStep[] {
    return traceWalk(tables, this.context(), at);
  }

  /** What a read's walk for an address finds now, whatever the TLB holds. Sets no bits, caches nothing, as `traceWalk`. */
  walkTables(at: Va, tables: TableReader = this.bus.quietTables): TlbEntry | Fault {
    return walk(tables, this.context(), at, READ, false);
  }

  /** The fields of a table entry. @param span bytes of address space that one entry of its table covers. */
  decodeEntry(value: bigint, span: number): DecodedEntry {
    return decodeEntry(this.context(), value, span);
  }

  // --- Exceptions ------------------------------------------------------------------------------------------------

  /** Delivers a fault or interrupt through the IDT, in real mode the IVT: to a handler, else the CPU shuts down. */
  deliver(fault: Fault): Delivery {
    const { faulted } = this.bus.probes;
    if (faulted.active && fault.source !== 'external') faulted.notify(this.id, fault);
    const delivery = this.mode === 'real' ? deliverReal(this, fault) : deliver(this, fault);
    if ('tripleFault' in delivery) this.shutdown();
    return delivery;
  }

  /** JMP FAR: loads CS (outside real mode from its descriptor in the GDT) and RIP. */
  farJump(selector: number, offset: number): Fault | null {
    return farJump(this, selector, offset);
  }

  /** RETF of 64 bits: loads RIP and CS from the stack. */
  farReturn(): Fault | null {
    return farReturn(this);
  }

  iret(): Fault | null {
    return iret(this);
  }

  // --- Guests ----------------------------------------------------------------------------------------------------

  /** VMRUN of the VMCB at a system physical address with its C-bit: returns at the #VMEXIT. */
  vmrun(rax: bigint): VmrunResult {
    return vmrun(this, this.bus, this.context(), rax);
  }
  vmload(rax: bigint): Fault | null {
    return vmload(this, this.bus, this.context(), rax);
  }
  vmsave(rax: bigint): Fault | null {
    return vmsave(this, this.bus, this.context(), rax);
  }

  // --- Internal --------------------------------------------------------------------------------------------------

  /** Does an access page by page (or by the part of a page that one translation covers). */
  private access(at: Va, len: number, kind: TlbKind, bytes: Uint8Array, off: number): Fault | null {
    const { cache, probes, origin } = this.bus;
    let done = 0;
    while (done < len) {
      const here = vaAdd(at, done);
      const entry = this.tlbEntry(here, kind);
      if (isFault(entry)) {
        this.progress = done;
        return entry;
      }
      const run = Math.min(len - done, toPageEnd(here));
      const address = translated(entry, here);
      const { key } = entry;
      const type = this.typeOf(entry);
      if (type === MEMTYPE.UC && this.beforeUncached !== null) this.beforeUncached(address);
      if (probes.accessed.active) {
        probes.accessed.notify(KIND_NAMES[kind], this.id, here, address, key, type, run, origin);
      }
      if (kind === TLB_KIND.write) {
        cache.write(this.id, address, key, type, bytes, off + done, run, origin);
      } else {
        cache.read(this.id, address, key, type, bytes, off + done, run, origin);
      }
      done += run;
    }
    this.progress = done;
    return null;
  }

  private tlbEntry(at: Va, kind: TlbKind): TlbEntry | Fault {
    const context = this.context();
    const write = kind === TLB_KIND.write;
    const access = (this.cpl === 3 ? USER_ACCESS : SYSTEM_ACCESS)[kind];
    const cached = this.tlb.lookup(at, kind);
    // A write through a page that is not dirty walks again, to set the bit (APM 5.4.2).
    if (cached !== undefined && (!write || cached.dirty)) {
      const why = refusal(context, cached, access);
      if (why === undefined) return cached;
      // APM 5.5.3: a fault drops the translation; the tables are read again.
      this.tlb.invlpg(at);
      return this.walkAndInsert(at, context, access);
    }
    return this.walkAndInsert(at, context, access);
  }

  private walkAndInsert(at: Va, context: PagingContext, access: WalkAccess): TlbEntry | Fault {
    if (!has(this.cr0, CR0.PG)) return this.unpaged(at);
    if (!this.longMode) throw new UnmodelledError('legacy paging');
    this.walks = at;
    const entry = walk(this.walker, context, at, access);
    if (isFault(entry)) return entry;
    this.tlb.insert(entry);
    const { translated: point } = this.bus.probes;
    if (point.active) point.notify(this.id, entry);
    return entry;
  }

  /** The type of the MTRRs for the page at an address; UC where it has several. */
  mtrrType(page: Pa): MtrrType {
    return this.bus.mtrrs.typeOf(this.msrs.get('MTRRdefType'), page, PAGE_SIZE) ?? MEMTYPE.UC;
  }

  /** With paging off an address is physical and nothing is encrypted (APM 7.10.3). */
  private unpaged(at: Va): TlbEntry | Fault {
    if (at < 0) return pageFault(this.context(), at, READ, PF.P, 'no paging');
    const start = Math.floor(at / PAGE_SIZE) * PAGE_SIZE;
    return {
      va: va(start),
      size: PAGE_SIZE,
      pageSize: PAGE_SIZE,
      pa: pa(start),
      key: 0 as KeyId,
      rw: true,
      us: true,
      nx: false,
      global: false,
      dirty: true,
      type: this.mtrrType(pa(start)),
    };
  }

  /** CR0.CD: misses are not cached, hits stay (APM table 7-2); our choice: every access is UC then. */
  private typeOf(entry: TlbEntry): MemType {
    return has(this.cr0, CR0.CD) ? MEMTYPE.UC : entry.type;
  }

  /** @param nested the reads are those of a guest's walks, and reported as such. */
  private tableReader(nested: boolean): TableReader {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    const { bus, id } = this;
    const reader = {
      high: 0,
      readEntry: (at: Pa, key: KeyId): number => {
        const { walked, guestWalked } = bus.probes;
        if (!nested && walked.active) walked.notify(id, this.walks, at, key, bus.origin);
        else if (nested && guestWalked.active) guestWalked.notify(id, at, key, bus.origin);
        bus.cache.peekCoherent(id, at, key, bytes, 0, 8);
        reader.high = view.getInt32(4, true);
        return view.getInt32(0, true);
      },
      answers: (at: Pa) => bus.answers(at),
      setBits(at: Pa, key: KeyId, bits: number): void {
        bus.cache.peekCoherent(id, at, key, bytes, 0, 8);
        view.setInt32(0, view.getInt32(0, true) | bits, true);
        // The entry keeps the origin of its last writer: the walker's update does not change it (our choice).
        const origin = bus.lastWrite(at)?.origin ?? 0;
        bus.cache.write(id, at, key, MEMTYPE.WB, bytes, 0, 8, origin);
      },
    };
    return reader;
  }
}

function toPageEnd(at: number): number {
  return PAGE_SIZE - (((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE);
}
