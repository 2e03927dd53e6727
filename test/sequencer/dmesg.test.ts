import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseDmesg } from '../../src/sequencer/dmesg.js';

const log = (name: string): string => readFileSync(`test/fixtures/dmesg/${name}.txt`, 'utf8');

describe('a kernel log', () => {
  test('of a BIOS machine gives memory map, command line, CPUs and DMI', () => {
    const facts = parseDmesg(log('gigabyte-a320m'));
    expect(facts.e820).toHaveLength(19);
    expect(facts.e820[0]).toEqual({ start: 0, end: 0x9_d3ff, type: 'usable' });
    expect(facts.e820[18]).toEqual({ start: 2 ** 32, end: 0x8_1f33_ffff, type: 'usable' });
    expect(facts).toMatchObject({ efi: false, cpus: 8 });
    expect(facts.cpu).toMatchObject({ family: 0x17, model: 0x18 });
    expect(facts.commandLine).toMatch(/^BOOT_IMAGE=.*resume=\/dev\/sda13$/);
    expect(facts.dmi).toMatch(/^Gigabyte.*F31 04\/15\/2019$/);
  });

  test('that is quoted in a mail is read through its quoting marks, the RAM disk too', () => {
    const facts = parseDmesg(log('dell-r6515'));
    expect(facts.e820).toHaveLength(23);
    expect(facts).toMatchObject({
      efi: true,
      cpus: 64,
      ramdisk: { start: 0xc28_4000, end: 0xd89_9fff },
    });
  });

  test('with efi=debug gives the EFI memory map, whose ends are inclusive', () => {
    const { efiMemoryMap } = parseDmesg(log('ovmf-guest'));
    expect(efiMemoryMap).toHaveLength(127);
    expect(efiMemoryMap[111]).toEqual({
      start: 0x7e72_9000,
      end: 0x7e96_afff,
      type: 6,
      runtime: true,
    });
  });

  test.each([
    // drivers/firmware/efi/efi.c before 4.5: the range is half-open.
    [
      'efi: mem06: [Boot Data          |   |  |  |  |   |WB|WT|WC|UC] range=[0x5c800000-0x5cc00000) (4MB)',
      { efiMemoryMap: [{ start: 0x5c80_0000, end: 0x5cbf_ffff, type: 4, runtime: false }] },
    ],
    // arch/x86/kernel/e820.c before 3.5.
    [
      ' BIOS-e820: 0000000000100000 - 00000000bff70000 (usable)',
      { e820: [{ start: 0x10_0000, end: 0xbff6_ffff, type: 'usable' }] },
    ],
    [
      'BIOS-e820: [mem 0x0000000000100000-0x00000000c4b72fff]  System RAM',
      { e820: [{ start: 0x10_0000, end: 0xc4b7_2fff, type: 'usable' }] },
    ],
    [
      'BIOS-e820: [mem 0x7a03f000-0x7a08afff] type 20',
      { e820: [{ start: 0x7a03_f000, end: 0x7a08_afff, type: 'reserved' }] },
    ],
    ['BIOS-e820: [gap 0x00000000000a0000-0x00000000000fffff]', { e820: [] }],
    ['Jun 12 10:49:44 host kernel: smp: Brought up 1 node, 8 CPUs', { cpus: 8 }],
    ['CPU topo: Allowing 16 present CPUs plus 0 hotplug CPUs', { cpus: 16 }],
    ['Kernel command line: root=/dev/sda', { commandLine: undefined }],
    ['', { e820: [], efi: false, efiMemoryMap: [] }],
  ])('line %j', (line, facts) => {
    const found = parseDmesg(line);
    for (const [key, value] of Object.entries(facts)) {
      expect(Reflect.get(found, key)).toEqual(value);
    }
  });
});
