/**
 * The originator of a memory transaction. It is a parameter of each access through cache and bus, as QEMU's MemTxAttrs
 * are, so that a device that answers each CPU differently (the local APIC) can tell the CPUs apart.
 *
 * A small integer, so that an access allocates nothing (our choice of numbers): a CPU's number; a PCI function's
 * requester id, offset past the CPU numbers; and two more that are neither.
 */

/** A CPU's number, or a value of {@link pciRequester}, REQUESTER_CACHE or REQUESTER_PLATFORM. */
export type Requester = number;

/** CPU numbers and PCI requester ids (PCI Express Base 2.2.6.2) have 16 bits each. */
const COUNT = 0x1_0000;
const FIRST_PCI = COUNT;

/** The cache itself, for lines that it writes back. */
export const REQUESTER_CACHE: Requester = FIRST_PCI + COUNT;
/** Accesses that are neither a CPU's nor a PCI function's: firmware that loads a kernel, and reports. */
export const REQUESTER_PLATFORM: Requester = REQUESTER_CACHE + 1;

/** The requester for a PCI function. @param id bus, device and function as 16 bits (PCI Express Base 2.2.6.2). */
export function pciRequester(id: number): Requester {
  return FIRST_PCI + id;
}

/** The number of the requesting CPU; undefined if the requester is not a CPU. */
export function requestingCpu(requester: Requester): number | undefined {
  return requester < FIRST_PCI ? requester : undefined;
}
