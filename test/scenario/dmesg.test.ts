import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseDmesg } from '../../src/scenario/dmesg.js';

const log = (name: string): string => readFileSync(`test/fixtures/dmesg/${name}.txt`, 'utf8');

describe('a kernel log', () => {
  test('of a BIOS machine has memory map, command line, CPUs and DMI', () => {
    const facts = parseDmesg(log('gigabyte-a320m'));
    expect(facts.e820).toHaveLength(19);
    expect(facts.e820[0]).toEqual({ start: 0, end: 0x9_d3ff, type: 'usable' });
    expect(facts.e820[18]).toEqual({ start: 2 ** 32, end: 0x8_1f33_ffff, type: 'usable' });
    expect(facts).toMatchObject({ efi: false, cpus: 8 });
    expect(facts.cpu).toMatchObject({ family: 0x17, model: 0x18 });
    expect(facts.commandLine).toMatch(/^BOOT_IMAGE=.*resume=\/dev\/sda13$/);
    expect(facts.dmi).toMatch(/^Gigabyte.*F31 04\/15\/2019$/);
  });

  test('that is quoted in a mail is parsed despite quoting marks, including the RAMDISK line', () => {
    const facts = parseDmesg(log('dell-r6515'));
    expect(facts.e820).toHaveLength(23);
    expect(facts).toMatchObject({
      efi: true,
      cpus: 64,
      ramdisk: { start: 0xc28_4000, end: 0xd89_9fff },
    });
  });

  test('with efi=debug has the EFI memory map, whose ends are inclusive', () => {
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
      'efi: mem00: [Boot Data          |   |  |  |  |   |WB|WT|WC|UC] range=[0x5c800000-0x5cc00000) (4MB)',
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
    // arch/x86/platform/efi/efi.c before 3.18.
    [
      'EFI: mem49: type=5, attr=0x800000000000000f, range=[0x00000000c26ab000-0x00000000c2bab000) (5MB)',
      { efi: true },
    ],
    [
      'efi: mem00: type=5, attr=0x800000000000000f, range=[0x00000000c26ab000-0x00000000c2bab000) (5MB)',
      { efiMemoryMap: [{ start: 0xc26a_b000, end: 0xc2ba_afff, type: 5, runtime: true }] },
    ],
    // Attributes without a column, and a type without a word.
    [
      'efi: mem00: [MMIO        |attr=0x8000000000000001] range=[0x00000000fe010000-0x00000000fe010fff] (0MB)',
      { efiMemoryMap: [{ start: 0xfe01_0000, end: 0xfe01_0fff, type: 11, runtime: true }] },
    ],
    [
      'efi: mem00: [type=2147483648|   |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=[0x0000000000001000-0x0000000000001fff] (0MB)',
      { efiMemoryMap: [{ start: 0x1000, end: 0x1fff, type: 0, runtime: false }] },
    ],
    [
      'efi: mem00: [Runtime Code|RUN|  |MR|CC|SP|NV|XP|RP|WP|RO|UCE|WB|WT|WC|UC] range=[0x0000000000001000-0x0000000000001fff] (0MB)',
      { efiMemoryMap: [{ start: 0x1000, end: 0x1fff, type: 5, runtime: true }] },
    ],
    [
      'efi: mem00: [Memory Mapped I/O  |RUN|  |  |  |  |  |  |   |  |  |  |UC] range=[0x0000000000001000-0x0000000000002000) (0MB)',
      { efiMemoryMap: [{ start: 0x1000, end: 0x1fff, type: 11, runtime: true }] },
    ],
    [
      'efi: Remove mem75: MMIO range=[0xe0000000-0xefffffff] (256MB) from e820 map',
      { efiMemoryMap: [] },
    ],
    [
      'BIOS-e820: [mem 0x0000001060000000-0x000000205fffffff] soft reserved',
      {
        e820: [{ start: 0x10_6000_0000, end: 0x20_5fff_ffff, type: 'reserved' }],
        e820Unnamed: ['soft reserved'],
      },
    ],
    [
      'BIOS-e820: [mem 0x0000001060000000-0x000000205fffffff] persistent (type 7)',
      { e820Unnamed: ['persistent (type 7)'] },
    ],
    [
      'BIOS-e820: [mem 0x7a03f000-0x7a08afff] type 20',
      { e820: [{ start: 0x7a03_f000, end: 0x7a08_afff, type: 'reserved' }] },
    ],
    ['BIOS-e820: [gap 0x00000000000a0000-0x00000000000fffff]', { e820: [] }],
    ['Jun 12 10:49:44 host kernel: smp: Brought up 1 node, 8 CPUs', { cpus: 8 }],
    ['CPU topo: Allowing 16 present CPUs plus 0 hotplug CPUs', { cpus: 16 }],
    ['Kernel command line: root=/dev/sda', { commandLine: 'root=/dev/sda' }],
    ['(XEN) Command line: dom0_mem=2G', { commandLine: undefined }],
    // init/main.c print_kernel_cmdline, since 6.19.
    [
      'Kernel command line: a \\\nKernel command line: b=c \\\nKernel command line: d',
      { commandLine: 'a b=c d' },
    ],
    ['', { e820: [], efi: false, efiMemoryMap: [] }],
    // The first number includes hotplug CPUs.
    ['smpboot: Allowing 8 CPUs, 4 hotplug CPUs', { cpus: 4 }],
    ['SMP: Allowing 4 CPUs, 0 hotplug CPUs', { cpus: 4 }],
    ['CPU topo: Allowing 4 present CPUs plus 12 hotplug CPUs', { cpus: 4 }],
    ['Brought up 2 CPUs', { cpus: 2 }],
    ['x86: Booted up 1 node, 4 CPUs', { cpus: 4 }],
    ['smpboot: Total of 16 processors activated (118401.02 BogoMIPS)', { cpus: 16 }],
    ['Total of 1 processors activated (4788.90 BogoMIPS).', { cpus: 1 }],
    // Before 3.5 the end was exclusive.
    ['RAMDISK: 37c5e000 - 37fef000', { ramdisk: { start: 0x37c5_e000, end: 0x37fe_efff } }],
    ['RAMDISK: [mem 0x31203000-0x348f8fff]', { ramdisk: { start: 0x3120_3000, end: 0x348f_8fff } }],
    ['Allocated new RAMDISK: [mem 0x1ff000000-0x1ffffffff]', { ramdisk: undefined }],
    // The processor's line of each era: before 3.7 without the family, hexadecimal with and without 0x.
    ['CPU0: AMD E-350 Processor stepping 00', { cpu: { name: 'AMD E-350 Processor' } }],
    [
      'smpboot: CPU0: Intel(R) Core(TM) i7-9700 CPU @ 3.00GHz (fam: 06, model: 9e, stepping: 0d)',
      { cpu: { name: 'Intel(R) Core(TM) i7-9700 CPU @ 3.00GHz', family: 6, model: 0x9e } },
    ],
    [
      'smpboot: CPU0: Westmere E56xx/L56xx/X56xx (Nehalem-C) (family: 0x6, model: 0x2c, stepping: 0x1)',
      { cpu: { name: 'Westmere E56xx/L56xx/X56xx (Nehalem-C)', family: 6, model: 0x2c } },
    ],
    ['DMI: SMBIOS 2.8 present.\nDMI: QEMU Standard PC', { dmi: 'QEMU Standard PC' }],
    ['DMI: Memory slots populated: 1/1', { dmi: undefined }],
    ['Hypervisor detected: KVM', { hypervisor: 'KVM' }],
    ['Booting paravirtualized kernel on bare hardware', { hypervisor: undefined }],
    ['Booting paravirtualized kernel on VMware hypervisor', { hypervisor: 'VMware hypervisor' }],
    ['AMD Memory Encryption Features active: SME', { encryption: 'SME' }],
    ['AMD Secure Memory Encryption (SME) active', { encryption: 'SME' }],
    ['Memory Encryption Features active: AMD SME', { encryption: 'SME' }],
    ['AMD Secure Encrypted Virtualization (SEV) active', { encryption: 'SEV' }],
    [
      'Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP',
      { encryption: 'SEV SEV-ES SEV-SNP' },
    ],
    ['SVM: kvm: SEV supported: 410 ASIDs', { syscfg: 'SEV supported: 410 ASIDs' }],
    ['kvm_amd: SEV enabled (ASIDs 5 - 509)', { syscfg: 'SEV enabled (ASIDs' }],
    ['pci 0000:00:00.2: AMD-Vi: Found IOMMU cap 0x40', { iommu: 'AMD-Vi: Found IOMMU cap 0x40' }],
    ['AMD-Vi: AMD IOMMUv2 functionality not available on this system', { iommu: undefined }],
    ['Console: colour VGA+ 80x25', { console: 'VGA+ 80x25' }],
    [
      'tg3 0000:02:00.0 eth0: dma_rwctrl[00000001] dma_mask[64-bit]',
      { devices: [{ driver: 'tg3', bits: 64 }] },
    ],
    [
      'mpt3sas_cm0: 63 BIT PCI BUS DMA ADDRESSING SUPPORTED, total mem (263856480 kB)',
      { devices: [{ driver: 'mpt3sas-cm', bits: 63 }] },
    ],
    [
      'megaraid_sas 0000:03:00.0: 63 bit DMA mask and 32 bit consistent mask',
      { devices: [{ driver: 'megaraid-sas', bits: 63 }] },
    ],
    [
      'ahci 0000:00:17.0: flags: 64bit ncq sntf led clo only pio slum part ems apst',
      { devices: [{ driver: 'ahci', bits: 64 }] },
    ],
    [
      'xhci_hcd 0000:00:14.0: hcc params 0x200077c1 hci version 0x100 quirks 0x9810',
      { devices: [{ driver: 'xhci-hcd', bits: 64 }] },
    ],
    [
      'Apr 11 09:26:26 host kernel: radeon 0000:01:00.0: using 40-bit DMA addressing',
      { devices: [{ driver: 'radeon', bits: 40 }] },
    ],
  ])('with the lines %j is parsed to the facts', (line, facts) => {
    const found = parseDmesg(line);
    for (const [key, value] of Object.entries(facts)) {
      expect(Reflect.get(found, key)).toEqual(value);
    }
  });
});

