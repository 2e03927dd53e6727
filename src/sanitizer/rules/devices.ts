/**
 * `noise-to-device`: a buffer is given to a device that would read noise from it. `foreign-owner-write` by a device: it
 * writes outside of the buffers that it was given.
 */
import { KEY_HOST, KEY_PLAIN } from '../../machine/address.js';
import { AmdIommu } from '../../machine/iommu/amd-iommu.js';
import { pciRequester } from '../../machine/requester.js';
import { cBit, withC, type Access, type Watch } from '../watch.js';
import { UNWRITTEN } from '../writers.js';

/** Behind an IOMMU a bus address is no physical address. */
const isTranslated = ({ machine }: Watch): boolean =>
  machine.bus.all.some((each) => each instanceof AmdIommu && each.enabled);

/** The physical address in a bus address, and its C-bit. */
function target({ cBitAddress }: Watch, bus: bigint): { at: number; C: boolean } {
  const mask = cBitAddress === Infinity ? 0n : BigInt(cBitAddress);
  return { at: Number(bus & ~mask), C: (bus & mask) !== 0n };
}

/** `bus`: the address that the device was given, with the C-bit if it has it. */
export function checkBuffer(watch: Watch, bus: bigint, size: number): void {
  const { machine, shadow, writers } = watch;
  // There the device's reads are checked when it makes them.
  if (isTranslated(watch)) return;
  const { at, C } = target(watch, bus);
  const key = C ? KEY_HOST : KEY_PLAIN;
  // The report depends on these bytes.
  if (machine.probes.touched.active) machine.probes.touched.notify(at, size);
  shadow.runs(at, size, (start, length, number, destroyed) => {
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

/** A buffer of a device: the bus address that it was given. */
interface Buffer {
  readonly bus: bigint;
  readonly size: number;
}

export type BuffersSnapshot = readonly (readonly [number, readonly Buffer[]])[];

/** The buffers that devices may use, by requester. */
export class Buffers {
  private lists = new Map<number, readonly Buffer[]>();

  given(devid: number, bus: bigint, size: number): void {
    const id = pciRequester(devid);
    this.lists.set(id, [...(this.lists.get(id) ?? []), { bus, size }]);
  }

  takenBack(devid: number, bus: bigint, size: number): void {
    const id = pciRequester(devid);
    const list = this.lists.get(id) ?? [];
    const gone = list.findLast((each) => each.bus === bus && each.size === size);
    this.lists.set(
      id,
      list.filter((each) => each !== gone),
    );
  }

  /** A device that was given buffers writes outside of them: bytes from the first such to the end of the access. */
  checkWrite(watch: Watch, access: Access): void {
    const { start, length, requester, key } = access;
    const list = this.lists.get(requester);
    if (list === undefined || isTranslated(watch)) return;
    const end = start + length;
    let covered = start;
    for (;;) {
      const next = list
        .map(({ bus, size }) => ({ at: target(watch, bus).at, size }))
        .filter(({ at, size }) => at <= covered && at + size > covered)
        .map(({ at, size }) => at + size);
      if (next.length === 0) break;
      covered = Math.max(...next);
      if (covered >= end) return;
    }
    watch.report({
      rule: 'foreign-owner-write',
      ...watch.by(access),
      ...{ start: covered, length: end - covered, C: cBit(key) },
      what: 'a device writes outside of the buffers that it was given',
      outcome: 'data lost',
    });
  }

  snapshot(): BuffersSnapshot {
    return [...this.lists];
  }

  restore(snapshot: BuffersSnapshot): void {
    this.lists = new Map(snapshot);
  }
}
