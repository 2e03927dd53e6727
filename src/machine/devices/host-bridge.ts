/**
 * The host bridge: forwards requests of devices to memory. A bus address with the C-bit goes through the memory engine
 * (APM 7.10.4; without an IOMMU the C-bit is part of the address that the device sends, as Linux 4.14 relies on).
 */
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../address.js';
import type { BusResult, UpstreamPort } from '../bus.js';
import type { Machine } from '../machine.js';
import { pciRequester } from '../requester.js';

export class HostBridge implements UpstreamPort {
  constructor(private readonly machine: Machine) {}

  read(requester: number, bus: bigint, out: Uint8Array): BusResult {
    const { address, key } = this.split(bus);
    const inDram = this.isDram(address, out.length);
    if (inDram) {
      out.set(this.machine.dmaRead(pa(address), out.length, key, pciRequester(requester)));
    } else out.fill(0xff); // PCI: a read that no target claims returns all ones.
    return inDram ? 'ok' : 'master-abort';
  }

  write(requester: number, bus: bigint, data: Uint8Array): BusResult {
    const { address, key } = this.split(bus);
    if (!this.isDram(address, data.length)) return 'master-abort';
    this.machine.dmaWrite(pa(address), data, key, pciRequester(requester));
    return 'ok';
  }

  /** The physical address and key of a bus address. Our choice: the C-bit is in force if SYSCFG[23] of CPU 0 is set. */
  split(bus: bigint): { address: number; key: KeyId } {
    const { sme } = this.machine.config.model;
    const on = sme !== undefined && this.machine.cpus[0].encryption;
    const cBit = on ? 1n << BigInt(sme.cBit) : 0n;
    return {
      address: Number(bus & ~cBit),
      key: (bus & cBit) === 0n ? KEY_PLAIN : KEY_HOST,
    };
  }

  private isDram(address: number, length: number): boolean {
    return (
      length > 0 && this.machine.dram.has(address) && this.machine.dram.has(address + length - 1)
    );
  }
}
