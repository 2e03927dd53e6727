/**
 * kexec-tools' purgatory: the program that runs between two kernels. It verifies the digest of the loaded segments,
 * loads the registers and jumps to the new kernel (purgatory/purgatory.c, arch/x86_64/entry64.S).
 */
import { concat } from '../base/bytes.js';
import { PAGE_SIZE, va, vaAdd, type Va } from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import { VECTOR, type Fault } from '../machine/types.js';

/** A range of physical memory that the digest covers. */
export interface Covered {
  readonly mem: number;
  readonly memsz: number;
}

/** The data that kexec-tools stores in purgatory. */
export interface PurgatoryData {
  /** Physical address of the new kernel's entry, and of its zero page for RSI. */
  readonly rip: number;
  readonly rsi: number;
  /** SHA-256 over the concatenated segments, in hexadecimal. */
  readonly digest: string;
  readonly segments: readonly Covered[];
}

/** Offsets in purgatory's page (our choice): code, registers, digest, segments; the stack grows down from the end. */
export const PURGATORY = {
  code: 0,
  codeSize: 0x400,
  rip: 0x800,
  rsi: 0x808,
  digest: 0x820,
  count: 0x840,
  segments: 0x848,
  size: PAGE_SIZE,
} as const;
const DIGEST_SIZE = 32;
const SEGMENT_SIZE = 16;
const FETCH_WINDOW = 16;

/** Purgatory's page as it is loaded. */
export function purgatoryPage(code: Uint8Array, data: PurgatoryData): Uint8Array {
  const page = new Uint8Array(PURGATORY.size);
  const view = new DataView(page.buffer);
  page.set(code.subarray(0, PURGATORY.codeSize), PURGATORY.code);
  view.setBigUint64(PURGATORY.rip, BigInt(data.rip), true);
  view.setBigUint64(PURGATORY.rsi, BigInt(data.rsi), true);
  for (let i = 0; i < DIGEST_SIZE; i++) {
    page[PURGATORY.digest + i] = parseInt(data.digest.slice(2 * i, 2 * i + 2), 16);
  }
  view.setBigUint64(PURGATORY.count, BigInt(data.segments.length), true);
  for (const [index, { mem, memsz }] of data.segments.entries()) {
    const at = PURGATORY.segments + index * SEGMENT_SIZE;
    view.setBigUint64(at, BigInt(mem), true);
    view.setBigUint64(at + 8, BigInt(memsz), true);
  }
  return page;
}

/** The outcome of purgatory: a fault, an endless loop because the digests differ, or the new kernel (`null`). */
export type PurgatoryEnd = Fault | 'digest' | null;

/** Runs purgatory on a CPU whose RIP is at its first byte. `digest` is SHA-256 in hexadecimal. */
export function runPurgatory(
  cpu: Cpu,
  code: Uint8Array,
  digest: (bytes: Uint8Array) => string,
): PurgatoryEnd {
  const base = cpu.rip;
  const window = new Uint8Array(FETCH_WINDOW);
  const unfetched = cpu.fetch(base, window);
  if (unfetched !== null) return unfetched;
  if (window.some((byte, index) => byte !== code[index])) {
    return { vector: VECTOR.UD, error: 0, why: 'text is not purgatory' };
  }
  cpu.rsp = vaAdd(base, PURGATORY.size);
  const word = (offset: number): bigint | Fault => cpu.loadU64(vaAdd(base, offset));
  const count = word(PURGATORY.count);
  if (isFault(count)) return count;
  const segments: Uint8Array[] = [];
  for (let i = 0; i < Number(count); i++) {
    const mem = word(PURGATORY.segments + i * SEGMENT_SIZE);
    const memsz = word(PURGATORY.segments + i * SEGMENT_SIZE + 8);
    if (isFault(mem)) return mem;
    if (isFault(memsz)) return memsz;
    const segment = new Uint8Array(Number(memsz));
    const fault = cpu.read(va(Number(mem)), segment);
    if (fault !== null) return fault;
    segments.push(segment);
  }
  const stored = new Uint8Array(DIGEST_SIZE);
  const unread = cpu.read(vaAdd(base, PURGATORY.digest), stored);
  if (unread !== null) return unread;
  const hex = Array.from(stored, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (digest(concat(segments)) !== hex) return 'digest';
  return enterKernel(cpu, word(PURGATORY.rip), word(PURGATORY.rsi));
}

/** entry64.S: the registers of the boot protocol, and the jump. */
function enterKernel(cpu: Cpu, rip: bigint | Fault, rsi: bigint | Fault): PurgatoryEnd {
  if (isFault(rip)) return rip;
  if (isFault(rsi)) return rsi;
  cpu.setGeneral('rsi', physical(rsi));
  cpu.rip = physical(rip);
  return null;
}
const physical = (value: bigint): Va => va(Number(value));
