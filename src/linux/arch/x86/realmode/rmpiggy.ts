/**
 * arch/x86/realmode/rm: the real-mode blob in the kernel image, and its relocations. Symbols, their order and
 * the header are the kernel's; offsets within sections, and the offsets of operands in the code, are our choice.
 */
import { filler } from '../../../../kernel/program.js';
import type { LinkAddresses, Variable } from '../../../../kernel/variables.js';

/** Offsets of symbols in the blob (rm/realmode.lds.S: header, read-only data, text, data, .bss, signature). */
export const RM = {
  real_mode_header: 0,
  tr_idt: 0x40,
  tr_gdt: 0x50,
  text_start: 0x1000,
  trampoline_start: 0x1000,
  startup_32: 0x1200,
  startup_64: 0x1300,
  machine_real_restart_asm: 0x1380,
  ro_end: 0x1400,
  trampoline_pgd: 0x3000,
  trampoline_header: 0x4000,
  trampoline_status: 0x4018,
  rm_heap: 0x4020,
  rm_stack: 0x4820,
  rm_stack_end: 0x5020,
  end_signature: 0x5020,
  real_mode_blob_end: 0x5024,
} as const;
/** The blob in whole pages, in bytes. */
export const RM_PAGES_SIZE = 0x6000;
const RM_BASE = 0;

/** struct real_mode_header (asm/realmode.h) without CONFIG_ACPI_SLEEP: offsets of u32 fields, and their values. */
export const REAL_MODE_HEADER = {
  text_start: { offset: 0, value: RM.text_start },
  ro_end: { offset: 4, value: RM.ro_end },
  trampoline_start: { offset: 8, value: RM.trampoline_start },
  trampoline_status: { offset: 12, value: RM.trampoline_status },
  trampoline_header: { offset: 16, value: RM.trampoline_header },
  trampoline_pgd: { offset: 20, value: RM.trampoline_pgd },
  machine_real_restart_asm: { offset: 24, value: RM.machine_real_restart_asm },
} as const;
const RESTART_SEG_OFFSET = 28;

/** struct trampoline_header (asm/realmode.h): offsets of u64 start, u64 efer, u32 cr4. */
export const TRAMPOLINE_HEADER = { start: 0, efer: 8, cr4: 16 } as const;

/** rm/realmode.h. */
export const REALMODE_END_SIGNATURE = 0x65a2_2c82;
/** Selectors in tr_gdt (asm/segment.h). */
export const __KERNEL32_CS = 0x08;
export const __KERNEL_CS = 0x10;
export const __KERNEL_DS = 0x18;
/** rm/trampoline_64.S: flat 32-bit code, 64-bit code, flat data. */
export const TR_GDT = [0x00cf_9b00_0000_ffffn, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn];
const DESCRIPTOR = 8;

/** How an operand is relocated: to the blob's segment, by its address, or not at all (an offset in the segment). */
type Relocation = 'segment' | 'linear' | 'none';

interface Operand {
  /** Offset in the blob. */
  readonly at: number;
  /** Bytes. */
  readonly size: 2 | 4;
  /** Value before relocation. */
  readonly value: number;
  readonly relocation: Relocation;
}

/** Operands of the trampoline's instructions, each after the first 16 bytes of its part of the code. */
export const OPERANDS = {
  'ljmpw:offset': { at: 0x1014, size: 2, value: 0x1018, relocation: 'none' },
  'ljmpw:real_mode_seg': { at: 0x1016, size: 2, value: 0, relocation: 'segment' },
  trampoline_status: { at: 0x1030, size: 4, value: RM.trampoline_status, relocation: 'none' },
  rm_stack_end: { at: 0x1034, size: 4, value: RM.rm_stack_end, relocation: 'none' },
  tr_idt: { at: 0x1038, size: 4, value: RM.tr_idt, relocation: 'none' },
  tr_gdt: { at: 0x103c, size: 4, value: RM.tr_gdt, relocation: 'none' },
  pa_startup_32: { at: 0x1040, size: 4, value: RM.startup_32, relocation: 'linear' },
  pa_real_mode_base: { at: 0x1214, size: 4, value: RM_BASE, relocation: 'linear' },
  pa_tr_cr4: {
    at: 0x1218,
    size: 4,
    value: RM.trampoline_header + TRAMPOLINE_HEADER.cr4,
    relocation: 'linear',
  },
  pa_trampoline_pgd: { at: 0x121c, size: 4, value: RM.trampoline_pgd, relocation: 'linear' },
  pa_tr_efer: {
    at: 0x1220,
    size: 4,
    value: RM.trampoline_header + TRAMPOLINE_HEADER.efer,
    relocation: 'linear',
  },
  pa_startup_64: { at: 0x1224, size: 4, value: RM.startup_64, relocation: 'linear' },
} as const satisfies Record<string, Operand>;
export type OperandName = keyof typeof OPERANDS;

