/** iommu=, amd_iommu= and swiotlb=: the DMA operations of devices, and their bus addresses. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { firstOf } from '../../cases.js';
import { IO_TLB_SHIFT, readLong } from '../../../src/linux/lib/swiotlb/swiotlb.js';
import { readl } from '../../../src/linux/drivers/iommu/amd_iommu/commands.js';
import { MMIO } from '../../../src/linux/drivers/iommu/amd_iommu_types.js';
import { readInt } from '../../../src/linux/arch/x86/kernel/pci-dma/pci-dma.js';
import type { Boot, BootOptions } from '../../../src/sequencer/boot.js';
import type { Trace } from '../../../src/trace/trace.js';
import { intact } from '../../helpers.js';
import { eventsOf, ON, onlyIn, printedBy, withLine } from './option-boots.js';

/** RAM above 4 GiB, one device behind an IOMMU and one that is not. */
const SETTINGS = [
  'machine.ram="6GiB"',
  'machine.cpus=1',
  'machine.devices=[{"name":"ahci","dmaMask":32},{"name":"nic","dmaMask":64,"iommu":true}]',
  'guest=false',
  'loader.deviceTree=false',
];
/** The machine with all RAM below 4 GiB, which needs no bounce buffers. */
const SMALL = [...SETTINGS, 'machine.ram="1GiB"'];

interface Ran {
  readonly b: Boot;
  readonly trace: Trace;
}
function ran(
  words: string,
  settings: readonly string[] = SETTINGS,
  stage = 0,
  options: Partial<BootOptions> = {},
): Ran {
  const b = withLine(words, 'epyc-efi', settings, { stage, ...options });
  return { b, trace: b.run() };
}
/** The dma_map_ops that a device's transfers used. */
const via = ({ trace }: Ran, device: string): unknown[] => [
  ...new Set(
    eventsOf(trace, 'drivers', 'dma')
      .filter((event) => event['dma'] === device)
      .map((event) => event['via']),
  ),
];
/** Whether all bus addresses of a device are physical addresses. */
const usesPhysical = ({ trace }: Ran, device: string): boolean =>
  eventsOf(trace, 'drivers', 'dma')
    .filter((event) => event['dma'] === device)
    .every(({ bus, pa }) => BigInt(String(bus)) === BigInt(String(pa).split('..')[0] ?? '0'));
const bounceBytes = ({ b }: Ran): number => readLong(b.kernel, 'io_tlb_nslabs') * 2 ** IO_TLB_SHIFT;
const allIntact = ({ trace }: Ran): boolean =>
  ['ahci', 'nic'].every(
    (name) => intact(trace, `${name} to device`) && intact(trace, `${name} from device`),
  );

let plain: Ran;
beforeAll(() => {
  plain = ran('');
});

test('without an option the nic uses addresses of the IOMMU, and the bounce buffers are freed', () => {
  expect(via(plain, 'nic')).toEqual(['amd_iommu_dma_ops']);
  expect(via(plain, 'ahci')).toEqual(['nommu_dma_ops']);
  expect(usesPhysical(plain, 'nic')).toBe(false);
  expect(bounceBytes(plain)).toBe(0);
});

describe('iommu=pt', () => {
  test('puts the device into a domain without page tables: bus addresses are physical, operations are swiotlb_dma_ops', () => {
    const it = ran('iommu=pt');
    const { amdIommu } = it.b.kernel.state;
    expect(amdIommu.domains.map(({ mode, dev_list }) => [mode, dev_list.length])).toEqual([[0, 1]]);
    expect(via(it, 'nic')).toEqual(['swiotlb_dma_ops']);
    expect(usesPhysical(it, 'nic')).toBe(true);
    expect(allIntact(it)).toBe(true);
    expect(printedBy(it.b)).toEqual(
      expect.arrayContaining([
        'iommu: Using direct mapping for device nic',
        'PCI-DMA: Using software bounce buffering for IO (SWIOTLB)',
      ]),
    );
  });
  test('frees the ID of the device’s first domain', () => {
    const { b } = ran('iommu=pt');
    const bitmap = b.kernel.canonical(b.kernel.readU64(b.kernel.sym('amd_iommu_pd_alloc_bitmap')));
    // Domain ID 0 is never allocated, 1 was the first domain's, 2 is that of the domain without tables.
    expect(b.kernel.readU8(bitmap)).toBe(0b101);
  });
  test('with encryption on, bus addresses have the mask of patch 13 if the IOMMU can read its own structures', () => {
    const own = { with: ['14/own-structures'] };
    const it = ran(`${ON} iommu=pt`, SETTINGS, 18, own);
    const keys = eventsOf(it.trace, 'drivers', 'dma')
      .filter((event) => event['dma'] === 'nic' && event['what'] === 'nic to device')
      .map(({ C }) => C);
    expect(keys).toEqual([1]);
    expect(allIntact(it)).toBe(true);
    // A domain's tables have the mask in their leaves in the same way (patch 14).
    expect(usesPhysical(ran(ON, SETTINGS, 18, own), 'nic')).toBe(false);
  });
});

