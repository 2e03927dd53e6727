/** Options that limit CPUs, APICs and ACPI. */
import { describe, expect, test } from '@jest/globals';
import { onlineCpus } from '../../../src/linux/include/linux/cpumask.js';
import type { Boot } from '../../../src/sequencer/boot.js';
import { firstOf } from '../../cases.js';
import { eventsOf, onlyIn, printedBy, upTo, withLine } from './option-boots.js';

const FOUR = ['machine.ram="256MiB"', 'machine.cpus=4'];
/** A machine with an IOMMU, whose firmware lists it. */
const IOMMU = [
  'machine.ram="1GiB"',
  'machine.cpus=2',
  'machine.devices=[{"name":"nic","dmaMask":64,"iommu":true}]',
  'guest=false',
  'loader.deviceTree=false',
];

const four = (words: string): Boot => upTo('smp_init', withLine(words, 'bios-minimal', FOUR));
const iommu = (words: string): Boot => upTo('smp_init', withLine(words, 'epyc-efi', IOMMU));
const plain = four('');

describe('how many CPUs run', () => {
  test('without an option: all', () => {
    expect(onlineCpus(plain.kernel)).toEqual([0, 1, 2, 3]);
  });

  test('nosmp and maxcpus=0: only the boot CPU, and no IPI is sent', () => {
    for (const words of ['nosmp', 'maxcpus=0']) {
      const b = withLine(words, 'bios-minimal', FOUR);
      const trace = b.run();
      expect([words, onlineCpus(b.kernel)]).toEqual([words, [0]]);
      expect(eventsOf(trace, 'smp_init', 'ipi')).toEqual([]);
      expect(trace.outcome.kind).toBe('booted');
      expect(onlyIn(b, plain)).toEqual(
        expect.arrayContaining([
          'smpboot: 4 Processors exceeds max_cpus limit of 0',
          'smpboot: SMP mode deactivated',
          'smpboot: SMP disabled',
        ]),
      );
    }
  });

  test.each(
    firstOf(5, [
      ['maxcpus=1', [0], ['x86: Booted up 1 node, 1 CPUs']],
      ['maxcpus=3', [0, 1, 2], ['x86: Booted up 1 node, 3 CPUs']],
      ['maxcpus=9', [0, 1, 2, 3], []],
      // A negative int is stored in an unsigned variable.
      ['maxcpus=-1', [0, 1, 2, 3], []],
      ['maxcpus', [0, 1, 2, 3], []],
      ['max-cpus=1', [0, 1, 2, 3], []],
      [
        'nr_cpus=2',
        [0, 1],
        [
          'ACPI: NR_CPUS/possible_cpus limit of 2 reached.  Processor 2/0x2 ignored.',
          'ACPI: NR_CPUS/possible_cpus limit of 2 reached.  Processor 3/0x3 ignored.',
          'ACPI: MADT: 2 CPUs',
          'smpboot: 4 Processors exceeds NR_CPUS limit of 2',
          'x86: Booted up 1 node, 2 CPUs',
        ],
      ],
      ['nr-cpus=2 nr_cpus=0 nr_cpus=8 nr_cpus', [0, 1], undefined],
      [
        'possible_cpus=3',
        [0, 1, 2],
        [
          'smpboot: Allowing 3 CPUs, 0 hotplug CPUs',
          "can't online cpu 3 because it is not configured as may-hotadd at boot time",
          'x86: Booted up 1 node, 3 CPUs',
        ],
      ],
      ['possible_cpus=6', [0, 1, 2, 3], ['smpboot: Allowing 6 CPUs, 2 hotplug CPUs']],
      [
        'disable_cpu_apicid=2',
        [0, 1, 3],
        [
          'APIC: Disabling requested cpu. Processor 2/0x2 ignored.',
          'ACPI: MADT: 3 CPUs',
          'x86: Booted up 1 node, 3 CPUs',
        ],
      ],
      // The boot CPU cannot be disabled by this option.
      ['disable_cpu_apicid=0', [0, 1, 2, 3], []],
    ] as const),
  )('%s: those with the APIC IDs %j', (words, apicIds, lines) => {
    const b = four(words);
    const running = b.machine.cpus
      .filter(({ id }) => id === 0 || runsKernel(b, id))
      .map(({ id }) => id);
    expect(running).toEqual(apicIds);
    if (lines !== undefined) expect(onlyIn(b, plain)).toEqual(lines);
  });
});

/** Whether a CPU (by APIC ID) runs the kernel: its CR3 is the boot CPU's. */
function runsKernel(b: Boot, id: number): boolean {
  return b.machine.cpus[id]?.cr3 === b.machine.cpus[0].cr3;
}

