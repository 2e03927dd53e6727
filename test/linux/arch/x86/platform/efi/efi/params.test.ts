/** noefi, efi= and add_efi_memmap: which parts of EFI are used, and how firmware is mapped. */
import { describe, expect, test } from '@jest/globals';
import { E820 } from '../../../../../../../src/linux/arch/x86/include/asm/e820.js';
import {
  _PAGE_CACHE_MASK,
  PAGE_CACHE_MODE,
  PAGE_OFFSET,
} from '../../../../../../../src/kernel/constants.js';
import { entryOf } from '../../../../../../../src/linux/arch/x86/mm/pageattr/types.js';
import type { Boot } from '../../../../../../../src/sequencer/boot.js';
import type { Trace } from '../../../../../../../src/trace/trace.js';
import { exhaustiveTest } from '../../../../../../cases.js';
import {
  eventsOf,
  LINE,
  ON,
  onlyIn,
  printedBy,
  upTo,
  withLine,
} from '../../../../../options/option-boots.js';

const SETTINGS = [
  'machine.ram="256MiB"',
  'machine.cpus=1',
  'machine.iommu=false',
  'machine.devices=[]',
  'guest=false',
  'loader.deviceTree=false',
];
const efi = (words: string, stage = 0, ...more: string[]): Boot =>
  withLine(words, 'epyc-efi', [...SETTINGS, ...more], { stage });

/** The firmware's runtime services that were called. */
const services = (trace: Trace): unknown[] =>
  ['efi_enter_virtual_mode', 'efi_late_init'].flatMap((label) =>
    eventsOf(trace, label, 'enter')
      .filter(({ what }) => String(what).startsWith('firmware'))
      .map(({ enter }) => enter),
  );

test('without an option the firmware gets virtual addresses and is called with them', () => {
  const b = efi('');
  expect(services(b.run())).toEqual(['SetVirtualAddressMap', 'SetVariable']);
});

describe.each(['noefi', 'efi=noruntime', 'efi=debug,noruntime'])('%s', (words) => {
  test('calls no runtime service and does not use the memory map, but reads the configuration tables', () => {
    const b = efi(words);
    const trace = b.run();
    expect(services(trace)).toEqual([]);
    expect(b.kernel.state.efi.flags).toEqual(
      expect.arrayContaining(['EFI_BOOT', 'EFI_64BIT', 'EFI_SYSTEM_TABLES', 'EFI_CONFIG_TABLES']),
    );
    expect(b.kernel.state.efi.flags).not.toContain('EFI_MEMMAP');
    expect(b.kernel.state.efi.flags).not.toContain('EFI_RUNTIME_SERVICES');
    expect(b.kernel.state.efi.efi_pgd).toBe(0);
    // ACPI is still found through EFI.
    expect(printedBy(b).some((line) => line.startsWith('ACPI: RSDP'))).toBe(true);
    expect(trace.outcome.kind).toBe('booted');
  });
  test('does not reserve boot services memory', () => {
    const owners = (b: Boot): string[] =>
      upTo('memblock_x86_fill', b).kernel.state.memblock.reserved.map(({ owner }) => owner);
    expect(owners(efi(''))).toContain('efi_reserve_boot_services');
    expect(owners(efi(words))).not.toContain('efi_reserve_boot_services');
  });
});

test('efi=debug prints the firmware’s map, a line for each descriptor', () => {
  const b = upTo('efi_init', efi('efi=debug'));
  const lines = onlyIn(b, upTo('efi_init', efi('')));
  expect(lines).toHaveLength(b.kernel.state.efi.memmap.nr_map);
  expect(lines[0]).toBe(
    'efi: mem00: [Boot Data          |   |  |  |  |  |  |  |   |WB|WT|WC|UC] ' +
      'range=[0x0000000000000000-0x0000000000000fff] (0MB)',
  );
  const runtime = lines.find((line) => line.includes('Runtime Code'));
  expect(runtime).toMatch(
    /\[Runtime Code {7}\|RUN\| {2}\| {2}\| {2}\| {2}\| {2}\|RO\| {3}\|WB\|WT\|WC\|UC\]/,
  );
  expect(lines.at(-1)).toMatch(/\[Memory Mapped I\/O {2}\|RUN\|.*\|UC\]/);
});

test('efi without a value is malformed; efi= ignores an unknown word', () => {
  expect(printedBy(upTo('parse_setup_data', efi('efi'))).slice(-4)).toEqual([
    'efi: need at least one option',
    "Malformed early option 'efi'",
    'efi: need at least one option',
    "Malformed early option 'efi'",
  ]);
  expect(onlyIn(upTo('efi_init', efi('efi=x')), upTo('efi_init', efi('')))).toEqual([]);
});

