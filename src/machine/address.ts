/**
 * Physical and virtual addresses.
 *
 * Both fit a double exactly: physical addresses are below 2^52, virtual addresses are 48-bit canonical and stored
 * sign-extended, so that 0xffffffff81000000 is the number -0x7f000000. The two are distinct types; a physical
 * address never carries the C-bit (the key id is a separate parameter).
 */
declare const brand: unique symbol;

/** A physical address in bytes, without the C-bit, 0 ≤ pa < 2^52. */
export type Pa = number & { readonly [brand]: 'Pa' };

/** A 48-bit canonical virtual address in bytes, sign-extended: −2^47 ≤ va < 2^47. */
export type Va = number & { readonly [brand]: 'Va' };

/** A page-table entry of 64 bits. */
export type Pte = bigint;

/** The key that a C-bit selects: 0 is no encryption, 1 the host's key, guests have higher ids. */
export type KeyId = number & { readonly [brand]: 'KeyId' };

export const KEY_PLAIN = 0 as KeyId;
export const KEY_HOST = 1 as KeyId;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 0x1000;
export const PMD_SIZE = 0x20_0000;
export const PUD_SIZE = 0x4000_0000;
export const PGDIR_SIZE = 0x80_0000_0000;
/** Bytes in a cache line (PPR Zen 1: 64). */
export const LINE_SIZE = 64;
/** Bytes in one AES block of the memory engine. */
export const BLOCK_SIZE = 16;

const TWO_47 = 2 ** 47;
const TWO_48 = 2 ** 48;

/** A number of bytes as a physical address. */
export function pa(value: number): Pa {
  return value as Pa;
}

/** A virtual address from a signed number or from the low 48 bits of an unsigned one. */
export function va(value: number): Va {
  return (value >= TWO_47 ? value - TWO_48 : value) as Va;
}

/** The physical address `bytes` after `at` (before it where negative). */
export function paAdd(at: Pa, bytes: number): Pa {
  return (at + bytes) as Pa;
}

/** The virtual address `bytes` after `at` (before it where negative). */
export function vaAdd(at: Va, bytes: number): Va {
  return va(at + bytes);
}

/** The physical address of the cache line that a byte is in. */
export function lineOf(at: Pa): Pa {
  return (at - inLine(at)) as Pa;
}

/** The offset of an address in its cache line, in bytes. */
export function inLine(at: Pa): number {
  return at & (LINE_SIZE - 1);
}

/** The physical address of the byte at `offset` in page frame `number`. */
export function paOfPage(number: number, offset: number): Pa {
  return (number * PAGE_SIZE + offset) as Pa;
}

/** The physical address of `at`, a virtual address in the range of the translation `from`. */
export function translated(from: { readonly va: Va; readonly pa: Pa }, at: Va): Pa {
  return (from.pa + (at - from.va)) as Pa;
}

/** The virtual address of a 64-bit value, or undefined where it is not canonical (APM 1.1.3). */
export function vaOfU64(value: bigint): Va | undefined {
  const signed = BigInt.asIntN(48, value);
  return BigInt.asUintN(64, signed) === BigInt.asUintN(64, value)
    ? (Number(signed) as Va)
    : undefined;
}

/** The virtual address of a number in an input, or undefined if it is not canonical or has more than 64 bits. */
export const vaOfText = (digits: string): Va | undefined => {
  const value = BigInt(digits);
  return value === BigInt.asUintN(64, value) ? vaOfU64(value) : undefined;
};

/** An address as 64 unsigned bits. */
export function u64(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

/** An address in hexadecimal, 0x… , sign-extended to 64 bits where it is negative. */
export function hex(address: number | bigint): string {
  return address < 0 ? `0x${u64(Number(address)).toString(16)}` : `0x${address.toString(16)}`;
}

/** The bits [shift+8 : shift] of a virtual address: its index in a table of 512. */
export function tableIndex(address: number, shift: 12 | 21 | 30 | 39): number {
  return Math.floor(address / 2 ** shift) & 511;
}

/** The largest multiple of `align` (a power of two) that is not above `address`. */
export function alignDown<T extends number>(address: T, align: number): T {
  return (Math.floor(address / align) * align) as T;
}

/** The smallest multiple of `align` (a power of two) that is not below `address`. */
export function alignUp<T extends number>(address: T, align: number): T {
  return (Math.ceil(address / align) * align) as T;
}
