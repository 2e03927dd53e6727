/** Registers and their bits, in the manual's order and under its names. */

/** The 16 general registers by number (APM vol. 3, 1.2.7). */
export const GENERAL_REGISTERS = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
export type GeneralRegister = (typeof GENERAL_REGISTERS)[number];

/** The number of RSP among the general registers. */
export const RSP = 4;

/** CR0 (APM 3.1.1). */
export const CR0 = {
  PE: 2 ** 0,
  MP: 2 ** 1,
  EM: 2 ** 2,
  TS: 2 ** 3,
  ET: 2 ** 4,
  NE: 2 ** 5,
  WP: 2 ** 16,
  AM: 2 ** 18,
  NW: 2 ** 29,
  CD: 2 ** 30,
  PG: 2 ** 31,
} as const;

/** The bits of CR4 that the machine has (APM 3.1.3). */
export const CR4 = {
  VME: 2 ** 0,
  PVI: 2 ** 1,
  TSD: 2 ** 2,
  DE: 2 ** 3,
  PSE: 2 ** 4,
  PAE: 2 ** 5,
  MCE: 2 ** 6,
  PGE: 2 ** 7,
  PCE: 2 ** 8,
  OSFXSR: 2 ** 9,
  OSXMMEXCPT: 2 ** 10,
} as const;

/** Bits of CR4 that are known and not modelled; CPUID does not report them. */
export const CR4_UNMODELLED = {
  UMIP: 2 ** 11,
  LA57: 2 ** 12,
  FSGSBASE: 2 ** 16,
  PCIDE: 2 ** 17,
  OSXSAVE: 2 ** 18,
  SMEP: 2 ** 20,
  SMAP: 2 ** 21,
  PKE: 2 ** 22,
  CET: 2 ** 23,
} as const;

/** EFER (APM 3.1.7). */
export const EFER = {
  SCE: 2 ** 0,
  LME: 2 ** 8,
  LMA: 2 ** 10,
  NXE: 2 ** 11,
  SVME: 2 ** 12,
  LMSLE: 2 ** 13,
  FFXSR: 2 ** 14,
  TCE: 2 ** 15,
} as const;

/** RFLAGS (APM 3.1.6); bit 1 reads as one. */
export const RFLAGS = {
  CF: 2 ** 0,
  ONE: 2 ** 1,
  TF: 2 ** 8,
  IF: 2 ** 9,
  DF: 2 ** 10,
  NT: 2 ** 14,
  RF: 2 ** 16,
  VM: 2 ** 17,
} as const;

/** The highest value of a register of 32 bits. */
export const U32_MAX = 2 ** 32 - 1;

/** All bits of a table, for example CR0 or CR4, as one mask. */
export function allBits(table: Readonly<Record<string, number>>): number {
  return Object.values(table).reduce((sum, bit) => sum + bit, 0);
}

/** Whether a bit of a table is set in a register of 32 bits. */
export function has(value: number, bit: number): boolean {
  return (value & bit) !== 0;
}

/** The names of the bits of a table that are set in a value, in the table's order. */
export function bitNames(table: Readonly<Record<string, number>>, value: number): string[] {
  return Object.entries(table)
    .filter(([, bit]) => has(value, bit))
    .map(([name]) => name);
}
