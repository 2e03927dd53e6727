/** What each kind of event and each of its fields means: the text that an editor shows and docs/trace-format.md prints. */
import { own } from '../base/own.js';
import type { COMMON_FIELDS, KINDS, ORIGIN_FIELDS, TraceKind } from './vocabulary.js';

/** The description of a kind of event and of each of its fields, by the field's name. */
export interface Meaning<Field extends string = string> {
  readonly what: string;
  readonly fields: Readonly<Record<Field, string>>;
}

type FieldOf<K extends TraceKind> = (typeof KINDS)[K]['fields'][number];

const PA_RANGE = 'The physical range that it maps to, with its symbol or region.';

const ENTRY = {
  va: 'The virtual range that the entry maps (in a table of an IOMMU: the range of bus addresses).',
  pa: 'Where the entry points: the page, or the next table.',
  size: 'The page size, 4K, 2M or 1G; `table` where the entry points to another table.',
  flags: 'The flags that are set: RW, US, A, D, G, NX; in an IOMMU entry IR and IW.',
  C: "The C-bit of the entry's address.",
  type: 'The effective memory type under the PAT and MTRRs in force: WB, WT, WP, WC, UC.',
  table: 'The table that holds the entry: its symbol, or `pa:` and its physical address.',
  reserved: 'Reserved bits that are set: a walk over the entry faults.',
} as const;

const REENCRYPTION = {
  pa: 'The physical range that was read under one C-bit and written under the other.',
  bytes: 'Its size in bytes.',
  via: 'The buffer through which it was copied.',
} as const;

