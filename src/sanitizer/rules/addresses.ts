/** `cbit-on-mmio` and `cbit-not-in-force`: the C-bit where it means nothing, or is an address bit. */
import { pa } from '../../machine/address.js';
import type { Fault } from '../../machine/types.js';
import { cBit, describe, type Access, type Watch } from '../watch.js';

/** An access at an address with the C-bit in it, which this CPU does not take for the C-bit. */
export function checkAddress(watch: Watch, access: Access): void {
  const { what, requester: cpu, va, start, length } = access;
  if (start < watch.cBitAddress || watch.encrypts(cpu) || watch.machine.answers(pa(start))) return;
  watch.report({
    rule: 'cbit-not-in-force',
    ...watch.by(access),
    ...{ start, length, va },
    what: `${describe(what)} at an address that has the C-bit in it: SYSCFG[23] of this CPU is clear`,
    outcome: 'garbage consumed',
  });
}

/** A fault for an entry with the C-bit: without encryption, one at or above the physical size is reserved (APM 7.10.1). */
export function checkFault(watch: Watch, cpu: number, { read, address }: Fault): void {
  if (read === undefined || watch.encrypts(cpu) || watch.cBitAddress === Infinity) return;
  if ((read.reserved & BigInt(watch.cBitAddress)) === 0n) return;
  watch.report({
    rule: 'cbit-not-in-force',
    ...watch.by({ requester: cpu, origin: 0 }),
    ...{ start: read.at, length: 8, va: Number(address ?? 0) },
    what: `a ${read.level} entry with the C-bit on a CPU whose SYSCFG[23] is clear: a #PF for a reserved bit`,
    outcome: 'garbage consumed',
  });
}

/** Accesses with the C-bit to memory-mapped I/O are ignored (APM 7.10.5). Returns whether this is one. */
export function checkDevice(watch: Watch, access: Access): boolean {
  const { what, va, start, length, key } = access;
  const { dram, bus } = watch.machine;
  if (dram.has(start) || bus.at(start) === undefined) return false;
  watch.report({
    rule: 'cbit-on-mmio',
    ...watch.by(access),
    ...{ start, length, va, C: cBit(key) },
    what: `${describe(what)} of a device with C=1: the access is ignored`,
    outcome: what === 'write' ? 'data lost' : 'garbage consumed',
  });
  return true;
}
