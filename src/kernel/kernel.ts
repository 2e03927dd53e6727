/**
 * A kernel: an instance of the linked table running on one CPU of a machine.
 *
 * It reaches memory only through the CPU. Functions are called through the simulated stack, and at every entry and
 * return the CPU fetches at RIP through the mapping then in force; text that is not the program's is an invalid opcode.
 */
import { startsWith } from '../base/bytes.js';
import type { Recorder } from '../trace/recorder.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { Machine } from '../machine/machine.js';
import { hex, va, vaOfU64, type Va } from '../machine/address.js';
import { VECTOR, type Fault } from '../machine/types.js';
import { PAGE_OFFSET, __START_KERNEL_map } from './constants.js';
import { BootEnd, CpuLost } from './ends.js';
import { describe } from './fault-text.js';
import type { KernelNotes } from './notes.js';
import { callSite, type Program } from './program.js';
import type { Frame, KernelState } from './state.js';
import type {
  EntryName,
  Entries,
  Fns,
  LinkedEntry,
  LinkedTable,
  PatchedKernel,
  PatchEntries,
} from './table.js';
import { CopyLog, RunLog, type AccessListener } from './access-log.js';
import { Tracer } from './tracer.js';

/** Bytes fetched and compared at a function entry (our choice: one 16-byte fetch window). */
const FETCH_WINDOW = 16;
/** Most nested exceptions; one more counts as a triple fault, as a real stack would have overflowed (our choice). */
const MAX_NESTED_FAULTS = 8;

/**
 * Faults of one access in a row before the CPU counts as hung (our choice): above the 64 tables of early_make_pgtable(),
 * after which it starts over with the first. A handler that has not removed the cause by then never will.
 */
const MAX_SAME_FAULTS = 72;

/** The options of the kernel configuration that the model has. */
export interface KernelConfig {
  readonly CONFIG_AMD_MEM_ENCRYPT: boolean;
  readonly CONFIG_EFI_MIXED: boolean;
}

export class Kernel {
  readonly fn: Fns<Entries>;
  readonly trace: Tracer;
  /** The CPU that is running; between boot steps it is the boot CPU. */
  cpu: Cpu;
  /** Gets what the model states of its memory; null: no listener. */
  notes: KernelNotes | null = null;
  /** Entries of hunks that ran; null: not recorded. */
  uses: Set<LinkedEntry> | null = null;
  private nested = 0;
  private lastFault = '';
  private sameFaults = 0;
  private readonly scratch = new Uint8Array(FETCH_WINDOW);

  constructor(
    readonly machine: Machine,
    private readonly bootCpu: Cpu,
    readonly program: Program,
    readonly table: LinkedTable,
    readonly config: KernelConfig,
    recorder: Recorder,
    /** The state outside simulated memory; not shared with another kernel. */
    public state: KernelState,
  ) {
    this.cpu = bootCpu;
    this.trace = new Tracer(this, recorder);
    const bound: Partial<Record<string, (...args: never[]) => unknown>> = {};
    for (const entry of table.values()) {
      bound[entry.name] = (...args: never[]) => this.run(entry, args);
    }
    this.fn = bound as Fns<Entries>;
    this.drive();
  }

  /** Makes the CPUs run this kernel: each write that can change the mapping is followed by a fetch(). */
  drive(): void {
    this.machine.driver = {
      controlWritten: () => {
        this.fetch();
      },
    };
  }

  // --- CPUs ----------------------------------------------------------------------------------------------------

  /** Runs `body` on CPU `id`, then switches back: the model's CPUs run one at a time. */
  on<T>(id: number, body: () => T): T {
    const from = this.cpu.id;
    const hunks = this.trace.suspendHunks();
    this.switchTo(id);
    try {
      return body();
    } finally {
      this.switchTo(from);
      this.trace.resumeHunks(hunks);
    }
  }

  private switchTo(id: number): void {
    const { state } = this;
    const to = this.machine.cpus[id];
    if (to === undefined) throw new BootEnd('hung', 'switchTo', `there is no CPU ${String(id)}`);
    if (this.cpu.id !== this.bootCpu.id) this.trace.suspended(state.frames);
    state.cpus[this.cpu.id] = { frames: state.frames, slide: state.slide, nested: this.nested };
    const { frames, slide, nested } = state.cpus[id] ?? { frames: [], slide: 0, nested: 0 };
    Reflect.deleteProperty(state.cpus, id);
    state.frames = frames;
    state.slide = slide;
    this.nested = nested;
    this.cpu = to;
    this.trace.resumed(id === this.bootCpu.id ? [] : frames);
  }

