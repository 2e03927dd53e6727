/**
 * Kernel variables that live in simulated memory, with their sizes and static contents.
 */
import type { Va } from '../machine/address.js';

/** Where names are: link addresses, as the image has them. */
export interface LinkAddresses {
  /** The link address of a symbol. */
  link(name: string): Va;
}

/** A variable of the kernel. */
export interface Variable {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes, a power of two. */
  readonly align: number;
  readonly section: '.data' | '.bss' | '.init.data' | '.rodata';
  /** Static contents, shorter than `size` where the rest is zero; absent means all zero. */
  readonly init?: (at: LinkAddresses) => Uint8Array;
  /** Names inside the variable, by offset: code relies on their distance (`early_dynamic_pgts` follows its PGD). */
  readonly parts?: Readonly<Record<string, number>>;
  /** The kernel file that defines it. */
  readonly file: string;
}

/** Little-endian bytes of 64-bit values. */
export function quads(values: Iterable<bigint>): Uint8Array {
  const list = [...values];
  const bytes = new Uint8Array(list.length * 8);
  const view = new DataView(bytes.buffer);
  list.forEach((value, index) => view.setBigUint64(index * 8, BigInt.asUintN(64, value), true));
  return bytes;
}

/** A table of 512 entries with only some of them set. */
export function table512(entries: Readonly<Record<number, bigint>>): Uint8Array {
  const values = new Array<bigint>(512).fill(0n);
  for (const [index, value] of Object.entries(entries)) values[Number(index)] = value;
  return quads(values);
}
