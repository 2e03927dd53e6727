/**
 * drivers/base/dd.c and a generic driver (our choice, after Documentation/DMA-API-HOWTO.txt): it sets the DMA mask, and
 * transfers known data in both directions through each kind of mapping. The device uses a mapping's bus address
 * unchanged; a failed mapping is reported and not used.
 */
import { hex, PAGE_SIZE, va, type Va } from '../../../machine/address.js';
import { DmaDevice } from '../../../machine/devices/dma-device.js';
import type { BusResult } from '../../../machine/bus.js';
import { pciRequester } from '../../../machine/requester.js';
import {
  DMA,
  DMA_BIT_MASK,
  type DmaDirection,
  type KernelDevice,
  type Scatterlist,
} from '../../include/linux/dma-mapping/dma_map_ops.js';
import { GFP } from '../../mm/page_alloc/page_alloc.js';
import { fn, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    really_probe(k: Kernel, dev: KernelDevice): void;
  }
}

/** A streaming buffer: it crosses a page boundary (our choice). */
const BUFFER = { order: 1, offset: 0x300, size: 0x1800 } as const;
/** Bytes of a coherent allocation, and of each half: commands that the device reads, answers that it writes. */
const RING = { size: PAGE_SIZE, half: PAGE_SIZE / 2 } as const;
/** Segments of the scatterlist. */
const SEGMENTS = [
  { offset: 0x100, length: 0x900 },
  { offset: 0, length: PAGE_SIZE },
] as const;

/** A driver bound to its device. */
interface Binding {
  readonly k: Kernel;
  readonly dev: KernelDevice;
  readonly device: DmaDevice;
  /** Zone of the device's memory: drivers of ISA devices use ZONE_DMA. */
  readonly gfp: number;
}

const dirName = (dir: DmaDirection): string =>
  dir === DMA.TO_DEVICE ? 'to device' : 'from device';

/** Known data of `size` bytes: the name, repeated. */
function dataOf(name: string, size: number): Uint8Array {
  const text = `${name} `;
  const data = new Uint8Array(size);
  for (let i = 0; i < size; i++) data[i] = text.charCodeAt(i % text.length);
  return data;
}

/** Records a transfer in the trace, or one that a failed mapping prevented. */
function traceDma(
  { k, dev }: Binding,
  what: string,
  dir: DmaDirection,
  at: { pa: number; bytes: number; bus?: bigint },
  result: string,
): void {
  k.trace.emit('dma', {
    device: dev.name,
    direction: dirName(dir),
    ...(at.bus === undefined ? {} : { bus: hex(at.bus) }),
    pa: { space: 'pa', start: at.pa, length: at.bytes },
    bytes: at.bytes,
    ...(at.bus === undefined ? {} : { C: k.cpu.decodeEntry(at.bus, PAGE_SIZE).c }),
    via: k.trace.name(k.trace.dmaOps),
    what,
    result,
  });
}