  // --- Names and addresses -------------------------------------------------------------------------------------

  /** Distance in bytes of the running code from its link address; not 0 while it runs at physical addresses. */
  get slide(): number {
    return this.state.slide;
  }

  /** The address of a symbol as the running code computes it (`leaq name(%rip)`). Throws E_NO_SYMBOL. */
  sym(name: string): Va {
    return va(this.program.link(name) + this.state.slide);
  }

  /** `__va()`: the direct-map address of a physical address. Delivers #GP if the result is not canonical. */
  __va(physical: number): Va {
    const address = PAGE_OFFSET + physical;
    if (address < 2 ** 47) return va(address);
    this.fault({ vector: VECTOR.GP, error: 0, address: BigInt(physical), why: 'non-canonical' });
    return va(0);
  }

  /** A 64-bit pointer as an address. Delivers #GP if it is not canonical. */
  canonical(pointer: bigint): Va {
    const address = vaOfU64(pointer);
    if (address !== undefined) return address;
    this.fault({ vector: VECTOR.GP, error: 0, address: pointer, why: 'non-canonical' });
    return va(0);
  }

  /** `__pa()`: the physical address of a direct-map or kernel-image address (arch/x86/mm/physaddr.c). */
  __pa(address: Va): number {
    return address >= __START_KERNEL_map
      ? address - __START_KERNEL_map + this.phys_base()
      : address - PAGE_OFFSET;
  }

  /** The value of the variable phys_base, read from memory. */
  phys_base(): number {
    return Number(BigInt.asIntN(64, this.readU64(this.sym('phys_base'))));
  }

  // --- Memory, through the CPU ---------------------------------------------------------------------------------

  readU8(address: Va): number {
    const value = this.cpu.loadU8(address);
    return typeof value === 'object' ? this.retry(value, () => this.cpu.loadU8(address)) : value;
  }
  readU16(address: Va): number {
    const value = this.cpu.loadU16(address);
    return typeof value === 'object' ? this.retry(value, () => this.cpu.loadU16(address)) : value;
  }
  readU32(address: Va): number {
    const value = this.cpu.loadU32(address);
    return typeof value === 'object' ? this.retry(value, () => this.cpu.loadU32(address)) : value;
  }
  readU64(address: Va): bigint {
    const value = this.cpu.loadU64(address);
    return typeof value === 'object' ? this.retry(value, () => this.cpu.loadU64(address)) : value;
  }
  writeU8(address: Va, value: number): void {
    const fault = this.cpu.storeU8(address, value);
    if (fault !== null) this.retryStore(fault, () => this.cpu.storeU8(address, value));
  }
  writeU16(address: Va, value: number): void {
    const fault = this.cpu.storeU16(address, value);
    if (fault !== null) this.retryStore(fault, () => this.cpu.storeU16(address, value));
  }
  writeU32(address: Va, value: number): void {
    const fault = this.cpu.storeU32(address, value);
    if (fault !== null) this.retryStore(fault, () => this.cpu.storeU32(address, value));
  }
  writeU64(address: Va, value: bigint): void {
    const word = BigInt.asUintN(64, value);
    const fault = this.cpu.storeU64(address, word);
    if (fault !== null) this.retryStore(fault, () => this.cpu.storeU64(address, word));
  }
  /** Adds to a 64-bit value in memory; returns the sum modulo 2^64. */
  addU64(address: Va, value: bigint): bigint {
    const sum = BigInt.asUintN(64, this.readU64(address) + value);
    this.writeU64(address, sum);
    return sum;
  }

  /** Reads `length` bytes; a fault is delivered and the read continues at the byte that faulted. */
  readBytes(address: Va, length: number): Uint8Array {
    const out = new Uint8Array(length);
    const log = this.trace.readLog();
    this.whole(length, log, (done) => this.cpu.read(va(address + done), out, done, length - done));
    if (log !== null) this.trace.recordRead(out, log.runs);
    return out;
  }

  writeBytes(address: Va, bytes: Uint8Array): void {
    const { length } = bytes;
    this.whole(length, null, (done) =>
      this.cpu.write(va(address + done), bytes, done, length - done),
    );
  }

  /** memcpy(): REP MOVSB, restarted where a fault was handled. */
  memcpy(to: Va, from: Va, length: number): void {
    const log = this.trace.on ? new CopyLog() : null;
    this.whole(length, log, (done) => this.cpu.copy(va(to + done), va(from + done), length - done));
    if (log !== null) this.trace.copied(log.runs);
  }

