/** arch/x86/platform/efi/efi-bgrt.c and kernel/memremap.c: a table outside RAM, an image in RAM. */
import { describe, expect, test } from '@jest/globals';
import { BGRT } from '../../../../../../src/firmware/acpi/layout.js';
import { ACPI_TABLE_BGRT } from '../../../../../../src/linux/arch/x86/platform/efi/efi-bgrt.js';
import { exhaustiveTest } from '../../../../../cases.js';
import { VMALLOC_START } from '../../../../../../src/linux/arch/x86/mm/ioremap/late.js';
import { PAGE_OFFSET } from '../../../../../../src/kernel/constants.js';
import type { Boot } from '../../../../../../src/sequencer/boot.js';
import { freeRanges } from '../../../../../../src/linux/mm/page_alloc/page_alloc.js';
import { freshEfiBoot, intactSoFar, printed } from './efi-boots.js';

/** A boot with the page allocator set up, after ACPI's early mappings. */
function ready(stage: number): Boot {
  const subject = freshEfiBoot(stage);
  subject.runTo('after-locking_selftest');
  subject.kernel.fn.acpi_early_init();
  return subject;
}

test('ACPI_TABLE_BGRT has the offsets of the ACPI specification', () => {
  expect(ACPI_TABLE_BGRT).toEqual({
    version: BGRT.Version,
    status: BGRT.Status,
    image_type: BGRT.ImageType,
    image_address: BGRT.ImageAddress,
    image_offset_x: BGRT.ImageOffsetX,
    image_offset_y: BGRT.ImageOffsetY,
    size: BGRT.size,
  });
});

describe('the boot image', () => {
  test('is copied where nothing is encrypted', () => {
    const subject = ready(17);
    subject.kernel.fn.efi_bgrt_init();
    expect(intactSoFar(subject, 'BGRT')).toBe(true);
    expect(intactSoFar(subject, 'BGRT image')).toBe(true);
    const size = subject.loaded.blobs.find(({ name }) => name === 'BGRT image')?.bytes.length;
    expect(subject.kernel.state.efi.bgrt.size).toBe(size);
  });

  // ACPI memory is not RAM and gets an I/O mapping; the image is in boot services memory, which is RAM: memremap() returns
  // the direct map's address, with the C-bit. No patch of the series touches efi-bgrt.c.
  exhaustiveTest('is ignored at stage 18: its table is intact, its magic number is not', () => {
    const subject = ready(18);
    subject.kernel.fn.efi_bgrt_init();
    expect(intactSoFar(subject, 'BGRT')).toBe(true);
    expect(intactSoFar(subject, 'BGRT image')).toBe(false);
    expect(printed(subject).join('\n')).toMatch(/Ignoring BGRT: Incorrect BMP magic number/);
    expect(subject.kernel.state.efi.bgrt).toEqual({ image: 0, size: 0 });
  });
});

describe('ioremap', () => {
  const subject = ready(18);
  const { kernel } = subject;
  const baseOf = (name: string): number =>
    subject.loaded.firmwareRegions.find((region) => region.name === name)?.base ?? 0;

  test('maps memory that is not RAM in vmalloc space, without the C-bit, at the same page offset', () => {
    const phys = baseOf('ACPI tables') + 0x123;
    const at = kernel.fn.ioremap_cache(phys, 0x1000);
    expect(at).toBeGreaterThanOrEqual(VMALLOC_START);
    const translated = kernel.cpu.translate(kernel.canonical(BigInt(at)));
    expect(translated).toMatchObject({ pa: phys, key: 0 });
    kernel.fn.iounmap(kernel.canonical(BigInt(at)));
    expect(kernel.cpu.translate(kernel.canonical(BigInt(at)))).toHaveProperty('vector');
  });

  test('refuses RAM that the page allocator manages', () => {
    const free = freeRanges(kernel.state.pages)[0];
    expect(kernel.fn.ioremap_cache(free?.base ?? 0, 0x1000)).toBe(0);
  });

  test.each([
    [0x9_ffff, false],
    [0xa_0000, true],
    [0xf_ffff, true],
  ])('returns the direct-map address for the ISA range: %i', (phys, direct) => {
    expect(kernel.fn.ioremap_cache(phys, 1) === PAGE_OFFSET + phys).toBe(direct);
  });

  test('refuses a size of 0 and addresses beyond the physical address size', () => {
    expect(kernel.fn.ioremap_cache(baseOf('ACPI tables'), 0)).toBe(0);
    expect(kernel.fn.ioremap_cache(2 ** 43, 1)).toBe(0);
  });
});