describe('options that leave the IOMMU disabled', () => {
  test.each(
    firstOf(3, [
      ['iommu=off', 'nommu_dma_ops', 0],
      ['amd_iommu=off', 'swiotlb_dma_ops', 64 * 2 ** 20],
      ['iommu=soft', 'swiotlb_dma_ops', 64 * 2 ** 20],
      ['swiotlb=force', 'swiotlb_dma_ops', 64 * 2 ** 20],
    ] as const),
  )('%s', (words, ops, bytes) => {
    const it = ran(words);
    expect(it.b.kernel.state.amdIommu).toMatchObject({ detected: false, iommus: [], domains: [] });
    expect(printedBy(it.b).filter((line) => line.startsWith('AMD-Vi'))).toEqual([]);
    expect(via(it, 'nic')).toEqual([ops]);
    expect(bounceBytes(it)).toBe(bytes);
  });
  test('iommu=off allocates no bounce buffers: the 32-bit device fails', () => {
    expect(printedBy(ran('iommu=off').b)).toContain('ahci: DMA map failed');
  });
  test('iommu=soft allocates bounce buffers also without RAM above 4 GiB', () => {
    expect(bounceBytes(ran('iommu=soft', SMALL))).toBe(64 * 2 ** 20);
    expect(bounceBytes(ran('', SMALL))).toBe(0);
  });
  test('iommu= matches each word by its beginning, amd_iommu= at every position', () => {
    expect(ran('iommu=nomerge,offx').b.kernel.state.amdIommu.detected).toBe(false);
    expect(ran('iommu=xoff').b.kernel.state.amdIommu.detected).toBe(true);
    expect(ran('amd_iommu=xoff').b.kernel.state.amdIommu.detected).toBe(false);
  });
});

describe('iommu= and addresses above 4 GiB', () => {
  const wide = (words: string): boolean =>
    eventsOf(ran(`amd_iommu=off ${words}`).trace, 'drivers', 'dma').some(
      ({ dma, bus }) => dma === 'nic' && BigInt(String(bus)) >= 2n ** 32n,
    );
  test.each(
    firstOf(2, [
      ['', true],
      ['iommu=nodac', false],
      ['iommu=nodac,allowdac', true],
      ['iommu=forcesac', false],
      ['iommu=usedac', true],
    ]),
  )('%s: the nic gets them: %s', (words, given) => {
    expect(wide(words)).toBe(given);
  });
  test('nodac prints a message, and usedac ends the list with an error', () => {
    expect(printedBy(ran('amd_iommu=off iommu=nodac').b)).toContain(
      'nic: PCI: Disallowing DAC for device',
    );
    expect(printedBy(ran('iommu=usedac,off').b)).toContain("Malformed early option 'iommu'");
    expect(readInt(ran('iommu=usedac,off').b.kernel, 'no_iommu')).toBe(0);
    expect(printedBy(ran('iommu').b)).toContain("Malformed early option 'iommu'");
  });
});

test('amd_iommu=fullflush: the IOTLB is flushed at each unmap', () => {
  const it = ran('amd_iommu=fullflush');
  expect(onlyIn(it.b, plain.b)).toContain('AMD-Vi: IO/TLB flush on unmap enabled');
  expect(onlyIn(plain.b, it.b)).toContain('AMD-Vi: Lazy IO/TLB flushing enabled');
  expect(intact(it.trace, 'nic to device')).toBe(true);
  /** Tail of the driver's command ring, which does not wrap in these boots. */
  const commands = ({ b: { kernel } }: Ran): number => {
    const [iommu] = kernel.state.amdIommu.iommus;
    return iommu === undefined ? 0 : readl(kernel, iommu, MMIO.CMD_TAIL);
  };
  expect(commands(it)).toBeGreaterThan(commands(plain));
});

describe('swiotlb=', () => {
  test('force bounces every transfer', () => {
    const copies = ({ trace }: Ran): number =>
      eventsOf(trace, 'drivers', 'copy').filter((event) => event['in'] === 'swiotlb_bounce').length;
    expect(copies(ran('swiotlb=force'))).toBeGreaterThan(copies(ran('iommu=soft')));
    expect(usesPhysical(ran('swiotlb=force'), 'nic')).toBe(false);
  });
  test.each([
    ['swiotlb=8192 iommu=soft', 16 * 2 ** 20, false],
    ['swiotlb=0x2000,force', 16 * 2 ** 20, true],
    ['swiotlb=1,force', 128 * 2048, true],
    ['swiotlb=,force', 64 * 2 ** 20, true],
  ])('%s', (words, bytes, forced) => {
    const it = ran(words);
    expect(bounceBytes(it)).toBe(bytes);
    expect(readInt(it.b.kernel, 'swiotlb_force') !== 0).toBe(forced);
  });
  test('without a value the kernel reads at address 0 and panics', () => {
    expect(ran('swiotlb').trace.outcome).toMatchObject({ kind: 'panic' });
  });
});