  /** memset(): REP STOSB, restarted where a fault was handled. */
  memset(at: Va, byte: number, length: number): void {
    const log = this.trace.on ? new RunLog('write') : null;
    this.whole(length, log, (done) => this.cpu.fill(va(at + done), byte, length - done));
    if (log !== null) this.trace.filled(log.runs, byte);
  }

  /**
   * Does an access of `length` bytes from its byte `done` on: a fault is delivered, and the access continues at the byte
   * that faulted. `log`: what it accessed, without what a fault's handler does.
   */
  private whole(
    length: number,
    log: { readonly listener: AccessListener } | null,
    access: (done: number) => Fault | null,
  ): void {
    const { accessed } = this.machine.probes;
    for (let done = 0; done < length;) {
      const from = done;
      const fault = log === null ? access(from) : accessed.during(log.listener, () => access(from));
      if (fault === null) return;
      done += this.cpu.progress;
      this.fault(fault);
    }
  }

  /** Delivers a fault and repeats the access until it does not fault. */
  private retry<T extends number | bigint>(first: Fault, access: () => T | Fault): T {
    for (let fault = first; ;) {
      this.fault(fault);
      const result = access();
      if (typeof result !== 'object') return result;
      fault = result;
    }
  }

  /** As retry(), for a store: the access returns a fault or null. */
  private retryStore(first: Fault, access: () => Fault | null): void {
    this.fault(first);
    this.retryUntilDelivered(access);
  }

  /** Repeats an access until it does not fault; each fault is delivered. */
  retryUntilDelivered(access: () => Fault | null): void {
    for (let fault = access(); fault !== null; fault = access()) this.fault(fault);
  }

  // --- Calls ---------------------------------------------------------------------------------------------------

  /** The frame of the running function; undefined before the first. */
  get current(): Frame | undefined {
    return this.state.frames[this.state.frames.length - 1];
  }

  private run(entry: LinkedEntry, args: never[]): unknown {
    if (entry.hunk !== undefined) this.uses?.add(entry);
    if (entry.kind !== 'fn') {
      if (entry.hunk === undefined) return entry.body(this, ...args);
      this.trace.pushHunk(entry);
      const result = entry.body(this, ...args);
      this.trace.popHunk();
      return result;
    }
    this.enter(entry.name);
    const result = entry.body(this, ...args);
    this.leave();
    return result;
  }

  /** The return address of a call of `callee` from the running function. */
  private returnAddress(callee: string): Va {
    const frame = this.current;
    if (frame === undefined) return this.cpu.rip;
    return va(frame.at + callSite(callee, this.program.sizeOf(frame.name)));
  }

  /** Sets RIP to `offset` bytes into the code of the running function. */
  ip(offset: number): void {
    this.cpu.rip = va((this.current?.at ?? this.cpu.rip) + offset);
  }

  /** CALL: pushes the return address, sets RIP to the function and fetches its first bytes. */
  enter(name: string, at: Va = this.sym(name)): void {
    const returnsTo = this.returnAddress(name);
    this.push(BigInt(returnsTo));
    this.state.frames.push({ name, at, returnsTo });
    this.cpu.rip = at;
    this.trace.entered(name, this.table.get(name));
    this.fetch();
  }

  /** Calls a copy of a function's code at another address. */
  callAt<N extends EntryName>(
    this: PatchedKernel,
    name: N,
    at: Va,
    ...args: Parameters<Fns<PatchEntries>[N]>
  ): void {
    const entry = this.table.get(name);
    if (entry === undefined) throw new BootEnd('hung', name, 'no such code');
    if (entry.hunk !== undefined) this.uses?.add(entry);
    this.enter(name, at);
    entry.body(this, ...([...args] as unknown[] as never[]));
    this.leave();
  }

  /** PUSH of 64 bits. */
  push(value: bigint): void {
    this.retryUntilDelivered(() => this.cpu.push(value));
  }

  /** POP of 64 bits. */
  popU64(): bigint {
    const value = this.cpu.pop();
    return typeof value === 'object' ? this.retry(value, () => this.cpu.pop()) : value;
  }

  /** JMP to a function: no return address. */
  jump(name: string, at: Va = this.sym(name)): void {
    this.cpu.rip = at;
    this.arrive(name, at);
  }

  /** A jump of any kind arrived at a function's code at a linear address: pushes its frame and fetches. */
  arrive(name: string, at: Va): void {
    this.state.frames.push({ name, at, returnsTo: va(0) });
    this.trace.entered(name, this.table.get(name));
    this.fetch();
  }

