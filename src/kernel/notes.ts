/**
 * What the kernel model states of its memory while it runs, for the sanitizer (src/sanitizer/annotations.ts). The model
 * reads none of it.
 */
import type { MemType } from '../machine/types.js';
import type { KeyId, Va } from '../machine/address.js';

/** A range of linear addresses, in bytes. */
export interface VaRange {
  readonly at: Va;
  readonly size: number;
}

export interface KernelNotes {
  /** Addresses were mapped; `type` is the memory type that the code asks for. */
  mapped(range: VaRange, type: MemType): void;
  /** The mapping that begins at `at` is gone. */
  unmapped(at: Va): void;
  /** Pages were freed to the page allocator. */
  freed(ranges: readonly VaRange[]): void;
  /** The contents of pages are needed no more: they are about to be freed. */
  released(ranges: readonly VaRange[]): void;
  /** A bus address was handed to a device that reads from it. */
  toDevice(devid: number, bus: bigint, size: number): void;
  /** A device may use a bus address from now on. */
  buffer(devid: number, bus: bigint, size: number): void;
  /** It may no longer. */
  bufferGone(devid: number, bus: bigint, size: number): void;
  /** Addresses are searched from now on, until the next searched(). */
  searching(range: VaRange): void;
  /** Memory was searched for a table that begins with `signature` at a multiple of `step` bytes. */
  searched(search: {
    readonly what: string;
    readonly start: number;
    readonly length: number;
    readonly key: KeyId;
    readonly signature: Uint8Array;
    readonly step: number;
    readonly found: boolean;
  }): void;
}