/** The base in the pseudo-descriptor at the start of tr_gdt: a limit of 16 bits comes first. */
const TR_GDT_BASE = RM.tr_gdt + 2;
/** Parts of the code; the bytes of their instructions are derived from the name. */
const CODE: readonly (readonly [name: string, at: number, end: number])[] = [
  ['trampoline_start', RM.trampoline_start, RM.startup_32],
  ['pa_startup_32', RM.startup_32, RM.startup_64],
  ['pa_startup_64', RM.startup_64, RM.machine_real_restart_asm],
  ['machine_real_restart_asm', RM.machine_real_restart_asm, RM.ro_end],
];

/** The blob before relocation. */
export function realModeBlob(): Uint8Array {
  const bytes = new Uint8Array(RM_PAGES_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [name, at, end] of CODE) bytes.set(filler(name, end - at), at);
  for (const { offset, value } of Object.values(REAL_MODE_HEADER)) {
    view.setUint32(offset, value, true);
  }
  view.setUint32(RESTART_SEG_OFFSET, __KERNEL32_CS, true);
  view.setUint16(RM.tr_gdt, (TR_GDT.length + 1) * DESCRIPTOR - 1, true);
  view.setUint32(TR_GDT_BASE, RM.tr_gdt, true);
  TR_GDT.forEach((descriptor, index) => {
    view.setBigUint64(RM.tr_gdt + (index + 1) * DESCRIPTOR, descriptor, true);
  });
  for (const { at, size, value } of Object.values(OPERANDS)) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  view.setUint32(RM.end_signature, REALMODE_END_SIGNATURE, true);
  return bytes;
}

/** Offsets of the fields and operands with one kind of relocation. */
function sites(relocation: Relocation): number[] {
  const fields = Object.values(REAL_MODE_HEADER).map(({ offset }) => offset);
  const operands = Object.values(OPERANDS)
    .filter((operand) => operand.relocation === relocation)
    .map(({ at }) => at);
  return relocation === 'linear' ? [...fields, TR_GDT_BASE, ...operands] : operands;
}

/** real_mode_relocs: a count and offsets of 16-bit segments, a count and offsets of 32-bit linear addresses. */
export function realModeRelocs(): Uint8Array {
  const segments = sites('segment');
  const linear = sites('linear');
  const words = [segments.length, ...segments, linear.length, ...linear];
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  return bytes;
}

const RMPIGGY = 'arch/x86/realmode/rmpiggy.S';
const INIT_C = 'arch/x86/realmode/init.c';

export const realmodeVariables: readonly Variable[] = [
  {
    name: 'real_mode_blob',
    size: RM_PAGES_SIZE,
    align: 4096,
    section: '.init.data',
    file: RMPIGGY,
    parts: {
      trampoline_start: RM.trampoline_start,
      pa_startup_32: RM.startup_32,
      pa_startup_64: RM.startup_64,
      real_mode_blob_end: RM.real_mode_blob_end,
    },
    init: (_at: LinkAddresses) => realModeBlob(),
  },
  {
    name: 'real_mode_relocs',
    size: realModeRelocs().length,
    align: 4,
    section: '.init.data',
    file: RMPIGGY,
    init: (_at: LinkAddresses) => realModeRelocs(),
  },
  { name: 'real_mode_header', size: 8, align: 8, section: '.bss', file: INIT_C },
];
