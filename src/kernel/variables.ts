/**
 * Kernel variables that live in simulated memory, with their sizes and static contents.
 */
import type { Va } from '../machine/address.js';

/** Lookup of link addresses. */
export interface LinkAddresses {
  /** The link address of a symbol; throws if there is none. */
  link(name: string): Va;
}

/** A variable of the kernel. */
export interface Variable {
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Alignment in bytes, a power of two. */
  readonly align: number;
  readonly section: '.data' | '.bss' | '.init.data' | '.rodata';
  /** Static contents, zero-filled to `size`; absent means all zero. */
  readonly init?: (at: LinkAddresses) => Uint8Array;
  /** Names inside the variable, with their offsets in bytes: code relies on them (`early_dynamic_pgts` follows its PGD). */
  readonly parts?: Readonly<Record<string, number>>;
  /** Whether it holds bits for page-table entries, the C-bit among them: an annotation for the sanitizer. */
  readonly mask?: true;
  /** The kernel file that defines it. */
  readonly file: string;
}

/** 64-bit values as little-endian bytes. */
export function quads(values: Iterable<bigint>): Uint8Array {
  const list = [...values];
  const bytes = new Uint8Array(list.length * 8);
  const view = new DataView(bytes.buffer);
  list.forEach((value, index) => view.setBigUint64(index * 8, BigInt.asUintN(64, value), true));
  return bytes;
}

/** A page table of 512 entries, as bytes; entries that are not given are 0. */
export function table512(entries: Readonly<Record<number, bigint>>): Uint8Array {
  const values = new Array<bigint>(512).fill(0n);
  for (const [index, value] of Object.entries(entries)) values[Number(index)] = value;
  return quads(values);
}
