/** Bounce buffers of a booted kernel, slot by slot. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { hex, va } from '../../../../src/machine/address.js';
import {
  DMA,
  DMA_BIT_MASK,
  type KernelDevice,
} from '../../../../src/linux/include/linux/dma-mapping/dma_map_ops.js';
import { readInt, writeInt } from '../../../../src/linux/arch/x86/kernel/pci-dma/pci-dma.js';
import {
  readLong,
  SWIOTLB_MAP_ERROR,
  writeLong,
} from '../../../../src/linux/lib/swiotlb/swiotlb.js';
import { scenario } from '../../../helpers.js';
import { BootCheckpoint } from '../../../kernel/at-label.js';

const SLAB = 2048;
const SEGMENT = 128;
const SLABS = 32768;
const MIB = 2 ** 20;

const checkpoint = new BootCheckpoint('pci_iommu_init', {
  scenario: scenario('bios-minimal', 'machine.ram=128MiB'),
});
const { k } = checkpoint;
// A snapshot shares its pages until they are written: cheaper than copying 64 MiB.
const machine = k.machine.snapshot();
const state = structuredClone(k.state);
const recorded = checkpoint.boot.recorder.snapshot();
beforeEach(() => {
  k.machine.restore(machine);
  k.state = structuredClone(state);
  checkpoint.boot.recorder.restore(recorded);
  checkpoint.boot.recorder.step('test');
});

const device = (bits: number): KernelDevice => ({
  name: 'dev',
  devid: 0x100,
  dmaMask: DMA_BIT_MASK(bits),
  coherentDmaMask: DMA_BIT_MASK(bits),
  dmaOps: 0,
});
const dev = device(32);
const start = (): number => readLong(k, 'io_tlb_start');
const list = (index: number): number =>
  k.readU32(va(Number(BigInt.asIntN(64, k.readU64(k.sym('io_tlb_list')))) + index * 4));
/** Maps `size` bytes; the index of the first slot, or SWIOTLB_MAP_ERROR. */
const map = (size: number, orig = 8 * MIB, dir: 0 | 1 | 2 = DMA.FROM_DEVICE): number => {
  const tlb = k.fn.swiotlb_tbl_map_single(dev, BigInt(start()), orig, size, dir);
  return tlb === SWIOTLB_MAP_ERROR ? tlb : (tlb - start()) / SLAB;
};
const unmap = (index: number, size: number, dir: 0 | 1 | 2 = DMA.TO_DEVICE): void => {
  k.fn.swiotlb_tbl_unmap_single(dev, start() + index * SLAB, size, dir);
};
const bytes = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i * 7) & 0xff);

/** The lines of the log since the restored label. */
const printed = ({ boot }: BootCheckpoint): unknown[] =>
  boot.recorder.eventsOf('test').flatMap((event) => event.console ?? []);

describe('the bounce buffer area', () => {
  test('has 64 MiB below 4 GiB, page-aligned, and an overflow buffer of 32 KiB', () => {
    expect(readLong(k, 'io_tlb_nslabs')).toBe(SLABS);
    expect(readLong(k, 'io_tlb_end') - start()).toBe(64 * MIB);
    expect(start() % 4096).toBe(0);
    expect(readLong(k, 'io_tlb_end')).toBeLessThan(2 ** 32);
    expect(readLong(k, 'io_tlb_overflow')).toBe(32 * 1024);
  });

  test('has in each entry of io_tlb_list the number of free slots to the end of the segment', () => {
    const entries = [0, 1, 126, 127, 128, SLABS - 128, SLABS - 1].map(list);
    expect(entries).toEqual([128, 127, 2, 1, 128, 128, 1]);
  });

  test('is what is_swiotlb_buffer() accepts, from the first byte to the last', () => {
    const end = readLong(k, 'io_tlb_end');
    const inside = [start() - 1, start(), end - 1, end].map((at) => k.fn.is_swiotlb_buffer(at));
    expect(inside).toEqual([false, true, true, false]);
  });

  test('is printed with its range, its size in MiB and its range in the direct map', () => {
    k.fn.swiotlb_print_info();
    const [first, last] = [start(), start() + 64 * MIB];
    const [low, high] = [k.__va(first), k.__va(last - 1)].map(hex);
    expect(printed(checkpoint)).toEqual([
      `software IO TLB [mem ${hex(first)}-${hex(last)}] (64MB) mapped at [${low}-${high}]`,
    ]);
  });

  test('is not allocated if memory is too small for it, and a bounce then panics', () => {
    const small = new BootCheckpoint('pci_iommu_init', {
      scenario: scenario('bios-minimal', 'machine.ram=64MiB'),
    });
    small.boot.recorder.step('test');
    expect(small.k.readU8(small.k.sym('no_iotlb_memory'))).toBe(1);
    small.k.fn.swiotlb_print_info();
    expect(() => small.k.fn.swiotlb_tbl_map_single(dev, 0n, 8 * MIB, 64, DMA.TO_DEVICE)).toThrow(
      /SWIOTLB/,
    );
    expect(printed(small)[0]).toBe('software IO TLB: No low mem');
  });
});

