/** The sanitizer on boots: what it finds in the posted series by itself, and where it has to be silent. */
import { describe, expect, test } from '@jest/globals';
import { BOOT_PARAMS } from '../../src/firmware/boot-params.js';
import { ownedRanges } from '../../src/sequencer/sanitizer-host.js';
import type { SanitizerReport } from '../../src/trace/report.js';
import { withReports } from '../../src/trace/trace.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, scenario } from '../helpers.js';

const reportsOf = (name: string, stage: number, ...settings: string[]): SanitizerReport[] => {
  const b = boot({ scenario: scenario(name, ...settings), stage, sanitize: true });
  b.run();
  return [...(b.sanitizer?.reports() ?? [])];
};

/** Rule, code and what made it wrong: `wrong-key-read find_ucode_in_initrd < loader`. */
const brief = ({ rule, in: by, earlier }: SanitizerReport): string =>
  `${rule} ${by}${earlier === undefined ? '' : ` < ${earlier.in}`}`;

describe('the posted series', () => {
  test('on bios-minimal reads the microcode search’s initrd before it is encrypted, and BIOS data', () => {
    const reports = reportsOf('bios-minimal', 18);
    expect(reports.map(brief)).toEqual([
      'wrong-memory-type .Lencrypt_start',
      'wrong-key-read find_ucode_in_initrd < loader',
      'table-not-found find_ucode_in_initrd < loader',
      'wrong-key-read reserve_ebda_region < loader',
      'wrong-key-read probe_roms < loader',
      'table-not-found probe_roms < loader',
      'wrong-key-read smp_scan_config < loader',
      'table-not-found smp_scan_config < loader',
      'wrong-key-read find_smp_config < loader',
      'mixed-key-line set_memory_dec < memblock_virt_alloc_low_nopanic',
    ]);
    expect(reports[0]?.what).toMatch(/as WT through a mapping that was asked for as WP$/);
    expect(reports[1]).toMatchObject({
      ...{ step: 'load_ucode_bsp', C: 1, outcome: 'garbage consumed' },
      ...{ file: 'arch/x86/kernel/cpu/microcode/amd.c', earlier: { C: 0, step: 'loader' } },
    });
  });

  test('on epyc-efi gives the IOMMU and devices addresses without the C-bit', () => {
    const briefs = reportsOf('epyc-efi', 18).map(brief);
    for (const each of [
      'key-disagreement iommu < iommu_flush_all_caches',
      'key-disagreement nvme < really_probe',
      'key-disagreement really_probe < nvme',
      'mixed-key-line nvme < really_probe',
      'wrong-key-read efi_config_init < loader',
      'wrong-key-read efi_bgrt_init < loader',
      'cbit-on-mmio early_vga_write',
      'mixed-key-line set_memory_dec < memblock_virt_alloc_low_nopanic',
      'key-disagreement do_boot_cpu',
      'freed-with-attribute __efi_enter_virtual_mode',
      'freed-with-attribute swiotlb_free',
    ]) {
      expect(briefs).toContain(each);
    }
  });

  test('starts an AP whose SYSCFG is clear with tables that have the C-bit', () => {
    const reports = reportsOf('ap-syscfg-clear', 18);
    expect(reports.at(-1)).toMatchObject({
      ...{ rule: 'cbit-not-in-force', in: 'pa_startup_32', cpu: 1 },
    });
  });

  exhaustiveTest('hands out the overflow buffer, which was zeroed before it lost the C-bit', () => {
    expect(reportsOf('bios-devices', 18).map(brief)).toContain(
      'noise-to-device really_probe < memblock_virt_alloc_low_nopanic',
    );
  });

  exhaustiveTest('encrypts an initrd a second time that was encrypted with the kernel', () => {
    expect(reportsOf('encrypted-tail', 18).map(brief)).toContain(
      'encrypted-twice sme_early_mem_enc < .Lencrypt_start',
    );
  });

  exhaustiveTest('encrypts the kernel in a work area that an initrd is in', () => {
    expect(reportsOf('initrd-behind-kernel', 18).map(brief)).toContain(
      'foreign-owner-write sme_encrypt_kernel < loader',
    );
  });

  exhaustiveTest(
    'goes on using the translation that clear_mapping left, where the page is one entry',
    () => {
      const {
        rule,
        in: by,
        earlier,
      } = reportsOf('bios-minimal', 18, 'machine.mtrr=false').find(
        (each) => each.rule === 'stale-translation',
      ) ?? {};
      expect([rule, by]).toEqual(['stale-translation', 'reserve_ebda_region']);
      expect(earlier).toMatchObject({ in: '__clear_mapping', hunk: '09/bootdata' });
    },
  );

  exhaustiveTest('enters a kexec’d kernel whose tables the first one wrote with the C-bit', () => {
    expect(reportsOf('kexec', 18).map(brief)).toContain(
      'wrong-key-read relocate_kernel < kernel_ident_mapping_init',
    );
  });
});

describe('is silent', () => {
  test.each(
    firstOf(2, [
      ['bios-minimal', 17],
      ['intel', 18],
      ['epyc-efi', 17],
      ['option-absent', 18],
      ['config-off', 18],
      ['epyc-efi', 9],
      ['ram-above-reduction', 17],
      ['c-bit-51', 17],
      ['bios-devices', 17],
      ['amd-fam15h', 18],
    ] as const),
  )('on %s at stage %i', (name, stage) => {
    expect(reportsOf(name, stage)).toEqual([]);
  });
});

describe('a watched boot', () => {
  test('has the trace of one that is not', () => {
    const small = scenario('bios-minimal', 'machine.ram=64MiB');
    const watched = boot({ scenario: small, sanitize: true }).run();
    expect([watched.header.sanitize, watched.reports?.length]).toEqual([
      undefined,
      expect.any(Number),
    ]);
    const unwatched = boot({ scenario: small }).run();
    expect(printTrace(withReports(watched, undefined))).toBe(printTrace(unwatched));
  });

  test('continues from a snapshot with the same reports', () => {
    const options = { scenario: scenario('bios-minimal', 'machine.ram=64MiB'), sanitize: true };
    const first = boot(options);
    first.runTo('reserve_ebda_region');
    const snapshot = first.snapshot();
    const other = boot(options);
    other.restore(snapshot);
    first.run();
    other.run();
    const reports = first.sanitizer?.reports();
    expect(reports?.length).toBeGreaterThan(2);
    expect(other.sanitizer?.reports()).toEqual(reports);
    // The boot that has ended goes back and on again.
    first.restore(snapshot);
    first.run();
    expect(first.sanitizer?.reports()).toEqual(reports);
  });
});

test('of the zero page only what the loader has filled is there to be read', () => {
  const b = boot({ scenario: scenario('bios-minimal'), stage: 18, sanitize: true });
  const page = b.loaded.regions.find(({ name }) => name === 'boot params')?.base ?? 0;
  const owned = (field: number): boolean =>
    ownedRanges(b).some(({ base, size }) => base <= page + field && page + field < base + size);
  const { scratch, sentinel, e820_entries, ramdisk_image, cmd_line_ptr } = BOOT_PARAMS;
  expect([scratch, sentinel].map(owned)).toEqual([false, false]);
  // cmd_line_ptr is 0x99000: its low byte is zero.
  expect([e820_entries, ramdisk_image + 3, cmd_line_ptr + 1].map(owned)).toEqual([
    true,
    true,
    true,
  ]);
});
