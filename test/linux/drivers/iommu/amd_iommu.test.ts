import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { va } from '../../../../src/machine/address.js';
import type { ProtectionDomain } from '../../../../src/linux/drivers/iommu/amd_iommu_types.js';
import type { KernelDevice } from '../../../../src/linux/include/linux/dma-mapping/dma_map_ops.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Boot, BootSnapshot } from '../../../../src/sequencer/boot.js';
import { iommuBoot, iommuOf, nicOf } from './amd-iommu-boot.js';

let booted: Boot;
let snapshot: BootSnapshot;
let k: Kernel;
let dev: KernelDevice;
let domain: ProtectionDomain;

beforeAll(() => {
  booted = iommuBoot(0, false);
  booted.runTo('pci_iommu_init');
  snapshot = booted.snapshot();
});
beforeEach(() => {
  booted.restore(snapshot);
  booted.recorder.step('test');
  k = booted.kernel;
  dev = nicOf(booted);
  const found = k.state.amdIommu.domains[0];
  if (found === undefined) throw new Error('no domain');
  domain = found;
});

const dteOf = (devid: number): [bigint, bigint] => {
  const table = k.canonical(k.readU64(k.sym('amd_iommu_dev_table')));
  return [k.readU64(va(table + devid * 32)), k.readU64(va(table + devid * 32 + 8))];
};
const read = (bus: bigint, length = 4): Uint8Array | string => {
  const out = new Uint8Array(length);
  const result = iommuOf(booted).read(dev.devid, bus, out);
  return result === 'ok' ? out : result;
};

describe('the device table', () => {
  test('has an entry for the device with its domain, two levels and both permissions', () => {
    const [low, high] = dteOf(dev.devid);
    const IR_IW = 3n << 61n;
    expect(low).toBe(BigInt(k.__pa(domain.pt_root)) | (2n << 9n) | 3n | IR_IW);
    expect(high & 0xffffn).toBe(BigInt(domain.id));
    expect(domain.id).toBe(1);
  });

  test.each([0, 0x8, 0x3ff])('blocks device %i, which has no domain', (devid) => {
    expect(dteOf(devid)[0] & 3n).toBe(3n);
    expect(iommuOf(booted).read(devid, 0n, new Uint8Array(4))).toBe('target-abort');
  });

  test('ends with the last device of the firmware’s table', () => {
    expect(k.state.amdIommu.last_bdf).toBe(0x3ff);
    expect(k.state.amdIommu.dev_table_size).toBe(0x400 * 32);
    expect(k.fn.rlookup_iommu(0x0002)).toBeUndefined();
    expect(k.fn.rlookup_iommu(0x0008)?.index).toBe(0);
  });
});

describe('a mapping', () => {
  test.each([
    ['to device', 1, 'object', 'target-abort'],
    ['from device', 2, 'string', 'ok'],
    ['both ways', 0, 'object', 'ok'],
  ] as const)('permits DMA %s only', (_what, dir, reads, writes) => {
    const page = k.fn.alloc_pages(0, 0);
    k.writeU32(k.__va(page), 0x0403_0201);
    const bus = k.fn.dma_map_single(dev, k.__va(page), 4, dir);
    expect(typeof read(bus)).toBe(reads);
    if (reads === 'object') expect(read(bus)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(iommuOf(booted).write(dev.devid, bus, Uint8Array.of(9))).toBe(writes);
    expect(k.readU8(k.__va(page))).toBe(writes === 'ok' ? 9 : 1);
  });

  test('stays in the IOTLB after dma_unmap_single(): the driver flushes lazily', () => {
    const page = k.fn.alloc_pages(0, 0);
    const bus = k.fn.dma_map_single(dev, k.__va(page), 4, 1);
    expect(typeof read(bus)).toBe('object');
    k.fn.dma_unmap_single(dev, bus, 4, 1);
    expect(typeof read(bus)).toBe('object');
    k.fn.domain_flush_tlb(domain);
    expect(read(bus)).toBe('target-abort');
  });

  test('that the IOMMU has not cached is gone after dma_unmap_single(), and the next one gets another address', () => {
    const page = k.fn.alloc_pages(0, 0);
    const bus = k.fn.dma_map_single(dev, k.__va(page), 4, 1);
    k.fn.dma_unmap_single(dev, bus, 4, 1);
    expect(read(bus)).toBe('target-abort');
    expect(k.fn.dma_map_single(dev, k.__va(page), 4, 1)).toBe(bus + 0x1000n);
  });

  test('of coherent memory is aligned to its size', () => {
    const first = k.fn.dma_alloc_coherent(dev, 0x1000, 0);
    const second = k.fn.dma_alloc_coherent(dev, 0x4000, 0);
    expect(first?.handle).toBe(0x1000n);
    expect((second?.handle ?? 1n) % 0x4000n).toBe(0n);
  });
});

describe('page tables', () => {
  test('grow by a level for an address that they cannot map', () => {
    expect(domain.mode).toBe(2);
    expect(k.fn.alloc_pte(domain, 2 ** 30 - 0x1000)).not.toBeNull();
    expect(domain.mode).toBe(2);
    const before = domain.pt_root;
    expect(k.fn.alloc_pte(domain, 2 ** 30)).not.toBeNull();
    expect(domain.mode).toBe(3);
    expect(k.fn.IOMMU_PTE_PAGE(k.readU64(domain.pt_root))).toBe(before);
    k.fn.update_domain(domain);
    expect((dteOf(dev.devid)[0] >> 9n) & 7n).toBe(3n);
  });

  test('refuse a second mapping, a mapping without permissions and an unaligned one', () => {
    expect(k.fn.iommu_map_page(domain, 0x40_0000, 0x5000n, 1)).toBe(0);
    expect(k.fn.iommu_map_page(domain, 0x40_0000, 0x5000n, 1)).toBe(-16);
    expect(k.fn.iommu_map_page(domain, 0x40_1000, 0x5000n, 0)).toBe(-22);
    expect(() => k.fn.iommu_map_page(domain, 0x40_1001, 0x5000n, 1)).toThrow(/not aligned/);
  });
});

describe('the event log', () => {
  test('is printed by the interrupt thread, entry by entry, and emptied', () => {
    read(0x7f_f000n);
    iommuOf(booted).write(0x3f8, 0x123n, Uint8Array.of(1));
    k.fn['do_IRQ:amd_iommu']();
    const iommu = iommuOf(booted);
    expect(iommu.interrupt).toBe(false);
    expect(iommu.registers.get('EventLogHead')).toBe(32n);
    k.fn['do_IRQ:amd_iommu']();
    booted.recorder.step('after');
    const { steps } = booted.recorder.snapshot();
    const texts = (steps.find(({ label }) => label === 'test')?.events ?? []).flatMap((event) => {
      const { console: text } = event as { console?: unknown };
      return typeof text === 'string' ? [text] : [];
    });
    expect(texts).toEqual([
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=01:00.0 domain=0x0001 ' +
        'address=0x00000000007ff000 flags=0x0000]',
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=03:1f.0 domain=0x0000 ' +
        'address=0x0000000000000123 flags=0x0070]',
    ]);
  });
});