describe('a log with several boots', () => {
  const two = log('two-boots');

  test('is parsed for the last complete one, or for the requested one', () => {
    expect(parseDmesg(two).boot).toMatchObject({ number: 2, of: 2, first: 19, last: 36 });
    expect(parseDmesg(two).e820).toHaveLength(10);
    expect(parseDmesg(two, 1).boot).toMatchObject({ number: 1, first: 1, last: 18 });
    expect(parseDmesg(two, 1).e820).toEqual(parseDmesg(two, 2).e820);
  });

  test('skips a boot that is truncated before its processors, or has no map', () => {
    const lines = two.trimEnd().split('\n');
    expect(parseDmesg(lines.slice(0, 30).join('\n')).boot).toMatchObject({ number: 1, of: 2 });
    const noMap = `${two}[    0.000000] Linux version 6.1.0\n[    0.1] CPU0: x\n`;
    expect(parseDmesg(noMap).boot).toMatchObject({ number: 2, of: 2, without: 1 });
  });

  test.each([
    ['Linux version', /Linux version/],
    ['the command line', /Linux version|BIOS-provided/],
    ['the map itself', /Linux version|ommand line/],
  ])('separates them by %s', (_what, pattern) => {
    const lines = two.split('\n').filter((line, i) => i === 0 || !pattern.test(line));
    expect(parseDmesg(lines.join('\n')).boot?.of).toBe(2);
    expect(parseDmesg(lines.join('\n')).e820).toHaveLength(10);
  });

  test('refuses a boot that it does not have, and lists its boots', () => {
    expect(() => parseDmesg(two, 3)).toThrow(/1 \(from 1, Linux 5\.15.*2 \(from 19, Linux/);
  });
});

describe('the EFI map', () => {
  test('of kernels before 3.18 is parsed from numbers', () => {
    const { efiMemoryMap } = parseDmesg(log('efi-type-numbers'));
    expect(efiMemoryMap).toHaveLength(61);
    expect(efiMemoryMap[6]).toEqual({
      start: 0x120_0000,
      end: 0x336_1fff,
      type: 2,
      runtime: false,
    });
    expect(efiMemoryMap[49]).toMatchObject({ type: 5, runtime: true });
    expect(efiMemoryMap[60]).toMatchObject({ end: 0xffff_ffff, type: 11, runtime: true });
  });

  test('is the first one if it is printed again', () => {
    const text = log('efi-type-numbers');
    expect(parseDmesg(text + text.replace(/^.*BIOS-e820.*$/gm, '')).efiMemoryMap).toHaveLength(61);
  });

  test.each([
    [
      'a line of it is missing',
      (text: string) => text.replace(/^.*mem07:.*\n/m, ''),
      /mem07 is missing/,
    ],
    [
      'a line of it is broken',
      (text: string) => text.replace(/(mem08: type=2, attr).*/, '$1'),
      /line 23 /,
    ],
  ])('is not used if %s, with a remark', (_what, change, problem) => {
    const facts = parseDmesg(change(log('efi-type-numbers')));
    expect(facts.efiMemoryMap).toEqual([]);
    expect(facts.efiProblem).toMatch(problem);
    expect(facts.e820).toHaveLength(11);
  });
});

describe("Xen's guests", () => {
  test("have a map that is not the machine's", () => {
    expect(parseDmesg(log('xen-dom0'))).toMatchObject({ e820: [], xenRanges: 4 });
  });

  test.each([
    ['', '0000000000000000 - 000000000009d800', '0000000000100000 - 00000000bff00000'],
    ['new ', '[0000000000000000, 000000000009d7ff]', '[0000000000100000, 00000000bfefffff]'],
  ])("are skipped for the machine's map in Xen's %sform, if the log has it", (_form, a, b) => {
    const xen = `(XEN) Xen version 4.11\n(XEN) Xen-e820 RAM map:\n(XEN)  ${a} (usable)\n(XEN)  ${b} (usable)\n`;
    const facts = parseDmesg(xen + log('xen-dom0'));
    expect(facts.fromXen).toBe(true);
    expect(facts.e820).toEqual([
      { start: 0, end: 0x9_d7ff, type: 'usable' },
      { start: 0x10_0000, end: 0xbfef_ffff, type: 'usable' },
    ]);
    expect(facts.boot).toMatchObject({ number: 1, of: 1 });
  });
});
