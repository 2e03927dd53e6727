/** What each kind of event and each of its fields means: the text that an editor shows and docs/trace-format.md prints. */
import type { COMMON_FIELDS, KINDS, ORIGIN_FIELDS, TraceKind } from './vocabulary.js';

/** The description of a kind of event and of each of its fields, by the field's name. */
export interface Meaning<Field extends string = string> {
  readonly what: string;
  readonly fields: Readonly<Record<Field, string>>;
}

type FieldOf<K extends TraceKind> = (typeof KINDS)[K]['fields'][number];

const PA_RANGE = 'The physical range that it maps to, with its symbol or region.';

const ENTRY = {
  va: 'The virtual range that the entry governs (of an IOMMU: the range of bus addresses).',
  pa: 'Where the entry points: the page, or the next table.',
  size: 'The page size, 4K, 2M or 1G; `table` where the entry points to another table.',
  flags: 'The flags that are set: RW, US, A, D, G, NX; of an IOMMU entry IR and IW.',
  C: "The C-bit of the entry's address.",
  type: 'The effective memory type under the PAT and MTRRs in force: WB, WT, WP, WC, UC.',
  table: 'The table that holds the entry: its symbol, or pa: and its address.',
  reserved: 'Reserved bits that are set: a walk over the entry faults.',
} as const;

const REENCRYPTION = {
  pa: 'The physical range that was read under one C-bit and written under the other.',
  bytes: 'Its bytes.',
  via: 'The buffer that the bytes went through.',
} as const;