describe('swiotlb_tbl_map_single()', () => {
  test.each([
    [1, 1],
    [SLAB - 1, 1],
    [SLAB, 1],
    [SLAB + 1, 2],
    [2 * SLAB, 2],
    [2 * SLAB + 1, 3],
    [SEGMENT * SLAB, SEGMENT],
  ])('maps %p bytes in %p slots', (size, count) => {
    expect(map(size)).toBe(0);
    expect(list(count - 1)).toBe(0);
    expect(list(count)).toBe(SEGMENT - (count % SEGMENT));
    expect(readInt(k, 'io_tlb_index')).toBe(count);
  });

  test('fails for more than a segment', () => {
    expect(map(SEGMENT * SLAB + 1)).toBe(SWIOTLB_MAP_ERROR);
    expect(list(0)).toBe(SEGMENT);
  });

  test('is a BUG for 0 bytes', () => {
    expect(() => map(0)).toThrow(/BUG/);
  });

  test('aligns a mapping to a page only if it is larger than a page', () => {
    expect(map(1)).toBe(0);
    expect(map(4096)).toBe(1);
    expect(map(4097)).toBe(4);
  });

  test('allocates the slots of a mapping in one segment', () => {
    expect(map((SEGMENT - 2) * SLAB)).toBe(0);
    expect(map(2 * SLAB + 1)).toBe(SEGMENT);
  });

  test('searches from io_tlb_index on and wraps around', () => {
    writeInt(k, 'io_tlb_index', SLABS - 1);
    expect(map(1)).toBe(SLABS - 1);
    expect(readInt(k, 'io_tlb_index')).toBe(0);
    writeInt(k, 'io_tlb_index', SLABS - 1);
    expect(map(1)).toBe(0);
  });

  test('fails once no slot is free, and succeeds again after an unmap', () => {
    for (let i = 0; i < SLABS / SEGMENT; i++) expect(map(SEGMENT * SLAB)).toBe(i * SEGMENT);
    expect(map(1)).toBe(SWIOTLB_MAP_ERROR);
    unmap(5 * SEGMENT, SEGMENT * SLAB);
    expect(map(1)).toBe(5 * SEGMENT);
  });

  test('finds unmapped slots merged with the free ones on both sides', () => {
    const [a, b, c] = [map(SLAB), map(3 * SLAB - SLAB), map(SLAB)];
    expect([a, b, c]).toEqual([0, 1, 3]);
    unmap(0, SLAB);
    expect([0, 1, 2, 3].map(list)).toEqual([1, 0, 0, 0]);
    unmap(3, SLAB);
    expect([0, 3, 4].map(list)).toEqual([1, SEGMENT - 3, SEGMENT - 4]);
    unmap(1, 2 * SLAB);
    expect([0, 1, 2, 3].map(list)).toEqual([128, 127, 126, 125]);
  });

  test('does not count the next segment’s slots as free', () => {
    writeInt(k, 'io_tlb_index', SEGMENT - 1);
    expect(map(1)).toBe(SEGMENT - 1);
    expect(list(SEGMENT - 2)).toBe(1);
    unmap(SEGMENT - 1, 1);
    expect([SEGMENT - 2, SEGMENT - 1].map(list)).toEqual([2, 1]);
  });
});

