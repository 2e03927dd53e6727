/** Searches for tables: what they looked for, where, through which C-bit, and with which result. */
import { describe, expect, test } from '@jest/globals';
import { summaryEnd } from '../../src/cli/summary.js';
import { Chalk } from 'chalk';
import { pa } from '../../src/machine/address.js';
import type { BootOptions } from '../../src/sequencer/boot.js';
import { notFound, type NotFound } from '../../src/trace/searches.js';
import { builtInInitrd } from '../../src/firmware/initrd.js';
import { boot, scenario } from '../helpers.js';

function missing(options: Partial<BootOptions> = {}): NotFound[] {
  const subject = boot(options);
  subject.run();
  return notFound(subject.recorder.searches);
}
const names = (all: readonly NotFound[]): string[] => all.map(({ what }) => what);

describe('tables that a boot does not find', () => {
  test('at stage 17 are none; microcode that the initrd does not have is', () => {
    expect(missing({ stage: 17 })).toEqual([]);
    const initrd = builtInInitrd().subarray(
      builtInInitrd().findIndex((byte, i, all) => byte === 0x1f && all[i + 1] === 0x8b),
    );
    expect(missing({ stage: 17, initrd })).toMatchObject([
      {
        what: 'microcode',
        by: 'find_cpio_data',
        ranges: [{ length: initrd.length, c: 0 }],
        present: false,
      },
    ]);
  });

  test('at stage 18 include option ROMs and the MP table, which are searched for through a mapping with the C-bit', () => {
    const [microcode, rom, mp, ...more] = missing();
    expect(more).toEqual([]);
    expect(microcode).toEqual({
      what: 'microcode',
      by: 'find_cpio_data',
      ranges: [{ pa: 0x7ff9_e000, length: 0x6_15c1, c: 1 }],
      present: true,
    });
    expect(rom).toEqual({
      what: 'option ROM',
      by: 'probe_roms',
      ranges: [{ pa: 0xc_0000, length: 0x3_0000, c: 1 }],
      present: true,
    });
    expect(mp).toEqual({
      what: 'MP floating pointer',
      by: 'smp_scan_config',
      ranges: [
        { pa: 0, length: 0x400, c: 1 },
        { pa: 0x9_fc00, length: 0x400, c: 1 },
        { pa: 0xf_0000, length: 0x1_0000, c: 1 },
        // The segment of the EBDA is garbage.
        { pa: 0xe_f590, length: 0x400, c: 1 },
      ],
      present: true,
    });
  });

  test('include the RSDP, searched for in the EBDA and the BIOS area, and the SMBIOS entry point', () => {
    const none = missing({ stage: 17, scenario: scenario('bios-minimal', 'firmware.acpi=false') });
    expect(none.at(-1)).toEqual({
      what: 'RSDP',
      by: 'acpi_find_root_pointer',
      ranges: [
        { pa: 0x9_fc00, length: 0x400, c: 0 },
        { pa: 0xe_0000, length: 0x2_0000, c: 0 },
      ],
      present: false,
    });
    const subject = boot({ stage: 17 });
    subject.runTo('efi_init');
    subject.machine.dmaWrite(pa(0xf_0000), new Uint8Array(0x1_0000));
    while (subject.step());
    expect(notFound(subject.recorder.searches)).toContainEqual({
      what: 'SMBIOS',
      by: 'dmi_scan_machine',
      ranges: [{ pa: 0xf_0000, length: 0x1_0000, c: 0 }],
      present: true,
    });
  });

  test('on an Intel machine are none: all that is searched for is found', () => {
    expect(names(missing({ scenario: scenario('intel') }))).toEqual([]);
  });

  test('are the same after a restore of a snapshot, and of the second kernel have its prefix', () => {
    const options = { scenario: scenario('kexec'), stage: 17 };
    const first = boot(options);
    first.runTo('populate_rootfs');
    const second = boot(options);
    second.restore(first.snapshot());
    while (second.step());
    while (first.step());
    expect(second.recorder.searches).toEqual(first.recorder.searches);
    const kexec = first.recorder.searches.filter(({ what }) => what.startsWith('kexec'));
    expect(kexec.length).toBeGreaterThan(0);
  });
});

test('the summary lists them with the ranges and the C-bit, and not what was found', () => {
  const subject = boot();
  const trace = subject.run();
  const text = summaryEnd(
    trace,
    [],
    new Chalk({ level: 0 }),
    80,
    [],
    undefined,
    subject.recorder.searches,
  );
  expect(text).toContain(
    [
      '  MP floating pointer        not found, although there is one, looked for by smp_scan_config',
      '    in 0x0..0x3ff, 0x9fc00..0x9ffff, 0xf0000..0xfffff, 0xef590..0xef98f with C=1',
      '',
    ].join('\n'),
  );
  expect(text).toContain(
    '  microcode                  not found, although there is one, looked for',
  );
  expect(text).not.toMatch(/RSDP +not found/);
});
