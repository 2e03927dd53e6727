import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { exhaustiveTest, firstOf } from '../cases.js';
import { parseDmesg, type DmesgFacts } from '../../src/scenario/dmesg.js';
import { draftScenario } from '../../src/scenario/from-dmesg.js';
import type { Remark, RemarkKind } from '../../src/scenario/remarks.js';
import { parseScenario } from '../../src/scenario/scenario.js';
import { boot } from '../helpers.js';

const draft = (facts: DmesgFacts, asLogged = false) =>
  draftScenario(facts, { name: 'subject', asLogged });
/** The remarks of one kind, or of all, as one text. */
const textOf = (remarks: readonly Remark[], kind?: RemarkKind): string =>
  remarks
    .filter((remark) => kind === undefined || remark.kind === kind)
    .map(({ text }) => text)
    .join('\n');
const facts = (name: string): DmesgFacts =>
  parseDmesg(readFileSync(`test/fixtures/dmesg/${name}.txt`, 'utf8'));

describe.each(['gigabyte-a320m', 'dell-r6515', 'ovmf-guest'])('the log of %s', (name) => {
  test.each(firstOf(2, [9, 18]))(
    'is converted to a scenario that reaches /init at stage %i',
    (stage) => {
      const { data } = draft(facts(name));
      const trace = boot({ scenario: parseScenario(name, data), stage }).run();
      expect(trace.outcome).toMatchObject({ kind: 'booted' });
    },
  );
});

