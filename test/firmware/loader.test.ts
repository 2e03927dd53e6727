/** Where loader and firmware put things, on whole machines. */
import { describe, expect, test } from '@jest/globals';
import { BOOT_PARAMS } from '../../src/firmware/boot-params.js';
import { pa } from '../../src/machine/address.js';
import { boot, scenario } from '../helpers.js';

const efi = (...settings: string[]): ReturnType<typeof boot> =>
  boot({ scenario: scenario('epyc-efi', ...settings), stage: 0 });

describe('the loader', () => {
  test.each([
    ['bios-minimal', []],
    ['epyc-efi', []],
    ['epyc-efi', ['machine.ram=256MiB']],
    ['epyc-efi', ['machine.ram=2GiB']],
    ['epyc-efi', ['machine.ram=3GiB']],
  ] as const)('finds in DRAM what firmware put there: %s %j', (name, settings) => {
    const it = boot({ scenario: scenario(name, ...settings), stage: 0 });
    for (const { base, bytes } of it.loaded.things) {
      expect(Buffer.compare(it.machine.dmaRead(pa(base), bytes.length), bytes)).toBe(0);
    }
  });

  test('puts efi_info and the e820 map of the stub in the zero page', () => {
    const it = efi();
    const view = new DataView(it.loaded.zeroPage.buffer);
    const map = it.loaded.things.find(({ name }) => name === 'EFI memory map');
    expect(view.getUint32(BOOT_PARAMS.efi_info + 16, true)).toBe(map?.base);
    expect(view.getUint8(BOOT_PARAMS.e820_entries)).toBe(13);
  });

  test('leaves efi_info empty on a BIOS', () => {
    const page = boot({ stage: 0 }).loaded.zeroPage;
    const info = page.subarray(BOOT_PARAMS.efi_info, BOOT_PARAMS.efi_info + 32);
    expect(info.every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    ['the last page below the firmware', 0xbeff_f000, 4096, undefined],
    ['one page further up', 0xbeff_f000, 4097, 'E_LAYOUT_OVERLAP'],
    ['the gap where the memory map is', 0xbf0c_0000, 4096, 'E_LAYOUT_OVERLAP'],
    ['the last page of the memory map', 0xbf0c_1000, 4096, 'E_LAYOUT_OVERLAP'],
    ['the page behind the memory map', 0xbf0c_2000, 4096, undefined],
    ['SMRAM', 0xbfff_f000, 4096, 'E_LAYOUT_OVERLAP'],
  ])('with an initrd in %s', (_, at, size, code) => {
    const make = (): unknown =>
      boot({
        scenario: scenario('epyc-efi', `loader.initrdAt=${String(at)}`),
        stage: 0,
        initrd: new Uint8Array(size),
      });
    if (code === undefined) expect(make).not.toThrow();
    else expect(make).toThrow(code);
  });

  test('puts the initrd right below the firmware where RAM ends there', () => {
    const it = efi('machine.ram=256MiB');
    const initrd = it.loaded.regions.find(({ name }) => name === 'initrd');
    const window = 240 * 2 ** 20;
    expect(initrd?.base).toBeLessThan(window);
    expect((initrd?.base ?? 0) + (initrd?.size ?? 0)).toBeGreaterThan(window - 4096);
  });

  test('refuses EFI on a machine with less than 256 MiB', () => {
    expect(() => efi('machine.ram=255MiB')).toThrow('E_EFI_RAM');
  });
});