/** What each kind of event means. */
export const MEANINGS: { readonly [K in TraceKind]: Meaning<FieldOf<K>> } = {
  enter: {
    what: 'A function was entered that no later line of the step names.',
    fields: {
      fn: 'The function.',
      what: 'Owner and status of a function outside the kernel: a call of EFI firmware.',
    },
  },
  cpuid: {
    what: 'CPUID was executed.',
    fields: {
      leaf: 'EAX before it.',
      sub: 'ECX before it, for leaves that have subleaves.',
      eax: 'EAX after it.',
      ebx: 'EBX after it; several values, with commas, where several CPUs differ.',
      ecx: 'ECX after it.',
      edx: 'EDX after it.',
    },
  },
  rdmsr: {
    what: 'A model-specific register was read.',
    fields: { msr: 'The register by name.', value: 'The 64 bits that were read.' },
  },
  wrmsr: {
    what: 'A model-specific register was written.',
    fields: { msr: 'The register by name.', value: 'The 64 bits that were written.' },
  },
  cr: {
    what: 'A control register was written.',
    fields: {
      reg: 'CR0, CR3 or CR4.',
      value: 'The value; of CR3, the address without the C-bit.',
      table: 'The page table that CR3 points to.',
      C: 'The C-bit of CR3: whether the top-level table is read as encrypted.',
    },
  },
  map: {
    what: 'A page-table entry was made present, decoded.',
    fields: ENTRY,
  },
  unmap: {
    what: 'A page-table entry was cleared.',
    fields: ENTRY,
  },
  protect: {
    what: 'A page-table entry in use got another value: the new one, decoded.',
    fields: { ...ENTRY, was: 'Flags and C-bit before.' },
  },
  'tlb-flush': {
    what: 'TLB entries were invalidated.',
    fields: {
      how: 'By what: cr3 (a write of CR3) or pge (CR4.PGE off and on: global entries too).',
      va: 'The range, where not all entries were.',
    },
  },
  'cache-flush': {
    what: 'Cache lines were written back and invalidated.',
    fields: {
      how: 'By what: wbinvd (all lines of the CPU) or clflush (those of a range).',
      va: 'The virtual range of a clflush.',
      pa: PA_RANGE,
    },
  },
  copy: {
    what: 'Bytes were copied.',
    fields: {
      from: 'The virtual range that was read, or in words where from.',
      to: 'The virtual range that was written.',
      fromPa: 'The physical range that was read, with its symbol or region.',
      toPa: 'The physical range that was written, with its symbol or region.',
      fromC: 'The C-bit of the mapping that was read through.',
      toC: 'The C-bit of the mapping that was written through.',
    },
  },
  fill: {
    what: 'A range was filled with one byte, or written in parts.',
    fields: {
      at: 'The virtual range.',
      pa: PA_RANGE,
      value: 'The byte, in decimal; absent where it was not one.',
      C: 'The C-bit of the mapping that was written through.',
      type: 'The effective memory type of that mapping, where it matters.',
    },
  },
  encrypt: {
    what: 'A range was encrypted in place: read with C=0 and written back with C=1, chunk by chunk.',
    fields: REENCRYPTION,
  },
  decrypt: {
    what: 'A range was decrypted in place: read with C=1 and written back with C=0, chunk by chunk.',
    fields: REENCRYPTION,
  },
  dma: {
    what: 'A device, firmware or the loader accessed memory without the CPU.',
    fields: {
      device: 'The device; firmware and loader for what is in memory before the kernel.',
      direction: 'to device: it read memory; from device: it wrote memory.',
      bus: 'The bus address that the driver programmed.',
      pa: 'The physical range that the driver intended.',
      bytes: 'How many bytes.',
      C: 'The C-bit of the bus address.',
      via: 'The DMA operations of the kernel that made the bus address.',
      what: 'The transfer, or what was put there.',
      result:
        'How it ended: ok, target-abort, mapping error and others; `sent as` where the device cut the address.',
    },
  },
  ipi: {
    what: 'An interprocessor interrupt was sent.',
    fields: {
      to: 'The local APIC that it went to.',
      vector: 'Its vector; of STARTUP, the page where the CPU starts.',
      what: 'INIT, INIT deassert or STARTUP.',
      at: 'Where the CPU that got it starts.',
    },
  },
  vmrun: {
    what: 'A guest was entered with VMRUN and left again.',
    fields: {
      vmcb: 'The physical range of the VMCB.',
      C: 'The C-bit of its address in RAX.',
      exit: 'Why the guest was left: the exit code by name.',
      why: 'The consistency check that failed, where it was not entered.',
    },
  },
  vmexit: {
    what: 'KVM handled an exit of its guest.',
    fields: {
      code: 'EXITCODE of the VMCB by name.',
      info1: 'EXITINFO1; of npf, the error code of the nested page fault.',
      info2: 'EXITINFO2; of npf, the guest physical address.',
    },
  },
  console: {
    what: 'The kernel printed a line.',
    fields: { text: 'The line; bytes that are no text as \\xNN.' },
  },
  read: {
    what: 'A consumer read something, or memory was tried.',
    fields: {
      what: 'What was read: a table, a blob or a structure by name.',
      at: 'The virtual range.',
      pa: PA_RANGE,
      C: 'The C-bit of the mapping that was read through.',
      bytes: 'How many bytes.',
      value: 'What was read, where it is one value.',
      lowmem: 'Of the BIOS data area: the end of low memory as it says.',
      ebda: 'Of the BIOS data area: the address of the EBDA as it says.',
      result: 'How the reader took it.',
    },
  },
  fault: {
    what: 'The CPU raised an exception.',
    fields: {
      what: 'The exception with its error code, and the address of a page fault.',
      why: 'The cause that the error code does not give: not-present, reserved and others.',
      handler: 'The handler that is entered; triple fault if there is none.',
      va: 'The virtual address.',
      level: 'The level of the table entry that stopped the walk: PGD, PUD, PMD or PTE.',
      entry: 'The physical address of that entry, with its table.',
      C: 'The C-bit with which the walker read that entry.',
      value: 'The entry as the walker read it.',
      reserved: 'Reserved bits that it has set.',
    },
  },
  panic: {
    what: 'The kernel called panic().',
    fields: { message: 'What it printed.', where: 'The function.' },
  },
  outcome: {
    what: 'The boot is over; the same as the section `outcome`.',
    fields: {
      kind: 'booted, panic, triple-fault or hung.',
      where: 'The function in which it ended.',
      message: 'The message, such as that of a panic.',
    },
  },
};

/** The descriptions of the fields that an event of any kind may have. */
export const SHARED_MEANINGS: Readonly<
  Record<(typeof COMMON_FIELDS)[number] | (typeof ORIGIN_FIELDS)[number], string>
> = {
  cpu: 'The CPU, where it is not the boot CPU: a number, or several (1..3) that did the same.',
  in: 'The function that did it.',
  file: 'The kernel source file that the function is in.',
  patch: 'The number of the patch whose code did it; absent for the base kernel.',
  hunk: 'The hunk of that patch.',
  n: 'The number of events that the line merges, if more than one.',
};

/** The description of a key of an event: the kind itself (its principal value) or another key. */
export function meaningOf(kind: TraceKind, key: string): string {
  const { fields, what } = MEANINGS[kind];
  const own: Readonly<Record<string, string>> = fields;
  const shared: Readonly<Record<string, string>> = SHARED_MEANINGS;
  return own[key] ?? shared[key] ?? what;
}
