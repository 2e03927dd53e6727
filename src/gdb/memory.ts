/** Memory as the executing CPU would access it: through the mapping in force, at its CR3, under the key of each page. */
import {
  KEY_HOST,
  KEY_PLAIN,
  PAGE_SIZE,
  vaAdd,
  type KeyId,
  type Pa,
  type Va,
} from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import type { Machine } from '../machine/machine.js';
import { readUnder } from '../machine/quiet.js';
import { translationOf } from '../inspect/translation.js';

/** A part of a linear range that is in one page. */
interface Piece {
  readonly pa: Pa;
  readonly key: KeyId;
  readonly length: number;
}

/** Ends of the lower and of the upper half of canonical addresses. */
const LOWER_END = 2 ** 47;
const UPPER_END = 0;

/** The pages of a range, up to the first that is not mapped, that has neither memory nor a device, or is not canonical. */
function piecesOf(machine: Machine, cpu: Cpu, at: Va, length: number): Piece[] {
  const pieces: Piece[] = [];
  const end = Math.min(at + length, at < 0 ? UPPER_END : LOWER_END);
  for (let here = at; here < end;) {
    const offset = ((here % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
    const run = Math.min(end - here, PAGE_SIZE - offset);
    const found = translationOf(machine, cpu, here);
    if (isFault(found) || !machine.answers(found.pa)) break;
    pieces.push({ pa: found.pa, key: found.c === 1 ? KEY_HOST : KEY_PLAIN, length: run });
    if (here + run >= end) break;
    here = vaAdd(here, run);
  }
  return pieces;
}

/**
 * The bytes of a linear range, up to the first that cannot be read. Sets no accessed bit, and changes neither the TLB nor
 * the cache nor a device.
 */
export function readMemory(machine: Machine, cpu: Cpu, at: Va, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let done = 0;
  for (const piece of piecesOf(machine, cpu, at, length)) {
    out.set(readUnder(machine, piece.pa, piece.length, piece.key), done);
    done += piece.length;
  }
  return out.subarray(0, done);
}

/**
 * Writes a linear range as a device does that uses the page's key: the lines leave the cache. Sets neither accessed nor
 * dirty bits, and needs no permission of the page. Returns false, and writes nothing, if a page cannot be written.
 */
export function writeMemory(machine: Machine, cpu: Cpu, at: Va, bytes: Uint8Array): boolean {
  const pieces = piecesOf(machine, cpu, at, bytes.length);
  const mapped = pieces.reduce((sum, { length }) => sum + length, 0);
  if (mapped !== bytes.length) return false;
  let done = 0;
  for (const { pa, key, length } of pieces) {
    machine.dmaWrite(pa, bytes.subarray(done, done + length), key);
    done += length;
  }
  return true;
}