describe('efi=old_map', () => {
  test('firmware runs on the kernel’s page tables, in the direct map, and CR3 is not written', () => {
    const b = efi('efi=old_map');
    const trace = b.run();
    expect(services(trace)).toEqual(['SetVirtualAddressMap', 'SetVariable']);
    expect(eventsOf(trace, 'efi_enter_virtual_mode', 'cr')).toEqual([]);
    expect(b.kernel.state.efi.efi_pgd).toBe(0);
    expect(trace.outcome.kind).toBe('booted');
  });
  test('gives memory regions their direct-map addresses, and device registers an I/O mapping', () => {
    const { kernel } = upTo('efi_enter_virtual_mode', efi('efi=old_map'));
    const mapped = kernel.fn
      .for_each_efi_memory_desc()
      .map((at) => kernel.fn.efi_memory_desc(at))
      .filter(({ virt_addr }) => virt_addr !== 0n);
    const io = mapped.filter(({ type }) => type === 11);
    expect(io.length).toBeGreaterThan(0);
    for (const md of mapped) {
      const direct = BigInt.asUintN(64, BigInt(PAGE_OFFSET + md.phys_addr));
      expect([md.type, md.virt_addr === direct]).toEqual([md.type, md.type !== 11]);
    }
  });
  test('leaves runtime code executable and boot services code not, after SetVirtualAddressMap()', () => {
    const { kernel } = upTo('efi_enter_virtual_mode', efi('efi=old_map'));
    const nx = (type: number): boolean[] =>
      kernel.fn
        .for_each_efi_memory_desc()
        .map((at) => kernel.fn.efi_memory_desc(at))
        .filter((md) => md.type === type)
        .map((md) => {
          const found = kernel.fn.lookup_address(kernel.__va(md.phys_addr));
          return found === undefined || (entryOf(kernel, found) & (1n << 63n)) !== 0n;
        });
    expect(nx(5)).toEqual([false]);
    expect(new Set(nx(3))).toEqual(new Set([true]));
  });
  test('maps a runtime region that firmware does not list as write-back uncached', () => {
    const map = [
      { start: 0x10_0000, end: 0xfff_ffff, type: 7 },
      // Registers of I/O ports, above RAM: not in the direct map until then.
      { start: 0xf000_0000, end: 0xf000_0fff, type: 12, runtime: true },
      { start: 0xf010_0000, end: 0xf010_0fff, type: 6, runtime: true },
    ];
    const e820 = [
      { start: 0, end: 0x9_ffff, type: 'usable' },
      { start: 0x10_0000, end: 0xfff_ffff, type: 'usable' },
      { start: 0xf000_0000, end: 0xf01f_ffff, type: 'reserved' },
    ];
    const settings = [
      `firmware.e820=${JSON.stringify(e820)}`,
      `firmware.efiMemoryMap=${JSON.stringify(map)}`,
    ];
    const { kernel } = upTo('efi_enter_virtual_mode', efi('efi=old_map', 0, ...settings));
    const cache = (phys: number): bigint | undefined => {
      const found = kernel.fn.lookup_address(kernel.__va(phys));
      return found && entryOf(kernel, found) & _PAGE_CACHE_MASK;
    };
    const uncached = kernel.fn.cachemode2protval(PAGE_CACHE_MODE.UC_MINUS);
    expect([0xf000_0000, 0xf010_0000].map(cache)).toEqual([uncached, 0n]);
    expect(uncached).not.toBe(0n);
  });
  exhaustiveTest(
    'panics with encryption on, because firmware code is fetched with the C-bit',
    () => {
      // With less memory, boot services memory is reused before /init (docs/findings.md).
      const ram = 'machine.ram="6GiB"';
      const trace = efi(`${ON} efi=old_map`, 18, ram).run();
      // The final handlers are installed by then.
      expect(trace.outcome).toEqual({
        kind: 'panic',
        where: 'do_invalid_op',
        message: 'invalid opcode: 0000 [#1] SMP; Fatal exception: #UD',
      });
      expect(trace.steps.at(-1)?.label).toBe('efi_enter_virtual_mode');
      expect(efi(ON, 18, ram).run().outcome.kind).toBe('booted');
    },
  );
});

test('add_efi_memmap adds RAM that the firmware’s map has and e820 has not', () => {
  const cut = (words: string): boolean => {
    const { e820 } = upTo('efi_init', efi(`mem=128M ${words}`)).kernel.state;
    return e820.some(({ addr, size, type }) => type === E820.RAM && addr + size > 128n << 20n);
  };
  expect([cut(''), cut('add_efi_memmap')]).toEqual([false, true]);
});

test('the command line of these boots is the test’s options after the default ones', () => {
  expect(printedBy(upTo('setup_arch', efi('noefi')))).toContain(`Command line: ${LINE} noefi`);
});

exhaustiveTest(
  'memmap= with RAM that does not exist hangs the boot: a page there is split forever',
  () => {
    const invented = 'memmap=exactmap memmap=640K@0 memmap=3G@1M';
    expect(withLine(invented, 'epyc-efi').run().outcome).toMatchObject({
      kind: 'hung',
      where: '__change_page_attr',
    });
  },
);
