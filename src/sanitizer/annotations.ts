/**
 * What the code that runs states of its memory: annotations of a kernel model. Rules that need them are not checked
 * without them, as for a kernel whose instructions are executed.
 */
import type { KeyId } from '../machine/address.js';
import type { MemType } from '../machine/types.js';

/** Kinds of annotations, as docs/sanitizer.md names them. */
export const ANNOTATIONS = [
  'what the loader placed',
  'mask variables',
  'memory types of mappings',
  'freed pages',
  'buffers of devices',
  'searches',
] as const;
export type Annotation = (typeof ANNOTATIONS)[number];

/** A range of linear addresses, in bytes. */
export interface LinearRange {
  readonly at: number;
  readonly size: number;
}

/** A search of memory for a table: `signature` is what the table begins with, at a multiple of `step` bytes. */
export interface Searched {
  readonly what: string;
  readonly start: number;
  readonly length: number;
  /** The key of the mapping that was searched. */
  readonly key: KeyId;
  readonly signature: Uint8Array;
  readonly step: number;
  readonly found: boolean;
}

export interface Annotations {
  /** Addresses were mapped with a memory type; `type` is what the code asks for. */
  mapped(range: LinearRange, type: MemType): void;
  /** The mapping that begins there is gone. */
  unmapped(at: number): void;
  /** Mapped memory was given back to the allocator. */
  freed(ranges: readonly LinearRange[]): void;
  /** The contents of mapped memory are needed no more. */
  released(ranges: readonly LinearRange[]): void;
  /** A device was given a bus address to read from; sizes in bytes. */
  toDevice(requester: number, bus: bigint, size: number): void;
  /** A device may use a bus address from now on. `devid`: its bus, device and function as 16 bits. */
  buffer(devid: number, bus: bigint, size: number): void;
  /** It may no longer. */
  bufferGone(devid: number, bus: bigint, size: number): void;
  /** Addresses are searched from now on, until the next searched(): reads are no use of what is there. */
  searching(range: LinearRange): void;
  searched(search: Searched): void;
}