  /** RET: pops the return address from the simulated stack and fetches there. Delivers #UD if it was overwritten. */
  leave(): void {
    const frame = this.state.frames.pop();
    const popped = this.popU64();
    this.trace.left(frame?.name ?? '?');
    const target = BigInt.asIntN(64, popped);
    this.cpu.rip = va(Number(BigInt.asIntN(48, popped)));
    if (frame === undefined || target !== BigInt(frame.returnsTo)) {
      // The code at any other address is not modelled: it raises #UD (our choice).
      this.fault({ vector: VECTOR.UD, error: 0, why: `return to ${hex(popped)}` });
    }
    this.fetch();
  }

  /** Fetches at RIP through the current mapping and compares with the program's bytes. Delivers #UD if they differ. */
  fetch(): void {
    const frame = this.current;
    const expected =
      frame === undefined
        ? undefined
        : this.program.bytesAt(
            va(this.program.link(frame.name) + (this.cpu.codeAddress - frame.at)),
            FETCH_WINDOW,
          );
    if (expected === undefined) return;
    for (;;) {
      const fault = this.cpu.fetch(this.cpu.codeAddress, this.scratch);
      if (fault !== null) {
        this.fault(fault);
        continue;
      }
      if (startsWith(expected, this.scratch)) return;
      this.fault({ vector: VECTOR.UD, error: 0, why: 'text is not the program' });
    }
  }

  // --- Faults --------------------------------------------------------------------------------------------------

  /** Delivers a fault and runs its handler; returns after IRET. Throws BootEnd or CpuLost if there is no handler. */
  fault(fault: Fault): void {
    const where = this.current?.name ?? 'startup_64';
    this.checkRepeated(fault, where);
    this.nested += 1;
    const delivered =
      this.nested > MAX_NESTED_FAULTS
        ? { tripleFault: true as const, first: fault }
        : this.cpu.deliver(fault);
    if ('tripleFault' in delivered) {
      this.trace.fault(fault, 'triple fault');
      // A shutdown of any CPU resets a PC: reboot.c's BOOT_TRIPLE relies on it, KVM's shutdown_interception() does it
      // for every virtual CPU. Our choice (APM 8.2.9 leaves it to the system): the boot ends, whichever CPU it was.
      throw new BootEnd('triple-fault', where, `${this.onCpu()}no handler for ${describe(fault)}`);
    }
    const handler = this.program.nameAt(delivered.handler - this.state.slide);
    this.trace.fault(fault, handler?.name ?? hex(delivered.handler));
    if (handler === undefined || !this.table.has(handler.name)) {
      // Not modelled: what the firmware's handler does in real mode (our choice).
      if (this.cpu.mode === 'real') {
        throw new CpuLost(this.cpu.id, where, `unknown code at ${hex(delivered.handler)}`);
      }
      throw new BootEnd('triple-fault', where, `handler ${hex(delivered.handler)} is no code`);
    }
    this.state.frames.push({
      name: handler.name,
      at: va(delivered.handler - handler.offset),
      returnsTo: this.cpu.rip,
    });
    this.cpu.rip = delivered.handler;
    this.fetch();
    this.handle(handler.name, fault);
    this.state.frames.pop();
    this.trace.setOrigin();
    // The handler drops the error code before it returns (head_64.S, entry_64.S).
    if (pushesErrorCode(delivered.fault.vector)) this.cpu.rsp = va(this.cpu.rsp + 8);
    this.retryUntilDelivered(() => this.cpu.iret());
    this.nested -= 1;
  }

  /** Throws BootEnd if one access faults MAX_SAME_FAULTS times in a row: a real CPU would loop forever. */
  private checkRepeated(fault: Fault, where: string): void {
    const what = `${String(this.cpu.id)} ${describe(fault)} ${String(this.cpu.rip)}`;
    this.sameFaults = what === this.lastFault ? this.sameFaults + 1 : 0;
    this.lastFault = what;
    if (this.sameFaults < MAX_SAME_FAULTS) return;
    throw new BootEnd('hung', where, `${this.onCpu()}${describe(fault)} repeats forever`);
  }

  /** Prefix of a message: the CPU, if it is not the boot CPU. */
  private onCpu(): string {
    return this.cpu === this.bootCpu ? '' : `CPU ${String(this.cpu.id)}: `;
  }

  private handle(handler: string, fault: Fault): void {
    if (handler === 'early_idt_handler_array') this.fn.early_idt_handler_array(fault);
    else if (handler === 'page_fault') this.fn.page_fault(fault);
    else throw new BootEnd('hung', handler, `the model has no handler of ${describe(fault)}`);
  }
}

/** Whether the CPU pushes an error code (APM table 8-1); only vectors that boot code can raise. */
function pushesErrorCode(vector: number): boolean {
  return vector === VECTOR.DF || vector === VECTOR.GP || vector === VECTOR.PF;
}
