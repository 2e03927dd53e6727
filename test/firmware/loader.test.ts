/** Addresses of the data of loader and firmware, on whole machines. */
import { describe, expect, test } from '@jest/globals';
import { BOOT_PARAMS } from '../../src/firmware/boot-params.js';
import { commandLineBytes } from '../../src/firmware/loader.js';
import { pa, va } from '../../src/machine/address.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, intact, scenario } from '../helpers.js';

const efi = (...settings: string[]): ReturnType<typeof boot> =>
  boot({ scenario: scenario('epyc-efi', ...settings), stage: 0 });

describe('the loader', () => {
  test.each([
    ['bios-minimal', []],
    ['epyc-efi', []],
    ['epyc-efi', ['machine.ram=256MiB']],
    ['epyc-efi', ['machine.ram=2GiB']],
    ['epyc-efi', ['machine.ram=3GiB']],
  ] as const)('leaves firmware’s blobs in DRAM: %s %j', (name, settings) => {
    const it = boot({ scenario: scenario(name, ...settings), stage: 0 });
    for (const { base, bytes } of it.loaded.blobs) {
      expect(Buffer.compare(it.machine.dmaRead(pa(base), bytes.length), bytes)).toBe(0);
    }
  });

  test('puts efi_info and the e820 map of the stub in the zero page', () => {
    const it = efi();
    const view = new DataView(it.loaded.zeroPage.buffer);
    const map = it.loaded.blobs.find(({ name }) => name === 'EFI memory map');
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
    ['the page after the memory map', 0xbf0c_2000, 4096, undefined],
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

  test('places the initrd directly below the firmware at the end of RAM', () => {
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

describe('the zero page', () => {
  const at = (zeroPageAt: number | string, ...more: string[]): ReturnType<typeof boot> =>
    boot({
      scenario: scenario('bios-minimal', `loader.zeroPageAt=${String(zeroPageAt)}`, ...more),
    });

  test.each(firstOf(1, [0x500, 0x8_f001, 0x4_0000_0000 - 4096]))(
    'is at the address in the scenario: %i',
    (address) => {
      const it = at(address, 'machine.ram=16GiB');
      expect(it.machine.cpus[0].rsi).toBe(address);
      expect(it.machine.cpus[0].translate(va(address))).toMatchObject({ pa: address, key: 0 });
      expect(it.machine.dmaRead(pa(address), 4096)).toEqual(it.loaded.zeroPage);
      const trace = it.run();
      expect(trace.outcome.kind).toBe('booted');
      expect(intact(trace, 'boot params')).toBe(true);
    },
  );

  test.each([
    [
      'one byte into the BIOS data area',
      0x4ff,
      /E_LAYOUT_OVERLAP: loader\.zeroPageAt.*found 0x4ff/,
    ],
    ['the command line', 0x9_9000, /E_LAYOUT_OVERLAP: loader\.zeroPageAt/],
    ['the first page of the kernel', 0x100_0000, /E_LAYOUT_OVERLAP: loader\.zeroPageAt/],
    ['the last page of the kernel', 0x1ff_f000, /E_LAYOUT_OVERLAP: loader\.zeroPageAt/],
    ['VGA memory, one byte', 0x9_f001, /E_LAYOUT_NO_RAM: loader\.zeroPageAt.*found 0x9f001/],
    [
      'memory that the loader’s PUD does not map',
      '1TiB',
      /E_LAYOUT_ABOVE_512G: loader\.zeroPageAt/,
    ],
  ])('is refused in %s', (_what, address, error) => {
    expect(() => at(address, 'machine.ram=2TiB')).toThrow(error);
  });

  test('is not the key of an error about a command line that overlaps it', () => {
    const over = (): unknown =>
      boot({ scenario: scenario('bios-minimal', 'loader.cmdlineAt=0x90000') });
    expect(over).toThrow(/E_LAYOUT_OVERLAP: loader\.cmdlineAt/);
  });

  exhaustiveTest(
    'directly after the kernel is overwritten by the work area of patch 18, with its initrd fields',
    () => {
      const trace = at(0x200_0000).run();
      expect(intact(trace, 'boot params')).toBe(false);
      expect(trace.outcome).toMatchObject({ kind: 'panic', message: /VFS/ });
      expect(intact(boot({ ...at(0x200_0000).options, stage: 17 }).run(), 'boot params')).toBe(
        true,
      );
    },
  );

  test('across a 2 MiB boundary is read in the clear by patch 09 up to the boundary only', () => {
    const read = at(0x3f_f800)
      .run()
      .consumed.find(({ name }) => name === 'boot params');
    expect(read).toMatchObject({ intact: false, firstDifference: 2048 });
  });
});

// The loader's buffer is a page; the last byte is the zero at the end.
test('a command line has at most 4095 bytes of UTF-8', () => {
  const bytes = commandLineBytes(`é${'x'.repeat(4093)}`);
  expect(bytes.length).toBe(4096);
  expect([...bytes.subarray(0, 3), ...bytes.subarray(-2)]).toEqual([0xc3, 0xa9, 0x78, 0x78, 0]);
  expect(() => commandLineBytes(`é${'x'.repeat(4094)}`)).toThrow(
    /^E_CMDLINE_TOO_LONG: cmdline: .*4095 bytes.*4096/,
  );
});

describe('no command line', () => {
  const none = (stage: number): ReturnType<typeof boot> =>
    boot({ scenario: scenario('no-command-line'), stage });

  test('is cmd_line_ptr 0 in the zero page, and no region in memory', () => {
    const { loaded } = none(18);
    const view = new DataView(loaded.zeroPage.buffer);
    expect(view.getUint32(BOOT_PARAMS.cmd_line_ptr, true)).toBe(0);
    expect(view.getUint32(BOOT_PARAMS.ext_cmd_line_ptr, true)).toBe(0);
    expect(loaded.regions.map(({ name }) => name)).not.toContain('command line');
  });

  test.each(firstOf(1, [17, 18]))('is not read at stage %i', (stage) => {
    const trace = none(stage).run();
    expect(intact(trace, 'command line')).toBeUndefined();
    expect(trace.outcome.kind).toBe('booted');
  });

  test('turns encryption on, an empty one does not', () => {
    const sets = (it: ReturnType<typeof boot>): number =>
      it
        .run()
        .steps.flatMap(({ events }) => events)
        .filter((event) => event.wrmsr === 'SYSCFG').length;
    expect(sets(none(18))).toBe(1);
    expect(sets(boot({ scenario: scenario('bios-minimal', 'cmdline=') }))).toBe(0);
  });
});
