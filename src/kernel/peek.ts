/** Reads memory for reports, as the CPU that runs would: changes nothing. */
import { PAGE_SIZE, pa, va, type Va } from '../machine/address.js';
import { isFault } from '../machine/cpu/fault.js';
import { readUnder } from '../machine/quiet.js';
import type { AccessRun } from './access-log.js';
import type { Kernel } from './kernel.js';

/** The bytes of a virtual range; what is not mapped is zero. */
export function peek(k: Kernel, at: Va, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const here = va(at + done);
    const inPage = ((here % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
    const run = Math.min(length - done, PAGE_SIZE - inPage);
    const found = k.cpu.translate(here);
    if (!isFault(found)) out.set(readUnder(k.machine, found.pa, run, found.key), done);
    done += run;
  }
  return out;
}

/** The bytes of a run of an access, under its key. */
export function peekRun(k: Kernel, run: AccessRun): Uint8Array {
  return readUnder(k.machine, pa(run.pa), run.length, run.key);
}