describe('a scenario from a log', () => {
  test('adds mem_encrypt=on, unless asLogged is set or the log has mem_encrypt=', () => {
    const line = (commandLine: string, asLogged = false) =>
      draft({ ...facts('gigabyte-a320m'), commandLine }, asLogged).data.cmdline;
    expect(line('ro')).toBe('ro mem_encrypt=on');
    expect(line('ro', true)).toBe('ro');
    expect(line('ro mem_encrypt=off quiet')).toBe('ro mem_encrypt=off quiet');
  });

  test('has the EFI memory map of the log, and no such key if the log has none', () => {
    const { efiMemoryMap, ...others } = facts('ovmf-guest');
    expect(draft({ ...others, efiMemoryMap }).data.firmware).toMatchObject({ type: 'efi' });
    expect(draft({ ...others, efiMemoryMap }).data.firmware).toHaveProperty('efiMemoryMap');
    const { firmware } = draft({ ...others, efiMemoryMap: [] }).data;
    expect(firmware).not.toHaveProperty('efiMemoryMap');
  });

  test('removes early consoles that the machine does not have, with a remark', () => {
    const commandLine = 'ro earlyprintk=ttyS1,115200 earlyprintk=vga,keep mem_encrypt=on';
    const { data, remarks } = draft({ ...facts('gigabyte-a320m'), commandLine });
    expect(data.cmdline).toBe('ro earlyprintk=vga,keep mem_encrypt=on');
    expect(textOf(remarks)).toMatch(/earlyprintk=ttyS1,115200 removed/);
  });

  test('has a remark for each default', () => {
    const { remarks } = draft({ efi: false, efiMemoryMap: [], e820: facts('ovmf-guest').e820 });
    expect(textOf(remarks)).toMatch(/machine\.cpus: not in the log; 1/);
    expect(textOf(remarks, 'guessed')).toMatch(
      /machine\.cpu: zen-1 for an unknown processor; the log does not name it/,
    );
    expect(textOf(remarks)).toMatch(/cmdline: not in the log/);
  });

  test.each<[string, number | undefined, number | undefined, string, RegExp]>([
    ['AMD Ryzen 5 3400G', 0x17, 0x18, 'zen-1', /Zen 1/],
    ['AMD EPYC Processor', 0x17, 0x01, 'zen-1', /Zen 1/],
    ['Steam Deck', 0x17, 0x90, 'zen-2', /Zen 2/],
    ['AMD Ryzen 7 4700U', 0x17, 0x60, 'zen-2', /Zen 2/],
    ['AMD Ryzen 3 3250U', 0x17, 0x20, 'zen-1', /Zen 1/],
    ['AMD EPYC 7742', 0x17, 0x31, 'zen-2', /Zen 2/],
    ['AMD EPYC-Rome Processor', 0x17, 0x31, 'zen-2', /Zen 2/],
    ['AMD Ryzen', 0x17, 0xb0, 'zen-1', /no name for this model: the first of its family/],
    ['AMD EPYC 7763', 0x19, 0x01, 'zen-3', /Zen 3/],
    ['AMD Ryzen 9 5950X', 0x19, 0x21, 'zen-3', /Zen 3/],
    ['AMD Ryzen 7 5800H', 0x19, 0x50, 'zen-3', /Zen 3/],
    ['AMD EPYC 9654', 0x19, 0x11, 'epyc-9654', /Zen 4/],
    ['AMD Ryzen 9 7950X', 0x19, 0x61, 'epyc-9654', /Zen 4/],
    ['AMD EPYC 9754', 0x19, 0xa0, 'epyc-9654', /Zen 4/],
    ['AMD EPYC 9755', 0x1a, 0x02, 'zen-5', /Zen 5/],
    ['AMD Ryzen 9 9950X', 0x1a, 0x44, 'zen-5', /Zen 5/],
    ['AMD of the future', 0x1a, 0x80, 'zen-5', /Zen 6 is not modelled/],
    ['AMD of the future', 0x1b, 0x00, 'zen-5', /a family that is not modelled: the newest/],
    ['AMD Opteron(tm) Processor 250', 0xf, 0x5, 'amd-k8', /K8, without SME/],
    ['AMD QEMU Virtual CPU version 2.5+', 0x6, 0x6, 'amd-k8', /before SME that is not modelled/],
    ['AMD QEMU Virtual CPU version 2.5+', 0xf, 0x6b, 'amd-k8', /without SME/],
    ['AMD Phenom(tm) II X4 955', 0x10, 0x4, 'amd-k10', /without SME/],
    ['AMD Turion(tm) X2 Ultra', 0x11, 0x3, 'amd-k8', /Griffin is not modelled/],
    ['AMD A8-3850', 0x12, 0x1, 'amd-k10', /Llano is not modelled/],
    ['AMD E-350 Processor', 0x14, 0x1, 'amd-bobcat', /Bobcat, without SME/],
    ['AMD FX(tm)-8350', 0x15, 0x2, 'amd-bulldozer', /without SME/],
    ['AMD GX-412TC SOC', 0x16, 0x30, 'amd-jaguar', /without SME/],
    ['Hygon C86 7185 32-core Processor', 0x18, 0x0, 'hygon-dhyana', /Hygon/],
    ['Intel(R) Xeon(R) CPU', 0x6, 0x4f, 'intel-broadwell', /no SME either/],
    ['11th Gen Intel(R) Core(TM) i5-1135G7', 0x6, 0x8c, 'intel-broadwell', /no SME either/],
    ['Genuine Intel(R) CPU 0000', 0x6, 0x1a, 'intel-broadwell', /no SME either/],
    ['Intel Common KVM processor', 0xf, 0x6, 'intel-broadwell', /no SME either/],
    ['Centaur VIA Nano processor', 0x6, 0xf, 'intel-broadwell', /its vendor is not modelled/],
    ['ZHAOXIN KaiXian KX-6640MA', 0x7, 0x3b, 'intel-broadwell', /its vendor is not modelled/],
    ['__proto__', 0x6, 0x1, 'intel-broadwell', /its vendor is not modelled/],
    // Before Linux 3.7 the line has no family.
    ['AMD E-350 Processor', undefined, undefined, 'amd-bobcat', /no family: chosen by the name/],
    [
      'AMD Opteron(tm) Processor 6128',
      undefined,
      undefined,
      'amd-k10',
      /no family: chosen by the name/,
    ],
    [
      'AMD EPYC 7601 32-Core Processor',
      undefined,
      undefined,
      'zen-1',
      /no family: chosen by the name/,
    ],
    ['AMD Athlon(tm) 64 X2', undefined, undefined, 'amd-k8', /a part before family 0x17/],
  ])(
    'chooses, for %s of family %s and model %s, the processor %s',
    (name, family, model, cpu, remark) => {
      const known = family === undefined || model === undefined ? {} : { family, model };
      const { data, remarks } = draft({ ...facts('gigabyte-a320m'), cpu: { name, ...known } });
      expect(data.machine).toMatchObject({ cpu });
      expect(textOf(remarks)).toMatch(remark);
      const encrypts = /zen|epyc|hygon/.test(cpu);
      expect(data.firmware).toMatchObject(encrypts ? { syscfgMemEncrypt: true } : {});
      expect(Object.keys(data.firmware as object).includes('syscfgMemEncrypt')).toBe(encrypts);
    },
  );

  test.each([
    [', Intel PMU driver', 'intel-broadwell'],
    [', AMD PMU driver', 'zen-1'],
    ['microcode: CPU0: patch_level=0x0800820d', 'zen-1'],
  ])('without a line that names the processor gets its vendor from "%s"', (line, cpu) => {
    const text = readFileSync('test/fixtures/dmesg/wrapped-by-mailer.txt', 'utf8');
    const { data, remarks } = draft(
      parseDmesg(`${text}[    0.1] x: Fam${line.startsWith(',') ? line : ` ${line}`}.`),
    );
    expect(data.machine).toMatchObject({ cpu });
    expect(textOf(remarks, 'guessed')).toMatch(/the log does not name it, but has/);
  });

  test('loads the kernel to the range of EFI loader data, else to 16 MiB or the next usable address', () => {
    expect(draft(facts('ovmf-guest')).data.loader).toMatchObject({ kernelAt: 0x200_0000 });
    expect(draft(facts('efi-loader-code')).data.loader).toMatchObject({
      kernelAt: 0x1_0500_0000,
    });
    expect(draft(facts('efi-type-numbers')).data.loader).toMatchObject({ kernelAt: 0x120_0000 });
    expect(draft(facts('gigabyte-a320m')).data.loader).toEqual({ kernelAt: 0x100_0000 });
    expect(draft(facts('dell-r6515')).data.loader).toMatchObject({ initrdAt: 0xc28_4000 });
  });

  test('is refused if the log has no memory map, or no room for a kernel', () => {
    expect(() => draft(parseDmesg('nothing'))).toThrow(/E_DMESG/);
    const e820 = [
      { start: 0, end: 0x9_ffff, type: 'usable' as const },
      { start: 0x10_0000, end: 0x1ff_ffff, type: 'usable' as const },
    ];
    const arm =
      '[    0.0] Booting Linux on physical CPU 0x0\n[    0.0] Machine model: Raspberry Pi';
    expect(() => draft(parseDmesg(arm))).toThrow(/not of an x86 machine.*physical CPU/);
    const long = Array.from(
      { length: 4000 },
      (_, i) => `BIOS-e820: [mem 0x${(i * 4096).toString(16)}-0x${(i * 4096).toString(16)}] usable`,
    );
    expect(() => draft(parseDmesg(long.join('\n')))).toThrow(/more ranges than a kernel can store/);
    expect(() => draft(facts('xen-dom0'))).toThrow(/a Xen guest's map.*4 lines "Xen:/);
    expect(() => draft({ efi: false, efiMemoryMap: [], e820 })).toThrow(/room for a kernel/);
  });

  test('whose map is broken beyond repair is refused with the numbers of the lines', () => {
    const text = readFileSync('test/fixtures/dmesg/two-boots.txt', 'utf8')
      .replace(/^.*0x0000000000100000-.*$/gm, 'x BIOS-e820: [mem 0x0000000000100000-0x00000')
      .replace(/-0x0000000078bfffff\] usable/g, '');
    expect(() => draft(parseDmesg(text))).toThrow(
      /line 2[0-9]|2 lines of the memory map are broken/,
    );
    expect(() => draft(parseDmesg(text))).toThrow(/\(line 23, 27\)/);
  });

  test('of a small machine has an address for the kernel', () => {
    const { data } = draft(facts('vm-of-128-mib'));
    expect(data.machine).toMatchObject({ ram: 133_689_344, cpus: 1 });
    expect(data.loader).toEqual({
      kernelAt: 0x100_0000,
      initrdAt: 0x6dc_d000,
      initrdSize: 0x9b_0000,
    });
    const e820 = [
      { start: 0, end: 0x9_fbff, type: 'usable' as const },
      { start: 0x10_0000, end: 0x3fd_ffff, type: 'usable' as const },
    ];
    const small = draft({ efi: false, efiMemoryMap: [], e820 });
    expect(small.data.machine).toMatchObject({ ram: 2 ** 26 });
    expect(textOf(small.remarks)).toMatch(/64 MiB, the minimum of a scenario/);
  });

  test('leaves out an initrd address in memory of the simulated firmware, with a remark', () => {
    const base = facts('intel-11th-gen');
    const ramdisk = { start: 0x69ee_2000 - 0x90_0000, end: 0x69ee_1fff };
    const { data, remarks } = draft({ ...base, ramdisk });
    expect(data.loader).toEqual({ kernelAt: 0x100_0000, initrdSize: 0x90_0000 });
    expect(textOf(remarks, 'guessed')).toMatch(/initrdAt: left out.*simulated EFI firmware/);
  });

  test('has a remark if the initrd is larger than the simulated maximum', () => {
    const ramdisk = { start: 0x1_0000_0000, end: 0x1_7fff_ffff };
    const { data, remarks } = draft({ ...facts('ryzen-5950x'), ramdisk });
    expect(data.loader).toEqual({ kernelAt: 0x100_0000, initrdAt: 0x1_0000_0000 });
    expect(textOf(remarks, 'guessed')).toMatch(/initrdSize: left out, since 2147483648 bytes/);
  });

  test.each([
    ['SME is active', { encryption: 'SME' }, 'read', /set, since the log reports SME as active/],
    [
      'SEV is supported',
      { syscfg: 'SEV supported: 410 ASIDs' },
      'read',
      /set, since "SEV supported/,
    ],
    ['nothing', {}, 'guessed', /not in a log; set on each CPU/],
    ['SEV is active', { encryption: 'SEV SEV-ES' }, 'note', /an SEV guest. SEV is not modelled/],
    ['a hypervisor', { hypervisor: 'KVM' }, 'note', /a virtual machine \(KVM\)/],
    ['a crash kernel', { commandLine: 'a elfcorehdr=1G' }, 'note', /a crash kernel/],
    [
      'mem_encrypt=on alone',
      { commandLine: 'a mem_encrypt=on' },
      'note',
      /no line reports SME as active/,
    ],
    ['32 bits', { bits32: '"i686" in its version' }, 'note', /a 32-bit kernel/],
    ['an IOMMU', { iommu: 'ACPI: IVRS 0x0' }, 'read', /machine\.iommu: "ACPI: IVRS/],
    ['no VGA', { console: 'dummy device 80x25' }, 'read', /machine\.vga: false/],
  ] as const)('with %s has a remark about it', (_what, more, kind, remark) => {
    const { data, remarks } = draft({ ...facts('ryzen-5950x'), ...more });
    expect(textOf(remarks, kind)).toMatch(remark);
    expect(() => parseScenario('subject', data)).not.toThrow();
  });

  test('has the IOMMU and the narrowest devices of the log, at most three', () => {
    const devices = [
      { driver: 'xhci-hcd', bits: 64 },
      { driver: 'b43', bits: 32 },
      { driver: 'ahci', bits: 32 },
      { driver: 'nic', bits: 64 },
    ];
    const { data, remarks } = draft({ ...facts('ryzen-5950x'), iommu: 'AMD-Vi: x', devices });
    expect(data.machine).toMatchObject({
      iommu: true,
      devices: [
        { name: 'xhci-hcd', dmaMask: 64, iommu: true },
        { name: 'b43', dmaMask: 32, iommu: true },
        { name: 'ahci', dmaMask: 32, iommu: true },
      ],
    });
    expect(textOf(remarks, 'unused')).toMatch(
      /nic, 64-bit DMA addresses: a scenario from a log has at most 3 devices/,
    );
    const trace = boot({ scenario: parseScenario('subject', data), stage: 18 }).run();
    expect(trace.consumed.map(({ name }) => name)).toContain('ahci sg to device');
  });

  test('lists facts that the scenario does not use, with their lines', () => {
    const text = `${readFileSync('test/fixtures/dmesg/hotplug-cpus.txt', 'utf8')}[    0.1] DMAR: IOMMU enabled\n`;
    const { remarks } = draft(parseDmesg(text));
    expect(textOf(remarks, 'unused').split('\n')).toEqual([
      'cmdline: quiet is not modelled: an option of 4.6, init/main.c',
      'cmdline: splash is not modelled: unknown to 4.6: passed to init',
      'cmdline: no effect here: BOOT_IMAGE=/boot/vmlinuz-4.15.0-136-generic, ro (sme-boot list options)',
      'an Intel IOMMU (DMAR) (line 25)',
    ]);
    expect(textOf(remarks, 'read')).toMatch(/machine\.cpus: 4; 8 possible \(line 22\)/);
  });
});

/** The scenarios of the logs in the table, and the outcome of the whole series with them. */
describe.each([
  ['dmesg-colour', { cpu: 'zen-3', cpus: 2, ram: 8_589_471_744 }, 7, 'booted'],
  ['efi-loader-code', { cpu: 'zen-3', cpus: 4, ram: 3_215_015_936 }, 19, 'triple-fault'],
  ['efi-type-numbers', { cpu: 'intel-broadwell', cpus: 8, ram: 34_123_067_392 }, 11, 'booted'],
  ['hotplug-cpus', { cpu: 'intel-broadwell', cpus: 4, ram: 8_498_827_264 }, 17, 'booted'],
  ['intel-11th-gen', { cpu: 'intel-broadwell', cpus: 8, ram: 12_510_044_160 }, 19, 'booted'],
  ['ryzen-5950x', { cpu: 'zen-3', cpus: 8, ram: 68_625_465_344 }, 30, 'booted'],
  ['two-boots', { cpu: 'intel-broadwell', cpus: 4, ram: 4_074_467_328 }, 10, 'booted'],
  ['vm-of-128-mib', { cpu: 'intel-broadwell', cpus: 1, ram: 133_689_344 }, 6, 'booted'],
  ['wrapped-by-mailer', { cpu: 'zen-1', cpus: 1, ram: 3_919_245_312 }, 8, 'booted'],
  ['lenovo-x240', { cpu: 'intel-broadwell', cpus: 4, ram: 8_463_863_808 }, 18, 'booted'],
  ['msi-ms7721', { cpu: 'amd-bulldozer', cpus: 4, iommu: true }, 20, 'booted'],
] as const)('the log %s', (name, machine, ranges, outcome) => {
  const { data } = draft(facts(name));
  test('has the machine of the log', () => {
    expect(data.machine).toMatchObject(machine);
    expect(facts(name).e820).toHaveLength(ranges);
  });

  test(`ends with ${outcome}`, () => {
    const trace = boot({ scenario: parseScenario(name, data), stage: 18 }).run();
    expect(trace.outcome.kind).toBe(outcome);
  });
});

test('the log of two EPYC 9654 is converted with eight of the CPUs, the IOMMU and the narrowest AHCI controller', () => {
  const { data, remarks } = draft(facts('supermicro-h13'));
  expect(data.machine).toEqual({
    cpu: 'epyc-9654',
    ram: 1_648_952_545_280,
    cpus: 8,
    iommu: true,
    devices: [
      { name: 'xhci-hcd', dmaMask: 64, iommu: true },
      { name: 'ahci', dmaMask: 32, iommu: true },
    ],
  });
  expect(facts('supermicro-h13').e820).toHaveLength(38);
  expect(textOf(remarks, 'read')).toMatch(
    /machine\.cpus: 8 of 384, the most that can be simulated/,
  );
  expect(textOf(remarks, 'read')).toMatch(/machine\.iommu: "ACPI: IVRS 0x00000000A3A0B000"/);
  expect(() => parseScenario('supermicro-h13', data)).not.toThrow();
});

// The IOMMU writes its event log in plaintext; the driver reads noise, whose type is by chance one that it looks up.
exhaustiveTest(
  'the log of two EPYC 9654 boots at stage 17; at 18 the driver follows an address of the event log',
  () => {
    const { data } = draft(facts('supermicro-h13'));
    const run = (stage: number) =>
      boot({ scenario: parseScenario('supermicro-h13', data), stage }).run();
    expect(run(17).outcome.kind).toBe('booted');
    const { outcome, steps } = run(18);
    expect(outcome).toMatchObject({
      kind: 'panic',
      where: 'do_general_protection',
      message: expect.stringMatching(/^general protection fault: 0000 \[#1\] SMP; .*#GP at 0x2ded/),
    });
    const printed = steps.at(-1)?.events.map((event) => event['console']);
    expect(printed).toContainEqual(expect.stringContaining('[ILLEGAL_COMMAND_ERROR address='));
  },
);

test('the log of a Lenovo X240 is converted with its EFI map, without the entries of zero pages', () => {
  const { efiMemoryMap, efiProblem, e820Unnamed } = facts('lenovo-x240');
  expect(efiProblem).toBeUndefined();
  expect(efiMemoryMap).toHaveLength(44);
  expect(efiMemoryMap[43]).toMatchObject({ start: 0xfed1_c000, end: 0xfed1_ffff, type: 11 });
  expect(e820Unnamed).toEqual(['type 20']);
});

test('a long EFI map fits into the simulated firmware', () => {
  const base = facts('lenovo-x240');
  const first = 0x2000_0000;
  const efiMemoryMap = Array.from({ length: 250 }, (_, i) => ({
    // Boot services' code and data, which e820 does not distinguish.
    start: first + i * 0x2000,
    end: first + i * 0x2000 + 0x1fff,
    type: 3 + (i % 2),
    runtime: false,
  }));
  const { data } = draft({ ...base, efiMemoryMap });
  const trace = boot({ scenario: parseScenario('long', data), stage: 18 }).run();
  expect(trace.outcome.kind).toBe('booted');
});

test('an EFI machine too small for the simulated firmware boots with a BIOS, with a remark', () => {
  const { data, remarks } = draft({ ...facts('vm-of-128-mib'), efi: true });
  expect(data.firmware).toMatchObject({ type: 'bios' });
  expect(textOf(remarks, 'guessed')).toMatch(/bios, although the log is of an EFI boot/);
});

test("a kernel at another address than the log's has a remark about it", () => {
  const { remarks } = draft({ ...facts('efi-type-numbers'), brk: 0x4_7267_0000 });
  expect(textOf(remarks, 'guessed')).toMatch(/its BRK is at 0x472670000\), due to KASLR/);
  const own = draft({ ...facts('efi-type-numbers'), brk: 0x320_0000 });
  expect(textOf(own.remarks, 'read')).toMatch(/the range of loader data that has the kernel's BRK/);
});

test.each([
  ['begins above 0', (text: string) => text.replace(/^.*0x0{16}-.*\n/m, ''), /does not begin at 0/],
  [
    'is the last of the log',
    (text: string) => text.replace(/^.*(efi|DMI|RAM|CPU).*\n/gm, ''),
    /ends with it/,
  ],
  [
    'has less memory than the kernel reports',
    (text: string) =>
      text.replace(/^.*0x0000000100000000-.*\n/m, '') +
      '[    0.1] Memory: 65000000K/67017176K available\n',
    /67017176 KiB of memory, the map has 3/,
  ],
])('a map that %s has a remark about missing lines', (_what, change, doubt) => {
  const whole = readFileSync('test/fixtures/dmesg/ryzen-5950x.txt', 'utf8');
  expect(textOf(draft(parseDmesg(whole)).remarks)).not.toMatch(doubt);
  expect(textOf(draft(parseDmesg(change(whole))).remarks, 'guessed')).toMatch(doubt);
});
