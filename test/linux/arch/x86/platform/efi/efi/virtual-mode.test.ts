/** Virtual addresses for the firmware: the EFI page tables, SetVirtualAddressMap(), and freeing the memory. */
import { describe, expect, test } from '@jest/globals';
import {
  EFI_VA_END,
  EFI_VA_START,
} from '../../../../../../../src/linux/include/linux/efi/types.js';
import { PAGE_OFFSET } from '../../../../../../../src/kernel/constants.js';
import { PAGE_SIZE, va } from '../../../../../../../src/machine/address.js';
import type { Boot } from '../../../../../../../src/sequencer/boot.js';
import { freeRanges } from '../../../../../../../src/linux/mm/page_alloc/page_alloc.js';
import { efiBoot, intactSoFar } from '../efi-boots.js';
import { exhaustiveTest } from '../../../../../../cases.js';

const entered = (stage: number, activate = false, ...settings: string[]): Boot =>
  efiBoot('efi_enter_virtual_mode', stage, activate, ...settings);

describe.each([
  [9, false],
  [10, true],
  [18, false],
])('at stage %i (activated: %s)', (stage, activate) => {
  test('every runtime region gets a virtual address in the EFI range, in the map’s order', () => {
    const { kernel } = entered(stage, activate);
    const addresses = kernel.fn
      .for_each_efi_memory_desc()
      .map((at) => kernel.fn.efi_memory_desc(at))
      .filter(({ virt_addr }) => virt_addr !== 0n)
      .map(({ virt_addr }) => Number(BigInt.asIntN(64, virt_addr)));
    expect(addresses.length).toBeGreaterThan(3);
    expect([...addresses].sort((a, b) => a - b)).toEqual(addresses);
    expect(Math.min(...addresses)).toBeGreaterThanOrEqual(EFI_VA_END);
    expect(Math.max(...addresses)).toBeLessThan(EFI_VA_START);
  });

  test('the firmware finds its descriptors, and its tables through their virtual addresses', () => {
    const subjectBoot = entered(stage, activate);
    const { efi } = subjectBoot.kernel.state;
    expect(efi.virtSystab).not.toBe(0n);
    expect(intactSoFar(subjectBoot, 'virtual address map')).toBe(true);
    expect(subjectBoot.outcome).toBeNull();
  });
});

test('the CR3 value for firmware has the C-bit from patch 10 on, if the mask is set', () => {
  const cBit = 1n << 47n;
  expect(entered(18).kernel.state.efi.scratch.efi_pgt & cBit).toBe(cBit);
  expect(entered(10).kernel.state.efi.scratch.efi_pgt & cBit).toBe(0n);
});

describe('the pages of the new memory map', () => {
  /** Bytes of free memory whose direct mapping uses `key`. */
  const freeUnder = ({ kernel }: Boot, key: number): number => {
    let bytes = 0;
    for (const { base, size } of freeRanges(kernel.state.pages)) {
      for (let at = base; at < base + size;) {
        const translated = kernel.cpu.translate(va(PAGE_OFFSET + at));
        if (!('key' in translated)) throw new Error('free memory is not mapped');
        const next = Math.min(at - (at % translated.pageSize) + translated.pageSize, base + size);
        if (translated.key === key) bytes += next - at;
        at = next;
      }
    }
    return bytes;
  };

  test('are freed with an unchanged direct mapping where nothing is encrypted', () => {
    expect(freeUnder(entered(10), 1)).toBe(0);
  });

  // realloc_pages() of patch 10 clears the mask in their direct mapping; nothing sets it again before free_pages().
  test('are freed at stage 18 with a direct mapping that has no C-bit', () => {
    const subjectBoot = entered(18);
    expect(freeUnder(subjectBoot, 0)).toBeGreaterThanOrEqual(PAGE_SIZE);
    const { kernel } = subjectBoot;
    expect(kernel.cpu.translate(va(PAGE_OFFSET + 0x100_0000))).toMatchObject({ key: 1 });
  });
});

describe('with CONFIG_EFI_MIXED', () => {
  const mixed = 'config.CONFIG_EFI_MIXED=true';

  test('firmware reads the new map intact where nothing is encrypted', () => {
    const subjectBoot = entered(10, false, mixed);
    expect(subjectBoot.outcome).toBeNull();
    expect(intactSoFar(subjectBoot, 'virtual address map')).toBe(true);
  });

  // The 1:1 mapping of usable memory is made last and sets the C-bit for the new map's pages, which were written without it.
  test('panics with patch 10, which maps all usable memory 1:1 with the C-bit, the new map’s pages too', () => {
    const subjectBoot = entered(18, false, mixed);
    expect(intactSoFar(subjectBoot, 'virtual address map')).toBe(false);
    expect(subjectBoot.outcome).toMatchObject({
      kind: 'panic',
      message: 'EFI call to SetVirtualAddressMap() failed!',
    });
  });
});

describe('boot services memory', () => {
  exhaustiveTest('is reserved until firmware has its virtual addresses, then freed', () => {
    const { kernel, loaded } = efiBoot('efi_late_init', 10);
    const code = loaded.firmwareRegions.find(({ name }) => name === 'EFI boot services code');
    const base = code?.base ?? 0;
    expect(
      kernel.state.memblock.reserved.some((r) => base >= r.base && base < r.base + r.size),
    ).toBe(true);
    expect(
      freeRanges(kernel.state.pages).some((r) => base >= r.base && base < r.base + r.size),
    ).toBe(true);
    expect(kernel.state.efi.flags).not.toContain('EFI_MEMMAP');
    expect(kernel.state.efi.memmap.map).toBe(0);
    expect(kernel.state.slots.every((slot) => slot === null)).toBe(true);
  });
});
