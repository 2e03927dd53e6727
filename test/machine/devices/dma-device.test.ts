import { describe, expect, test } from '@jest/globals';
import { pa } from '../../../src/machine/address.js';
import type { BusResult, UpstreamPort } from '../../../src/machine/bus.js';
import {
  DMA_BUFFER_SIZE,
  DmaDevice,
  type AddressBits,
} from '../../../src/machine/devices/dma-device.js';

const REQUESTER = 0x0100;

/** Memory that repeats every 64 KiB, and a list of the requests to it. */
class Port implements UpstreamPort {
  readonly requests: string[] = [];
  readonly memory = new Uint8Array(0x1_0000);
  answer: (bus: bigint) => BusResult = () => 'ok';

  read(requester: number, bus: bigint, out: Uint8Array): BusResult {
    this.requests.push(
      `read ${requester.toString(16)} ${bus.toString(16)}+${out.length.toString(16)}`,
    );
    const at = Number(bus & 0xffffn);
    out.set(this.memory.subarray(at, at + out.length));
    return this.answer(bus);
  }
  write(requester: number, bus: bigint, data: Uint8Array): BusResult {
    this.requests.push(
      `write ${requester.toString(16)} ${bus.toString(16)}+${data.length.toString(16)}`,
    );
    if (this.answer(bus) === 'ok') this.memory.set(data, Number(bus & 0xffffn));
    return this.answer(bus);
  }
}

function device(addressBits: AddressBits = 64): { port: Port; dma: DmaDevice } {
  const port = new Port();
  const dma = new DmaDevice({ name: 'nvme', addressBits, requester: REQUESTER, upstream: port });
  return { port, dma };
}

describe('a device that does DMA', () => {
  test('writes its pattern at the bus address and reads it back', () => {
    const { port, dma } = device();
    const pattern = dma.pattern(0x40);
    expect(dma.writeMemory(0x1234n, 0x40)).toBe('ok');
    expect(port.memory.subarray(0x1234, 0x1274)).toEqual(pattern);
    expect(dma.readMemory(0x1234n, 0x40)).toBe('ok');
    expect(dma.received).toEqual(pattern);
  });

  test('has its name at the start of its registers, at any offset of a read', () => {
    const { dma } = device();
    dma.setBar(0xfe00_0000);
    const out = new Uint8Array(4).fill(0xee);
    dma.mmioRead(pa(0xfe00_0001), out, 1, 2);
    expect(out).toEqual(Uint8Array.of(0xee, 'v'.charCodeAt(0), 'm'.charCodeAt(0), 0xee));
    dma.mmioRead(pa(0xfe00_0fff), out, 0, 1);
    expect(out[0]).toBe(0);
  });

  test('writes another pattern with each transfer', () => {
    const { dma } = device();
    const first = dma.pattern(64);
    dma.writeMemory(0n, 64);
    expect(dma.pattern(64)).not.toEqual(first);
  });

  test.each([
    [0x0fffn, 1, ['read 100 fff+1']],
    [0x0fffn, 2, ['read 100 fff+1', 'read 100 1000+1']],
    [0x1000n, 0x1000, ['read 100 1000+1000']],
    [0x1001n, 0x1fff, ['read 100 1001+fff', 'read 100 2000+1000']],
  ])('sends no request across 4 KiB: %p for %p bytes', (bus, length, requests) => {
    const { port, dma } = device();
    dma.readMemory(bus, length);
    expect(port.requests).toEqual(requests);
  });

  test.each([
    [24, 0x00ff_ffffn, 0x00ff_ffffn],
    [24, 0x0100_0000n, 0n],
    [24, 0x8000_7fab_c800n, 0xab_c800n],
    [32, 0xffff_ffffn, 0xffff_ffffn],
    [32, 0x1_0000_0000n, 0n],
    [32, 0x8000_7fab_c800n, 0x7fab_c800n],
    [64, 0x8000_7fab_c800n, 0x8000_7fab_c800n],
  ] as const)('with %p address bits sends %p as %p', (bits, bus, sent) => {
    const { port, dma } = device(bits);
    dma.readMemory(bus, 1);
    expect(port.requests).toEqual([`read 100 ${sent.toString(16)}+1`]);
  });

  test('wraps to address 0 after the end of its address range', () => {
    const { port, dma } = device(24);
    dma.readMemory(0xff_f800n, 0x1000);
    expect(port.requests).toEqual(['read 100 fff800+800', 'read 100 0+800']);
  });

  test.each(['master-abort', 'target-abort'] as const)('ends a transfer at a %s', (result) => {
    const { port, dma } = device();
    port.answer = (bus) => (bus < 0x2000n ? 'ok' : result);
    expect(dma.writeMemory(0x1000n, 0x3000)).toBe(result);
    expect(dma.status).toBe(result);
    expect(port.requests).toEqual(['write 100 1000+1000', 'write 100 2000+1000']);
  });

  test.each([0, -1, 1.5, DMA_BUFFER_SIZE + 1])('refuses a transfer of %p bytes', (length) => {
    const { port, dma } = device();
    expect(() => dma.readMemory(0n, length)).toThrow(/^E_DMA_LENGTH/);
    expect(() => dma.writeMemory(0n, length)).toThrow(/^E_DMA_LENGTH/);
    expect(port.requests).toEqual([]);
  });

  test.each([1, DMA_BUFFER_SIZE])('accepts a transfer of %p bytes', (length) => {
    expect(device().dma.readMemory(0n, length)).toBe('ok');
  });

  test('has its whole state in a snapshot', () => {
    const { port, dma } = device();
    port.memory.fill(7);
    dma.readMemory(0n, 16);
    const frozen = structuredClone(dma.snapshot());
    const next = dma.pattern(16);
    dma.writeMemory(0n, 16);
    dma.readMemory(0n, 16);
    dma.restore(frozen);
    expect(dma.received).toEqual(new Uint8Array(16).fill(7));
    expect(dma.pattern(16)).toEqual(next);
    dma.writeMemory(0n, 16);
    dma.restore(frozen);
    expect(dma.pattern(16)).toEqual(next);
  });
});
