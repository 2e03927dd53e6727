/** drivers/firmware/dmi_scan.c on both kinds of firmware: it uses I/O mappings, so that encryption changes nothing. */
import { describe, expect, test } from '@jest/globals';
import { pa } from '../../../../src/machine/address.js';
import type { Boot } from '../../../../src/sequencer/boot.js';
import { firstOf } from '../../../cases.js';
import { boot, scenario } from '../../../helpers.js';
import { efiBoot, freshEfiBoot, intactSoFar } from '../../arch/x86/platform/efi/efi-boots.js';

const baseOf = (subject: Boot, name: string): number =>
  subject.loaded.blobs.find((each) => each.name === name)?.base ?? 0;
const bios = (stage: number): Boot =>
  boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB'), stage });

describe('SMBIOS on EFI', () => {
  test.each([9, 18])('is found at the 64-bit entry point and intact at stage %i', (stage) => {
    const subject = efiBoot('x86_dtb_init', stage);
    expect(intactSoFar(subject, 'SMBIOS 3')).toBe(true);
    expect(intactSoFar(subject, 'SMBIOS structures')).toBe(true);
    expect(subject.kernel.state.dmi).toMatchObject({
      available: true,
      ident: { DMI_BIOS_DATE: '04/26/2016', DMI_BOARD_NAME: 'Board' },
    });
  });

  test.each(firstOf(1, [0, 4, 23]))(
    'falls back to the 32-bit entry point when byte %i of the other is wrong',
    (offset) => {
      const subject = freshEfiBoot(9);
      subject.machine.dmaWrite(pa(baseOf(subject, 'SMBIOS 3') + offset), Uint8Array.of(0xa5));
      subject.runTo('dmi_scan_machine');
      expect(intactSoFar(subject, 'SMBIOS')).toBe(true);
      expect(subject.kernel.state.dmi.available).toBe(true);
    },
  );

  test('is not searched for in the BIOS area by a kernel that could not read the EFI tables', () => {
    const subject = efiBoot('efi_late_init', 9, true);
    expect(subject.kernel.state.dmi.available).toBe(false);
    expect(intactSoFar(subject, 'SMBIOS structures')).toBeUndefined();
  });
});

describe('SMBIOS on a BIOS', () => {
  test.each([9, 18])('is found by the scan and intact at stage %i', (stage) => {
    const subject = bios(stage);
    subject.runTo('dmi_scan_machine');
    expect(intactSoFar(subject, 'SMBIOS structures')).toBe(true);
    expect(subject.kernel.state.dmi.available).toBe(true);
  });

  test('is not found if its checksum is wrong', () => {
    const subject = bios(9);
    subject.machine.dmaWrite(pa(baseOf(subject, 'SMBIOS') + 0x1e), Uint8Array.of(0xa5));
    subject.runTo('dmi_scan_machine');
    expect(subject.kernel.state.dmi.available).toBe(false);
  });
});

describe('the lines that dmi_scan_machine() prints', () => {
  const lines = (subject: Boot): string[] =>
    subject.recorder
      .snapshot()
      .steps.flatMap(({ events }) => events.map((event) => String(event.console ?? '')))
      .filter((line) => /^(SMBIOS|DMI)/.test(line));

  // dmi_smbios3_present(): three parts of a version, and the names by pr_debug().
  test('have the version in three parts and no names for a 64-bit entry point', () => {
    expect(lines(efiBoot('dmi_scan_machine', 18))).toEqual(['SMBIOS 3.0.0 present.']);
  });

  test('have the version and the names for a 32-bit entry point', () => {
    const subject = bios(18);
    subject.runTo('dmi_scan_machine');
    expect(lines(subject)).toEqual([
      expect.stringMatching(/^SMBIOS \d\.\d present\.$/),
      expect.stringMatching(/^DMI: /),
    ]);
  });
});
