/**
 * Probe points: where the machine says what it does. Each has typed arguments and a flag, as gem5's probe points have; a
 * point without listeners computes nothing and calls nothing. Listeners change nothing in the machine.
 *
 * Lengths are in bytes; a key is the key id that the C-bit selected; addresses are without the C-bit.
 */
import type { KeyId, Pa, Va } from './address.js';
import type { IommuEvent } from './iommu/amd-iommu-events.js';
import type { Requester } from './requester.js';
import type { CpuidResult } from './cpu/cpuid.js';
import type { TlbEntry } from './cpu/tlb.js';
import type { MapRead } from './svm/permission-maps.js';
import type { Fault, MemType, Origin } from './types.js';

type Listener<Args extends readonly unknown[]> = (...args: Args) => void;

export class ProbePoint<Args extends readonly unknown[]> {
  /** Whether the point has listeners. The machine tests it before it makes the arguments. */
  active = false;
  /** Calls the listeners in the order in which they were added. With one listener it is this listener: no call more. */
  notify: Listener<Args> = () => undefined;
  /** An object for each time that a listener was added: the same one may be added twice. */
  private entries: readonly { readonly listener: Listener<Args> }[] = [];

  /** Calls `listener` from now on. Returns the function that ends this. */
  listen(listener: Listener<Args>): () => void {
    const own = { listener };
    this.set([...this.entries, own]);
    return () => {
      this.set(this.entries.filter((each) => each !== own));
    };
  }

  /** Calls `listener` while `body` runs. */
  during<T>(listener: Listener<Args>, body: () => T): T {
    const before = this.entries;
    const own = { listener };
    const during = [...before, own];
    this.set(during);
    try {
      return body();
    } finally {
      // Others may have begun or ended to listen meanwhile.
      const same = this.entries === during;
      this.set(same ? before : this.entries.filter((each) => each !== own));
    }
  }

  private set(entries: readonly { readonly listener: Listener<Args> }[]): void {
    this.entries = entries;
    this.active = entries.length > 0;
    const [only] = entries;
    this.notify =
      only !== undefined && entries.length === 1
        ? only.listener
        : (...args) => {
            for (const { listener } of entries) listener(...args);
          };
  }
}

/** The purpose of a CPU's access. */
export type AccessKind = 'read' | 'write' | 'fetch';

export class Probes {
  /**
   * A CPU or its guest accesses memory, before it does: a run of bytes with one translation, within a page unless it is
   * a long fill. `va` is the linear address.
   */
  readonly accessed = new ProbePoint<
    [
      kind: AccessKind,
      cpu: number,
      va: Va,
      pa: Pa,
      key: KeyId,
      type: MemType,
      length: number,
      origin: Origin,
    ]
  >();
  /** Any access, in the cache or behind it, of a CPU, a walker or a device. */
  readonly touched = new ProbePoint<[pa: number, length: number]>();
  /** Lines were filled from DRAM. `overwritten`: the content was not used, the whole line is written at once. */
  readonly filled = new ProbePoint<
    [pa: Pa, key: KeyId, length: number, overwritten: boolean, origin: Origin]
  >();
  /** Dirty lines are about to be written back to DRAM. */
  readonly writingBack = new ProbePoint<[pa: Pa, key: KeyId, length: number]>();
  /** Dirty lines were written back to DRAM. `origin` is that of the line's last writer. */
  readonly writtenBack = new ProbePoint<[pa: Pa, key: KeyId, length: number, origin: Origin]>();
  /** A write is about to change the key of bytes in DRAM. */
  readonly keyChanged = new ProbePoint<
    [pa: Pa, length: number, from: KeyId, to: KeyId, origin: Origin]
  >();
  /** A walk for a TLB miss read a page-table entry at `pa` under a key; `va` is the address that is translated. */
  readonly walked = new ProbePoint<[cpu: number, va: Va, pa: Pa, key: KeyId, origin: Origin]>();
  /** A walk made a translation (TLB miss), after the entries that it read. */
  readonly translated = new ProbePoint<[cpu: number, entry: TlbEntry]>();
  /** An entry selected a slot of the PAT, or RDMSR and WRMSR of the PAT used it. */
  readonly patSlotUsed = new ProbePoint<[slot: number]>();
  /** A device, or firmware, accesses memory without a CPU, before it does. */
  readonly dma = new ProbePoint<
    [
      kind: 'read' | 'write',
      requester: Requester,
      pa: Pa,
      key: KeyId,
      length: number,
      origin: Origin,
    ]
  >();
  /** A guest accessed its memory, page by page. `gpa` is the guest-physical address. */
  readonly guestAccessed = new ProbePoint<
    [kind: AccessKind, cpu: number, gpa: number, bytes: Uint8Array]
  >();
  /** A walk for a guest's access read an entry of a nested table, or of the guest's own table, at `pa` under a key. */
  readonly guestWalked = new ProbePoint<[cpu: number, pa: Pa, key: KeyId, origin: Origin]>();
  /** The processor read a permission map of a guest. */
  readonly permissionMapRead = new ProbePoint<[cpu: number, read: MapRead]>();
  /** CR0, CR3, CR4, EFER or SYSCFG was written, after the write. */
  readonly controlWritten = new ProbePoint<[cpu: number, register: string]>();
  /** WRMSR, after the write. */
  readonly msrWritten = new ProbePoint<[cpu: number, msr: number, value: bigint]>();
  /** CPUID was executed as an instruction: EAX and ECX before it, and its result. */
  readonly identified = new ProbePoint<
    [cpu: number, leaf: number, sub: number, result: CpuidResult]
  >();
  /** The IOMMU wrote an event to its log. `at` is the event's address. */
  readonly iommuEvent = new ProbePoint<[event: IommuEvent, at: bigint]>();
  /** A fault is delivered to its handler. */
  readonly faulted = new ProbePoint<[cpu: number, fault: Fault]>();
  /** Translations or all lines of a CPU were flushed; `at` is the linear address of INVLPG. */
  readonly flushed = new ProbePoint<
    [
      cpu: number,
      what: 'tlb' | 'tlb-global' | 'invlpg' | 'wbinvd',
      at: number | undefined,
      origin: Origin,
    ]
  >();
  /** CLFLUSH of the lines of a range with one translation, after it. `va` is the linear address. */
  readonly linesFlushed = new ProbePoint<
    [cpu: number, va: Va, pa: Pa, length: number, key: KeyId, origin: Origin]
  >();
}