/** The device transfers bytes at bus addresses, segment by segment. */
function transfer(
  bound: Binding,
  what: string,
  dir: DmaDirection,
  segments: readonly { bus: bigint; pa: number; bytes: number }[],
): void {
  const { k, dev, device } = bound;
  const { recorder } = k.trace;
  const name = `${dev.name} ${what}${dirName(dir)}`;
  const moved: Uint8Array[] = [];
  const log = k.trace.dmaLog(pciRequester(device.requester));
  for (const segment of segments) {
    let result: BusResult;
    if (dir === DMA.TO_DEVICE) {
      result = device.readMemory(segment.bus, segment.bytes);
      moved.push(device.received);
    } else {
      moved.push(device.pattern(segment.bytes));
      result = device.writeMemory(segment.bus, segment.bytes);
    }
    const sent = device.truncate(segment.bus);
    traceDma(
      bound,
      name,
      dir,
      segment,
      sent === segment.bus ? result : `${result}, sent as ${hex(sent)}`,
    );
  }
  const all = joined(moved);
  if (dir === DMA.TO_DEVICE) {
    log?.record(all);
    recorder.consumed(name, dev.name, all);
  } else recorder.produced(name, all);
  log?.end();
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Allocates pages for a driver; panics without memory (our choice). */
function pages(k: Kernel, gfp: number, order: number): number {
  return k.fn.alloc_pages(gfp, order) || k.fn.panic('driver: out of memory');
}

/** dma_map_single() one way: the device transfers the buffer, then the driver reads it. */
function streaming(bound: Binding, dir: DmaDirection, page: number): void {
  const { k, dev } = bound;
  const { size } = BUFFER;
  const at = page + BUFFER.offset;
  const buffer = k.__va(at);
  const name = `${dev.name} ${dirName(dir)}`;
  const toDevice = dir === DMA.TO_DEVICE;
  const data = toDevice ? dataOf(name, size) : new Uint8Array(size);
  k.writeBytes(buffer, data);
  const bus = k.fn.dma_map_single(dev, buffer, size, dir);
  if (k.fn.dma_mapping_error(dev, bus)) {
    k.fn.printk(`${dev.name}: DMA map failed`);
    traceDma(bound, name, dir, { pa: at, bytes: size }, 'mapping error');
  } else {
    if (toDevice) k.trace.recorder.produced(name, data);
    transfer(bound, '', dir, [{ bus, pa: at, bytes: size }]);
    k.fn.dma_unmap_single(dev, bus, size, dir);
    if (!toDevice) k.trace.recorder.consumed(name, `${dev.name} driver`, k.readBytes(buffer, size));
  }
}

/** dma_alloc_coherent(): the device reads one half, then writes the other, while the memory is mapped. */
function coherent(bound: Binding): void {
  const { k, dev } = bound;
  const { size, half } = RING;
  const ring = k.fn.dma_alloc_coherent(dev, size, GFP.KERNEL);
  if (ring === null) {
    k.fn.printk(`${dev.name}: no coherent memory`);
    const what = `${dev.name} coherent`;
    k.trace.emit('dma', { device: dev.name, bytes: size, what, result: 'no memory' });
    return;
  }
  const { vaddr, handle } = ring;
  const pa = k.__pa(vaddr);
  const name = `${dev.name} coherent`;
  const commands = dataOf(`${name} to device`, half);
  k.writeBytes(vaddr, commands);
  k.trace.recorder.produced(`${name} to device`, commands);
  transfer(bound, 'coherent ', DMA.TO_DEVICE, [{ bus: handle, pa, bytes: half }]);
  const answers = { bus: handle + BigInt(half), pa: pa + half, bytes: half };
  transfer(bound, 'coherent ', DMA.FROM_DEVICE, [answers]);
  const read = k.readBytes(va(vaddr + half), half);
  k.trace.recorder.consumed(`${name} from device`, `${dev.name} driver`, read);
  k.fn.dma_free_coherent(dev, size, vaddr, handle);
}

/** dma_map_sg() one way: segments of several pages. */
function scattered(bound: Binding, dir: DmaDirection): void {
  const { k, dev } = bound;
  const name = `${dev.name} sg ${dirName(dir)}`;
  const toDevice = dir === DMA.TO_DEVICE;
  const sgl = SEGMENTS.map(({ offset, length }): Scatterlist => ({
    page: pages(k, bound.gfp, 0),
    offset,
    length,
    dmaAddress: 0n,
    dmaLength: 0,
  }));
  const bufferOf = ({ page, offset }: Scatterlist): Va => k.__va(page + offset);
  const total = sgl.reduce((sum, { length }) => sum + length, 0);
  const data = toDevice ? dataOf(name, total) : new Uint8Array(total);
  let done = 0;
  for (const sg of sgl) {
    k.writeBytes(bufferOf(sg), data.subarray(done, done + sg.length));
    done += sg.length;
  }
  if (k.fn.dma_map_sg(dev, sgl, dir) === 0) {
    k.fn.printk(`${dev.name}: DMA map failed`);
    const first = sgl[0];
    if (first !== undefined) {
      const at = { pa: first.page + first.offset, bytes: first.length };
      traceDma(bound, name, dir, at, 'mapping error');
    }
  } else {
    if (toDevice) k.trace.recorder.produced(name, data);
    const segments = sgl.map((sg) => ({
      bus: sg.dmaAddress,
      pa: sg.page + sg.offset,
      bytes: sg.dmaLength,
    }));
    transfer(bound, 'sg ', dir, segments);
    k.fn.dma_unmap_sg(dev, sgl, dir);
    if (!toDevice) {
      const read = joined(sgl.map((sg) => k.readBytes(bufferOf(sg), sg.length)));
      k.trace.recorder.consumed(name, `${dev.name} driver`, read);
    }
  }
  for (const { page } of sgl) k.fn.free_pages(k.__va(page), 0);
}

/** The driver maps the device's registers and reads its identity. */
function registers({ k, dev, device }: Binding): void {
  const at = k.fn.pci_ioremap_bar(dev);
  if (at === 0) {
    k.fn.printk(`${dev.name}: cannot map registers`);
    return;
  }
  const { length } = device.identity;
  const name = `${dev.name} registers`;
  k.trace.recorder.produced(name, device.identity);
  const identity = k.trace.reading(name, at, length, (counted) =>
    counted(() => k.readBytes(at, length)),
  );
  k.trace.recorder.consumed(name, `${dev.name} driver`, identity);
  k.fn.iounmap(at);
}

export const drivers = bodies({
  really_probe: fn((k: Kernel, dev: KernelDevice) => {
    const device = k.machine.bus.all.find((one) => one.name === dev.name);
    if (!(device instanceof DmaDevice)) return;
    const { addressBits } = device;
    // As drivers of 64-bit devices do: 32 bits are tried where the wide mask is refused.
    const widths = addressBits > 32 ? [addressBits, 32] : [addressBits];
    const width = widths.find(
      (bits) => k.fn.dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits)) === 0,
    );
    if (width === undefined) {
      k.fn.printk(`${dev.name}: No usable DMA configuration, aborting`);
      return;
    }
    if (width !== addressBits) k.fn.printk(`${dev.name}: DMA mask of ${String(width)} bits`);
    const bound = { k, dev, device, gfp: addressBits <= 24 ? GFP.DMA : GFP.KERNEL };
    if (dev.bar !== undefined) registers(bound);
    // The driver owns the buffer while it is bound.
    const buffer = pages(k, bound.gfp, BUFFER.order);
    streaming(bound, DMA.TO_DEVICE, buffer);
    streaming(bound, DMA.FROM_DEVICE, buffer);
    coherent(bound);
    scattered(bound, DMA.TO_DEVICE);
    scattered(bound, DMA.FROM_DEVICE);
    k.fn.free_pages(k.__va(buffer), BUFFER.order);
  }),
});