/** What each kind of event means. */
export const MEANINGS: { readonly [K in TraceKind]: Meaning<FieldOf<K>> } = {
  enter: {
    what: 'A function was entered, and no later line of the step has it in `in`.',
    fields: {
      fn: 'The function.',
      what: 'For a call of EFI firmware: `firmware`, and the status that it returned.',
    },
  },
  cpuid: {
    what: 'CPUID was executed.',
    fields: {
      leaf: 'EAX before the instruction: the leaf.',
      sub: 'ECX before the instruction, for leaves that have subleaves.',
      eax: 'The result in EAX.',
      ebx: 'The result in EBX; where CPUs differ, the value of each, separated by commas.',
      ecx: 'The result in ECX.',
      edx: 'The result in EDX.',
    },
  },
  rdmsr: {
    what: 'A model-specific register was read (RDMSR).',
    fields: { msr: 'The register by name.', value: 'The 64 bits that were read.' },
  },
  wrmsr: {
    what: 'A model-specific register was written (WRMSR).',
    fields: { msr: 'The register by name.', value: 'The 64 bits that were written.' },
  },
  cr: {
    what: 'A control register was written.',
    fields: {
      reg: 'CR0, CR3 or CR4.',
      value: 'The value; for CR3, the address without the C-bit.',
      table: 'The page table that CR3 points to.',
      C: 'The C-bit in CR3: whether the top-level table is read as encrypted.',
    },
  },
  map: {
    what: 'A page-table entry was made present; its fields, decoded.',
    fields: ENTRY,
  },
  unmap: {
    what: 'A page-table entry was cleared.',
    fields: ENTRY,
  },
  protect: {
    what: 'A present page-table entry was changed; the fields of the new value, decoded.',
    fields: { ...ENTRY, was: 'Flags and C-bit before.' },
  },
  'tlb-flush': {
    what: 'TLB entries were invalidated.',
    fields: {
      how: 'The method: cr3 (a write of CR3) or pge (CR4.PGE cleared and set: global entries too).',
      va: 'The virtual range; absent where all entries were invalidated.',
    },
  },
  'cache-flush': {
    what: 'Cache lines were written back and invalidated.',
    fields: {
      how: 'The instruction: wbinvd (all lines of the CPU) or clflush (those of a range).',
      va: 'The virtual range of a clflush.',
      pa: PA_RANGE,
    },
  },
  copy: {
    what: 'Bytes were copied.',
    fields: {
      from: 'The virtual range that was read, or a description of the source.',
      to: 'The virtual range that was written.',
      fromPa: 'The physical range that was read, with its symbol or region.',
      toPa: 'The physical range that was written, with its symbol or region.',
      fromC: 'The C-bit of the mapping used for the read.',
      toC: 'The C-bit of the mapping used for the write.',
    },
  },
  fill: {
    what: 'A range was filled with one byte value, or written in several stores.',
    fields: {
      at: 'The virtual range.',
      pa: PA_RANGE,
      value: 'The byte value, in decimal; absent for stores of other contents.',
      C: 'The C-bit of the mapping used for the write.',
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
      device: 'The device; `firmware` or `loader` for data stored before the kernel runs.',
      direction: '`to device`: the device read memory; `from device`: it wrote memory.',
      bus: 'The bus address that the driver programmed.',
      pa: 'The physical range that the driver intended.',
      bytes: 'Number of bytes.',
      C: 'The C-bit of the bus address.',
      via: 'The dma_map_ops of the kernel that returned the bus address.',
      what: 'The name of the transfer, or of the data stored.',
      result:
        'How it ended: ok, target-abort, mapping error and others; `sent as` where the device truncated the address.',
    },
  },
  ipi: {
    what: 'An interprocessor interrupt was sent.',
    fields: {
      to: 'The destination: the id of a local APIC.',
      vector: 'Its vector; for STARTUP, the number of the page where the CPU starts.',
      what: 'INIT, INIT deassert or STARTUP.',
      at: 'The address at which the target CPU starts.',
    },
  },
  vmrun: {
    what: 'VMRUN was executed: the guest was entered and left again.',
    fields: {
      vmcb: 'The physical range of the VMCB.',
      C: 'The C-bit in RAX, the address of the VMCB.',
      exit: 'EXITCODE by name.',
      why: 'The consistency check that failed, where the guest was not entered.',
    },
  },
  vmexit: {
    what: 'KVM handled a #VMEXIT of its guest.',
    fields: {
      code: 'EXITCODE of the VMCB by name.',
      info1: 'EXITINFO1; for npf, the error code of the nested page fault.',
      info2: 'EXITINFO2; for npf, the guest physical address.',
    },
  },
  console: {
    what: 'The kernel printed a line.',
    fields: { text: 'The line; bytes that are not text are written as \\xNN.' },
  },
  read: {
    what: 'A consumer read data, or a range of memory was tested.',
    fields: {
      what: 'What was read: a table, a blob or a structure by name.',
      at: 'The virtual range.',
      pa: PA_RANGE,
      C: 'The C-bit of the mapping used for the read.',
      bytes: 'Number of bytes.',
      value: 'The value that was read, where it is a single one.',
      lowmem: 'From the BIOS data area: the end of low memory.',
      ebda: 'From the BIOS data area: the address of the EBDA.',
      result: 'The outcome for the reader: `no archive`, `unflattened`.',
    },
  },
  fault: {
    what: 'The CPU raised an exception.',
    fields: {
      what: 'The exception: its mnemonic, the error code of a #PF, and the address.',
      why: 'The cause that the error code does not give: not-present, reserved and others.',
      handler: 'The handler that is entered; `triple fault` if the CPU shuts down.',
      va: 'The virtual address.',
      level: 'The level of the table entry that stopped the walk: PGD, PUD, PMD or PTE.',
      entry: 'The physical address of that entry, with its table.',
      C: 'The C-bit with which the walker read that entry.',
      value: 'The entry as the walker read it.',
      reserved: 'Reserved bits that are set in the entry.',
    },
  },
  panic: {
    what: 'The kernel called panic().',
    fields: { message: 'Its message.', where: 'The function that called it.' },
  },
  outcome: {
    what: 'The boot ended; the same as the section `outcome`.',
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
  cpu: 'The CPU, where it is not the boot CPU: a number, or several (1..3) with the same events.',
  in: 'The kernel function that caused the event.',
  file: 'The kernel source file of that function.',
  patch: 'The number of the patch whose code caused the event; absent for the base kernel.',
  hunk: 'The hunk of that patch.',
  n: 'The number of events that the line merges, if more than one.',
};

/** The description of a key of an event: the kind itself (its principal value) or another key. */
export function meaningOf(kind: TraceKind, key: string): string {
  const { fields, what } = MEANINGS[kind];
  return own<string>(fields, key) ?? own<string>(SHARED_MEANINGS, key) ?? what;
}