describe('a bounce', () => {
  const orig = 8 * MIB + 0x123;
  const size = 5000;

  test.each([
    ['TO_DEVICE', DMA.TO_DEVICE],
    ['BIDIRECTIONAL', DMA.BIDIRECTIONAL],
  ])('copies the buffer into the slots when mapped %s', (_name, dir) => {
    k.writeBytes(k.__va(orig), bytes(size, 3));
    const index = map(size, orig, dir);
    expect(k.readBytes(k.__va(start() + index * SLAB), size)).toEqual(bytes(size, 3));
  });

  test('copies nothing when mapped FROM_DEVICE, and the slots into the buffer when unmapped', () => {
    k.writeBytes(k.__va(orig), bytes(size, 3));
    const index = map(size, orig);
    const slots = k.__va(start() + index * SLAB);
    expect(k.readBytes(slots, size)).toEqual(new Uint8Array(size));
    k.writeBytes(slots, bytes(size + 1, 9));
    unmap(index, size, DMA.FROM_DEVICE);
    expect(k.readBytes(k.__va(orig), size)).toEqual(bytes(size, 9));
    expect(k.readU8(k.__va(orig + size))).not.toBe((9 + size * 7) & 0xff);
  });

  test('copies nothing when slots are unmapped a second time', () => {
    k.writeBytes(k.__va(orig), bytes(size, 3));
    const index = map(size, orig);
    unmap(index, size, DMA.TO_DEVICE);
    k.writeBytes(k.__va(start() + index * SLAB), bytes(size, 9));
    unmap(index, size, DMA.FROM_DEVICE);
    expect(k.readBytes(k.__va(orig), size)).toEqual(bytes(size, 3));
  });

  test.each([0, 1, SLAB - 1, SLAB, SLAB + 1])('syncs a part at offset %p', (offset) => {
    k.writeBytes(k.__va(orig), bytes(size, 3));
    const index = map(size, orig, DMA.BIDIRECTIONAL);
    const tlb = start() + index * SLAB;
    k.writeBytes(k.__va(tlb + offset), bytes(100, 50));
    k.fn.swiotlb_tbl_sync_single(dev, tlb + offset, 100, DMA.BIDIRECTIONAL, 'SYNC_FOR_CPU');
    expect(k.readBytes(k.__va(orig + offset), 100)).toEqual(bytes(100, 50));
    k.writeBytes(k.__va(orig + offset), bytes(100, 80));
    k.fn.swiotlb_tbl_sync_single(dev, tlb + offset, 100, DMA.BIDIRECTIONAL, 'SYNC_FOR_DEVICE');
    expect(k.readBytes(k.__va(tlb + offset), 100)).toEqual(bytes(100, 80));
  });
});

describe('iommu_is_span_boundary()', () => {
  test.each([
    [0, 8, 0, 8, false],
    [0, 9, 0, 8, true],
    [1, 8, 0, 8, true],
    [0, 1, 7, 8, false],
    [0, 2, 7, 8, true],
    [1, 8, 7, 8, false],
  ])('slots %p+%p, shifted by %p, boundary %p: %p', (index, nr, shift, boundary, crosses) => {
    expect(k.fn.iommu_is_span_boundary(index, nr, shift, boundary)).toBe(crosses);
  });
});

describe('swiotlb_map_page()', () => {
  const page = 8 * MIB;

  test('returns the page’s own address if the device reaches it', () => {
    const mask = k.readU64(k.sym('sme_me_mask'));
    const bus = k.fn.swiotlb_map_page(device(64), page, 0x10, 64, DMA.TO_DEVICE);
    expect(bus).toBe(BigInt(page + 0x10) | mask);
    expect(k.fn.swiotlb_dma_mapping_error(dev, bus)).toBe(false);
  });

  test('returns slots if the device does not reach the page, and unmapping frees them', () => {
    const bus = k.fn.swiotlb_map_page(dev, page, 0x10, 64, DMA.TO_DEVICE);
    expect(bus).toBe(BigInt(start()));
    expect(list(0)).toBe(0);
    k.fn.swiotlb_unmap_page(dev, bus, 64, DMA.TO_DEVICE);
    expect(list(0)).toBe(SEGMENT);
  });

  test('returns the overflow buffer, a mapping error, if the device reaches no slot', () => {
    const isa = device(24);
    const bus = k.fn.swiotlb_map_page(isa, page, 0, 64, DMA.TO_DEVICE);
    expect(bus).toBe(BigInt(readLong(k, 'io_tlb_overflow_buffer')));
    expect(k.fn.swiotlb_dma_mapping_error(isa, bus)).toBe(true);
    expect(list(0)).toBe(SEGMENT);
  });

  test.each([
    [DMA.TO_DEVICE, /DMA read/],
    [DMA.FROM_DEVICE, /DMA written/],
    [DMA.BIDIRECTIONAL, /DMA accessed/],
  ])(
    'panics for direction %p if no slots are free and the overflow buffer is too small',
    (dir, text) => {
      const room = readLong(k, 'io_tlb_overflow');
      writeLong(k, 'io_tlb_nslabs', SEGMENT);
      map(SEGMENT * SLAB);
      const bus = k.fn.swiotlb_map_page(dev, page, 0, room, dir);
      expect(k.fn.swiotlb_dma_mapping_error(dev, bus)).toBe(true);
      expect(() => k.fn.swiotlb_map_page(dev, page, 0, room + 1, dir)).toThrow(text);
    },
  );

  test('a scatterlist that does not fit frees all its slots', () => {
    writeLong(k, 'io_tlb_nslabs', SEGMENT);
    const entry = { page, offset: 0, length: 100 * SLAB, dmaAddress: 0n, dmaLength: 0 };
    const sgl = [entry, { ...entry }];
    expect(k.fn.swiotlb_map_sg_attrs(dev, sgl, DMA.TO_DEVICE)).toBe(0);
    expect(list(0)).toBe(SEGMENT);
  });
});
