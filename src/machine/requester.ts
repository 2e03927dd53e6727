/**
 * Who a memory transaction is from. It travels with each access through cache and bus, as QEMU's MemTxAttrs do, so that
 * a device that answers each CPU in its own way (the local APIC) knows whose access it has.
 *
 * A small integer, so that an access allocates nothing (our choice of numbers): a CPU is its own number, a PCI function
 * its requester id above the CPUs, and two more that are neither.
 */

/** A CPU's number, or what the functions and constants here make. */
export type Requester = number;

/** CPU numbers and PCI requester ids (PCI Express Base 2.2.6.2) have 16 bits each. */
const COUNT = 0x1_0000;
const FIRST_PCI = COUNT;

/** The cache itself: lines that it writes back. */
export const REQUESTER_CACHE: Requester = FIRST_PCI + COUNT;
/** What reaches memory beside the CPUs and is no PCI function: firmware that loads a kernel, and reports. */
export const REQUESTER_PLATFORM: Requester = REQUESTER_CACHE + 1;

/** @param id bus, device and function as 16 bits (PCI Express Base 2.2.6.2). */
export function pciRequester(id: number): Requester {
  return FIRST_PCI + id;
}

/** The number of the CPU that a transaction is from; undefined where it is not from a CPU. */
export function requestingCpu(requester: Requester): number | undefined {
  return requester < FIRST_PCI ? requester : undefined;
}
