/** Names of the data that a boot can read: those under `consumed` in a trace. */
import type { Scenario } from '../scenario/scenario.js';

/** Data of every machine, and of firmware and loader (the names in src/linux/, src/firmware/ and src/sequencer/). */
const FIXED: readonly string[] = [
  'boot params',
  'command line',
  'initrd',
  'BIOS data area',
  'device tree',
  'e820 extension',
  'option ROM',
  'MP floating pointer',
  'MP configuration table',
  'RSDP',
  'RSDT',
  'XSDT',
  'FADT',
  'MADT',
  'IVRS',
  'BGRT',
  'BGRT image',
  'ESRT',
  'SMBIOS',
  'SMBIOS 3',
  'SMBIOS structures',
  'EFI system table',
  'EFI vendor',
  'EFI configuration tables',
  'EFI memory map',
  'EFI runtime services',
  'EFI setup data',
  'properties table',
  'virtual address map',
  'trampoline',
  'espfix frame',
  'early console',
  'console',
  'user file page',
  'user private page',
  'user shared page',
  'guest code',
  'guest memory',
  'guest answer',
];

/** Entries of the setup_data chain that are named (our choice: more than a scenario can have). */
const SETUP_DATA_ENTRIES = 8;

/** The names of the data that a boot of a scenario can read, whether or not this kernel does. */
export function dataNames({ machine }: Scenario): string[] {
  const transfers = ['', ' sg', ' coherent'].flatMap((kind) =>
    ['to', 'from'].map((direction) => `${kind} ${direction} device`),
  );
  return [
    ...FIXED,
    ...Array.from({ length: SETUP_DATA_ENTRIES }, (_, index) => `setup_data[${index}]`),
    ...Array.from({ length: machine.cpus - 1 }, (_, index) => `AP ${index + 1}`),
    ...machine.devices.flatMap(({ name }) => transfers.map((transfer) => `${name}${transfer}`)),
  ];
}
