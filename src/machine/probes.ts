/**
 * Probe points: where the machine says what it does. Each has typed arguments and a flag, as gem5's probe points have; a
 * point without listeners computes nothing and calls nothing. Listeners change nothing in the machine.
 *
 * Lengths are in bytes; a key is the key id that the C-bit selected; addresses are without the C-bit.
 */
import type { KeyId, Pa, Va } from './address.js';
import type { IommuEvent } from './iommu/amd-iommu-events.js';
import type { Requester } from './requester.js';
import type { TlbEntry } from './cpu/tlb.js';
import type { MapRead } from './svm/permission-maps.js';
import type { Fault, MemType, Origin } from './types.js';

export class ProbePoint<Args extends readonly unknown[]> {
  /** Whether the point has listeners. The machine tests it before it makes the arguments. */
  active = false;
  private listeners: readonly ((...args: Args) => void)[] = [];

  /** Calls `listener` from now on. Returns the function that ends this. */
  listen(listener: (...args: Args) => void): () => void {
    // A function of its own: the same listener may be added twice.
    const own = (...args: Args): void => {
      listener(...args);
    };
    this.listeners = [...this.listeners, own];
    this.active = true;
    return () => {
      this.listeners = this.listeners.filter((each) => each !== own);
      this.active = this.listeners.length > 0;
    };
  }

  /** Calls the listeners in the order in which they were added. */
  notify(...args: Args): void {
    for (const listener of this.listeners) listener(...args);
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
  /** Dirty lines were written back to DRAM. `origin` is that of the line's last writer. */
  readonly writtenBack = new ProbePoint<[pa: Pa, key: KeyId, length: number, origin: Origin]>();
  /** A write changed the key of bytes in DRAM. */
  readonly keyChanged = new ProbePoint<
    [pa: Pa, length: number, from: KeyId, to: KeyId, origin: Origin]
  >();
  /** A walk for a TLB miss read a page-table entry at `pa` under a key; `va` is the address that is translated. */
  readonly walked = new ProbePoint<[cpu: number, va: Va, pa: Pa, key: KeyId]>();
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
  /** The processor read a permission map of a guest. */
  readonly permissionMapRead = new ProbePoint<[cpu: number, read: MapRead]>();
  /** CR0, CR3, CR4, EFER or SYSCFG was written, after the write. */
  readonly controlWritten = new ProbePoint<[cpu: number, register: string]>();
  /** WRMSR, after the write. */
  readonly msrWritten = new ProbePoint<[cpu: number, msr: number, value: bigint]>();
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
