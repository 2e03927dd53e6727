/** Registers of a local APIC and the fields of its messages (APM chapter 16). */

/** Physical address of the registers after a reset (APM 16.3.1). */
export const LOCAL_APIC_BASE = 0xfee0_0000;
export const LOCAL_APIC_SIZE = 0x1000;

/** Modelled registers by offset (APM table 16-2). ISR, TMR and IRR have eight each, 16 bytes apart. */
export const APIC_REGISTER = {
  ID: 0x20,
  VERSION: 0x30,
  TPR: 0x80,
  PPR: 0xa0,
  EOI: 0xb0,
  LDR: 0xd0,
  DFR: 0xe0,
  SPURIOUS: 0xf0,
  ISR: 0x100,
  TMR: 0x180,
  IRR: 0x200,
  ESR: 0x280,
  ICR_LOW: 0x300,
  ICR_HIGH: 0x310,
  LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330,
  LVT_PERFORMANCE: 0x340,
  LVT_LINT0: 0x350,
  LVT_LINT1: 0x360,
  LVT_ERROR: 0x370,
  TIMER_INITIAL_COUNT: 0x380,
  TIMER_CURRENT_COUNT: 0x390,
  TIMER_DIVIDE: 0x3e0,
} as const;

/** Registers that a real part has and the machine does not: an access to one throws E_UNMODELLED. */
export const UNMODELLED_APIC_REGISTERS = {
  ARBITRATION_PRIORITY: 0x90,
  REMOTE_READ: 0xc0,
  EXTENDED_FEATURE: 0x400,
  EXTENDED_CONTROL: 0x410,
} as const;

/** Fields of ICR_LOW (APM 16.5). */
export const ICR = {
  VECTOR: { shift: 0, mask: 0xff },
  MESSAGE_TYPE: { shift: 8, mask: 7 },
  LOGICAL: { shift: 11, mask: 1 },
  ASSERT: { shift: 14, mask: 1 },
  LEVEL_TRIGGERED: { shift: 15, mask: 1 },
  SHORTHAND: { shift: 18, mask: 3 },
} as const;

/** A field of an ICR value. */
export function icrField(value: number, name: keyof typeof ICR): number {
  return (value >>> ICR[name].shift) & ICR[name].mask;
}

/** Bits of ICR_LOW that software writes; bit 12, delivery status, is always 0: messages arrive at once (our choice). */
export const ICR_WRITABLE = 0x000c_cfff;

/** Message types (APM 16.5, table 16-4; of LVT entries and the I/O APIC also EXTINT). */
export const MESSAGE_TYPE = {
  FIXED: 0,
  LOWEST: 1,
  SMI: 2,
  REMOTE_READ: 3,
  NMI: 4,
  INIT: 5,
  STARTUP: 6,
  EXTINT: 7,
} as const;
/** Destination shorthands (APM 16.5). */
export const SHORTHAND = { DESTINATION: 0, SELF: 1, ALL: 2, ALL_BUT_SELF: 3 } as const;
export const ID_SHIFT = 24;
export const BROADCAST = 0xff;

/** Version 10h with LVT entries 0–5 and the extended space (PPR Zen 1, APIC30). */
export const APIC_VERSION = 0x8005_0010;
export const SPURIOUS_RESET = 0xff;
/** Bits of the spurious-interrupt vector register (APM 16.4.7): vector, ASE, FCC. */
export const SPURIOUS = { VECTOR: 0xff, ENABLE: 0x100, WRITABLE: 0x3ff } as const;
/** Bits of the error status register (APM 16.4.6). */
export const APIC_ERROR = {
  SENT_ACCEPT: 0x04,
  RECEIVED_ACCEPT: 0x08,
  SENT_VECTOR: 0x20,
  RECEIVED_VECTOR: 0x40,
  REGISTER: 0x80,
} as const;
/** The lowest vector that is no illegal one (APM 16.6.1). */
export const FIRST_VECTOR = 16;

/** Bits of LVT entries (APM 16.4, figure 16-7). */
export const LVT = {
  VECTOR: 0xff,
  MESSAGE_SHIFT: 8,
  MESSAGE_MASK: 7,
  MASK: 0x1_0000,
  PERIODIC: 0x2_0000,
} as const;
/** The bits that each LVT entry has. */
export const LVT_WRITABLE = {
  LVT_TIMER: 0x3_00ff,
  LVT_THERMAL: 0x1_07ff,
  LVT_PERFORMANCE: 0x1_07ff,
  LVT_LINT0: 0x1_87ff,
  LVT_LINT1: 0x1_87ff,
  LVT_ERROR: 0x1_07ff,
} as const;
export type LvtName = keyof typeof LVT_WRITABLE;

/** A message on the interrupt bus: of an IPI or of an I/O APIC. */
export interface ApicMessage {
  readonly type: number;
  readonly vector: number;
  readonly level: boolean;
}
