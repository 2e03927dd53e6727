/** arch/x86/platform/efi and drivers/firmware/efi, with and without patch 10: whole boots on EFI firmware. */
import { describe, expect, test } from '@jest/globals';
import { EFI_INFO, EFI_SYSTEM_TABLE } from '../../../../../../../src/firmware/efi/layout.js';
import { BOOT_PARAMS } from '../../../../../../../src/firmware/boot-params.js';
import { LOADER_LAYOUT } from '../../../../../../../src/firmware/loader.js';
import { pa } from '../../../../../../../src/machine/address.js';
import type { Boot } from '../../../../../../../src/sequencer/boot.js';
import { efiBoot, freshEfiBoot, intactSoFar, printed } from '../efi-boots.js';
import { firstOf } from '../../../../../../cases.js';

/** Blobs that the kernel's EFI code reads, by name. */
const BLOBS = [
  'EFI system table',
  'EFI vendor',
  'EFI configuration tables',
  'EFI runtime services',
  'EFI memory map',
  'ESRT',
] as const;

describe('EFI tables', () => {
  test.each(firstOf(1, [9, 10, 17]))(
    'are intact at stage %i, where nothing is encrypted',
    (stage) => {
      const subjectBoot = efiBoot('x86_dtb_init', stage);
      for (const name of [...BLOBS, 'properties table']) {
        expect([name, intactSoFar(subjectBoot, name)]).toEqual([name, true]);
      }
      expect(subjectBoot.kernel.state.efi.flags).toContain('EFI_NX_PE_DATA');
    },
  );

  test.each([
    [18, false],
    [10, true],
  ])('are intact at stage %i with encryption on (activated: %s)', (stage, activate) => {
    const subjectBoot = efiBoot('x86_dtb_init', stage, activate);
    for (const name of BLOBS) {
      expect([name, intactSoFar(subjectBoot, name)]).toEqual([name, true]);
    }
  });

  test('include an unreadable properties table at stage 18: efi_config_parse_tables() maps it with the C-bit', () => {
    const subjectBoot = efiBoot('x86_dtb_init', 18);
    expect(intactSoFar(subjectBoot, 'properties table')).toBe(false);
  });

  test('are unreadable with encryption on and without patch 10: the system table’s signature is wrong', () => {
    const subjectBoot = efiBoot('efi_late_init', 9, true);
    expect(subjectBoot.kernel.state.efi.flags).toEqual(['EFI_BOOT', 'EFI_64BIT']);
    expect(printed(subjectBoot)).toContain('efi: System table signature incorrect!');
    expect(intactSoFar(subjectBoot, 'EFI system table')).toBe(false);
  });
});

describe('the EFI system table', () => {
  const patched = (offset: number, byte: number): Boot => {
    const subjectBoot = freshEfiBoot(10);
    const blob = subjectBoot.loaded.blobs.find(({ name }) => name === 'EFI system table');
    const base = (blob?.base ?? 0) + offset;
    subjectBoot.machine.dmaWrite(pa(base), Uint8Array.of(byte));
    subjectBoot.runTo('efi_init');
    return subjectBoot;
  };

  test.each([0, 7])('is refused if byte %i of its signature is wrong', (offset) => {
    const subjectBoot = patched(offset, 0);
    expect(subjectBoot.kernel.state.efi.flags).not.toContain('EFI_SYSTEM_TABLES');
    expect(printed(subjectBoot)).toContain('efi: System table signature incorrect!');
  });

  test('is accepted if a byte after its signature differs', () => {
    const subjectBoot = patched(EFI_SYSTEM_TABLE.ConOut, 1);
    expect(subjectBoot.kernel.state.efi.flags).toContain('EFI_MEMMAP');
  });
});

describe('the loader signature', () => {
  test('of another loader leaves EFI disabled: the system table is not read', () => {
    const subjectBoot = freshEfiBoot(10);
    const signature = LOADER_LAYOUT.zeroPage + BOOT_PARAMS.efi_info + EFI_INFO.efi_loader_signature;
    subjectBoot.machine.dmaWrite(pa(signature), Uint8Array.of(0));
    subjectBoot.runTo('efi_late_init');
    expect(subjectBoot.kernel.state.efi.flags).toEqual([]);
    expect(intactSoFar(subjectBoot, 'EFI system table')).toBeUndefined();
  });
});

describe('the memory map', () => {
  test('stays mapped after it is read, in its early_ioremap slot, without the C-bit', () => {
    const subjectBoot = efiBoot('x86_dtb_init', 18);
    const { map } = subjectBoot.kernel.state.efi.memmap;
    expect(subjectBoot.kernel.state.slots.map((slot) => slot?.address)).toContain(map);
    expect(
      subjectBoot.kernel.cpu.translate(subjectBoot.kernel.canonical(BigInt(map))),
    ).toMatchObject({
      key: 0,
    });
  });
});