describe('options that disable interrupt remapping', () => {
  const plainIommu = iommu('');
  test.each([
    ['noapic', ['Not enabling interrupt remapping due to skipped IO-APIC setup']],
    ['intremap=off', []],
    ['intremap=nosid,off', []],
    ['nointremap', []],
  ])('%s', (words, lines) => {
    expect(plainIommu.kernel.state.amdIommu.irq_remapping_enabled).toBe(true);
    const b = iommu(words);
    expect(b.kernel.state.amdIommu.irq_remapping_enabled).toBe(false);
    expect(onlyIn(b, plainIommu)).toEqual(lines);
  });
  test('intremap=on after nointremap enables it again', () => {
    expect(iommu('nointremap intremap=on').kernel.state.amdIommu.irq_remapping_enabled).toBe(true);
  });
});

describe('nolapic, disableapic', () => {
  test.each(['nolapic', 'disableapic'])('%s: the MADT is not used; one CPU runs', (words) => {
    const b = four(words);
    expect(b.kernel.state.madt.apicIds).toEqual([]);
    expect(onlineCpus(b.kernel)).toEqual([0]);
    // The MP table of this firmware is read instead, and finds no local APIC either.
    expect(printedBy(b)).toContain('smpboot: SMP disabled');
  });
  test('without an MP table the kernel reports dummy APIC emulation', () => {
    const b = upTo('smp_init', withLine('nolapic', 'epyc-efi', IOMMU));
    expect(printedBy(b)).toEqual(
      expect.arrayContaining([
        'smpboot: SMP motherboard not detected',
        'Apic disabled',
        'smpboot: Local APIC not detected. Using dummy APIC emulation.',
      ]),
    );
    expect(b.kernel.state.amdIommu.iommus).toEqual([]);
  });
});

describe('acpi=', () => {
  test('off: no table is read; the CPUs are those of the BIOS’s MP table', () => {
    const b = four('acpi=off');
    expect(printedBy(b).filter((line) => line.startsWith('ACPI:'))).toEqual([]);
    expect(b.kernel.state.madt.apicIds).toEqual([]);
    expect(printedBy(b)).toContain('Processors: 4');
    expect(onlineCpus(b.kernel)).toEqual([0, 1, 2, 3]);
  });
  test('off: on EFI, without an MP table, one CPU runs and no IOMMU is detected', () => {
    const b = withLine('acpi=off', 'epyc-efi', IOMMU);
    const trace = b.run();
    expect(trace.outcome.kind).toBe('booted');
    expect(onlineCpus(b.kernel)).toEqual([0]);
    expect(b.kernel.state.amdIommu).toMatchObject({ detected: false, iommus: [] });
    expect(b.kernel.state.devices.map(({ dmaOps }) => dmaOps)).toEqual([0]);
    expect(printedBy(b)).toContain('smpboot: SMP motherboard not detected');
  });
  test('noirq and pci=noacpi: the MP table is read for its I/O APICs, the CPUs are those of the MADT', () => {
    for (const words of ['acpi=noirq', 'pci=noacpi', 'noapic']) {
      const b = four(words);
      expect([words, b.kernel.state.madt.apicIds]).toEqual([words, [0, 1, 2, 3]]);
      expect(b.kernel.state.mp.processors).toEqual([]);
      expect(printedBy(b)).toContain('Processors: 4');
    }
    expect(printedBy(plain)).not.toContain('Processors: 4');
  });
  test('rsdt: the RSDT is read instead of the XSDT', () => {
    const roots = (words: string): string[] =>
      printedBy(four(words)).flatMap((line) => /^ACPI: ([XR]SDT) /.exec(line)?.[1] ?? []);
    expect([roots(''), roots('acpi=rsdt')]).toEqual([['XSDT'], ['RSDT']]);
  });
  test('force overrides off; an unknown value is malformed', () => {
    expect(four('acpi=off acpi=force').kernel.state.madt.apicIds).toEqual([0, 1, 2, 3]);
    expect(printedBy(four('acpi=ht'))).toContain("Malformed early option 'acpi'");
    expect(printedBy(four('acpi'))).toContain("Malformed early option 'acpi'");
  });
  test('acpi_rsdp= sets the address of the RSDP', () => {
    const b = four('acpi_rsdp=0x1000');
    expect(printedBy(b).find((line) => line.startsWith('ACPI: RSDP'))).toMatch(
      /^ACPI: RSDP 0x1000 /,
    );
    expect(printedBy(four('acpi_rsdp=x'))).toContain("Malformed early option 'acpi_rsdp'");
  });
});
