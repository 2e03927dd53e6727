/** What a kernel log tells of a machine: memory maps, command line, RAM disk, CPUs, DMI. */
import { EFI_MEMORY_TYPE } from '../firmware/efi/layout.js';
import type { E820_TYPE_NAMES } from './scenario.js';

/** A range of physical memory, first and last byte. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface DmesgFacts {
  readonly commandLine?: string;
  readonly e820: readonly (Extent & { readonly type: keyof typeof E820_TYPE_NAMES })[];
  /** Whether the kernel was booted by EFI firmware. */
  readonly efi: boolean;
  readonly efiMemoryMap: readonly (Extent & { readonly type: number; readonly runtime: boolean })[];
  readonly ramdisk?: Extent;
  readonly cpus?: number;
  readonly cpu?: { readonly name: string; readonly family: number; readonly model: number };
  readonly dmi?: string;
}

type E820Name = keyof typeof E820_TYPE_NAMES;

/** How kernels wrote the types of the BIOS map, from the oldest to the newest. */
const E820_WORDS: Readonly<Record<string, E820Name>> = {
  usable: 'usable',
  'System RAM': 'usable',
  reserved: 'reserved',
  'device reserved': 'reserved',
  'ACPI data': 'ACPI data',
  'ACPI NVS': 'ACPI NVS',
  unusable: 'unusable',
};

/** Memory types as the kernel prints them (drivers/firmware/efi/efi.c, memory_type_name), blanks cut. */
const EFI_WORDS: Readonly<Record<string, number>> = {
  Reserved: EFI_MEMORY_TYPE.RESERVED_TYPE,
  'Loader Code': EFI_MEMORY_TYPE.LOADER_CODE,
  'Loader Data': EFI_MEMORY_TYPE.LOADER_DATA,
  'Boot Code': EFI_MEMORY_TYPE.BOOT_SERVICES_CODE,
  'Boot Data': EFI_MEMORY_TYPE.BOOT_SERVICES_DATA,
  'Runtime Code': EFI_MEMORY_TYPE.RUNTIME_SERVICES_CODE,
  'Runtime Data': EFI_MEMORY_TYPE.RUNTIME_SERVICES_DATA,
  'Conventional Memory': EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY,
  Conventional: EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY,
  'Unusable Memory': EFI_MEMORY_TYPE.UNUSABLE_MEMORY,
  'ACPI Reclaim Memory': EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY,
  'ACPI Reclaim': EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY,
  'ACPI Memory NVS': EFI_MEMORY_TYPE.ACPI_MEMORY_NVS,
  'ACPI Mem NVS': EFI_MEMORY_TYPE.ACPI_MEMORY_NVS,
  'Memory Mapped I/O': EFI_MEMORY_TYPE.MEMORY_MAPPED_IO,
  MMIO: EFI_MEMORY_TYPE.MEMORY_MAPPED_IO,
  'MMIO Port Space': EFI_MEMORY_TYPE.MEMORY_MAPPED_IO_PORT_SPACE,
  'PAL Code': EFI_MEMORY_TYPE.PAL_CODE,
};

const number = (text: string | undefined): number => Number(`0x${text ?? '0'}`);

/** The patterns of the lines that count; each is looked for anywhere in a line, behind stamps and quoting marks. */
const LINES: readonly {
  readonly pattern: RegExp;
  readonly take: (match: RegExpExecArray, facts: Mutable) => void;
}[] = [
  {
    pattern: /BIOS-e820: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]\s+(\S.*?)\s*$/i,
    take: ([, start, end, type], facts) => {
      const name = E820_WORDS[type ?? ''];
      // A type that no standard names is reserved for the kernel too (e820_type_to_string, "type %u").
      facts.e820.push({ start: number(start), end: number(end), type: name ?? 'reserved' });
    },
  },
  {
    // Before Linux 3.5: the end was exclusive.
    pattern: /BIOS-e820: ([0-9a-f]{16}) - ([0-9a-f]{16}) \((\w[\w ]*)\)/i,
    take: ([, start, end, type], facts) => {
      const name = E820_WORDS[type ?? ''];
      facts.e820.push({ start: number(start), end: number(end) - 1, type: name ?? 'reserved' });
    },
  },
  {
    pattern:
      /efi: mem\d+: \[([^|\]]+?)\s*\|(RUN|\s*)\|[^\]]*\] range=\[0x([0-9a-f]+)-0x([0-9a-f]+)([\])])/i,
    take: ([, type, run, start, end, bracket], facts) => {
      facts.efi = true;
      facts.efiMemoryMap.push({
        start: number(start),
        end: number(end) - (bracket === ')' ? 1 : 0),
        type: EFI_WORDS[type ?? ''] ?? EFI_MEMORY_TYPE.RESERVED_TYPE,
        runtime: run === 'RUN',
      });
    },
  },
  {
    pattern: /\befi: EFI v\d/,
    take: (_, facts) => {
      facts.efi = true;
    },
  },
  {
    pattern: /(?:^|[\]\s])Command line: (.*?)\s*$/,
    take: ([, line], facts) => {
      facts.commandLine ??= line;
    },
  },
  {
    pattern: /RAMDISK: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/i,
    take: ([, start, end], facts) => {
      facts.ramdisk ??= { start: number(start), end: number(end) };
    },
  },
  {
    pattern: /Allowing (\d+) (?:present )?CPUs/,
    take: ([, count], facts) => {
      facts.cpus ??= Number(count);
    },
  },
  {
    pattern: /Brought up \d+ nodes?, (\d+) CPUs?/,
    take: ([, count], facts) => {
      facts.cpus ??= Number(count);
    },
  },
  {
    pattern:
      /smpboot: CPU0: (.+?) \((?:family|fam): (?:0x)?([0-9a-f]+), model: (?:0x)?([0-9a-f]+)/i,
    take: ([, name, family, model], facts) => {
      facts.cpu ??= { name: (name ?? '').trim(), family: number(family), model: number(model) };
    },
  },
  {
    pattern: /(?:^|[\]\s])DMI: (\S.*?)\s*$/,
    take: ([, dmi], facts) => {
      facts.dmi ??= dmi;
    },
  },
];

interface Mutable {
  commandLine?: string | undefined;
  e820: (Extent & { type: E820Name })[];
  efi: boolean;
  efiMemoryMap: (Extent & { type: number; runtime: boolean })[];
  ramdisk?: Extent | undefined;
  cpus?: number;
  cpu?: { name: string; family: number; model: number };
  dmi?: string | undefined;
}

/** Reads what a log says; lines that say nothing of the machine are passed over. */
export function parseDmesg(text: string): DmesgFacts {
  const facts: Mutable = { e820: [], efi: false, efiMemoryMap: [] };
  for (const line of text.split(/\r?\n/)) {
    for (const { pattern, take } of LINES) {
      const match = pattern.exec(line);
      if (match !== null) take(match, facts);
    }
  }
  return facts as DmesgFacts;
}
