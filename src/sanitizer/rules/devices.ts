/** `noise-to-device`: a buffer is given to a device that would read noise from it. */
import { KEY_HOST, KEY_PLAIN } from '../../machine/address.js';
import { AmdIommu } from '../../machine/iommu/amd-iommu.js';
import { cBit, withC, type Watch } from '../watch.js';
import { UNWRITTEN } from '../writers.js';

/** `bus`: the address that the device was given, with the C-bit if it has it. */
export function checkBuffer(watch: Watch, bus: bigint, size: number): void {
  const { machine, shadow, writers } = watch;
  // Behind an IOMMU it is no physical address; the device's reads are checked when it makes them.
  if (machine.bus.all.some((each) => each instanceof AmdIommu && each.enabled)) return;
  const mask = watch.cBitAddress === Infinity ? 0n : BigInt(watch.cBitAddress);
  const key = (bus & mask) === 0n ? KEY_PLAIN : KEY_HOST;
  const address = Number(bus & ~mask);
  // The report depends on these bytes.
  if (machine.probes.touched.active) machine.probes.touched.notify(address, size);
  shadow.runs(address, size, (start, length, number, destroyed) => {
    const writer = writers.get(number);
    if (number !== UNWRITTEN && writer?.key === key && !destroyed) return;
    watch.report({
      rule: 'noise-to-device',
      ...watch.by({ requester: watch.cpu, origin: 0 }),
      ...{ start, length, C: cBit(key) },
      what:
        writer === undefined
          ? 'a device is given a buffer that was never written'
          : `a device is given a buffer with ${withC(key)} that was written with ${withC(writer.key)}`,
      ...(writer !== undefined && { earlier: { what: 'written', writer } }),
      outcome: 'nothing yet',
    });
  });
}
