/**
 * The AMD IOMMU's registers in memory (AMD I/O Virtualization Technology specification, pub. 48882, "MMIO Registers")
 * and its capability block in PCI configuration space: offsets, bits, and what a write does to each bit.
 */
import { UnmodelledError } from '../unmodelled.js';

/** Bytes of registers without performance counters. */
export const IOMMU_MMIO_SIZE = 0x4000;

const bit = (n: number): bigint => 1n << BigInt(n);
const bits = (high: number, low: number): bigint =>
  ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);

/** System physical addresses in registers, device table entries and page tables: bits 51:12, the C-bit's among them. */
export const ADDRESS_51_12 = bits(51, 12);

/** Device Table Base Address Register. */
export const DEVICE_TABLE = { Size: bits(8, 0), DevTabBase: ADDRESS_51_12 } as const;
/** Command Buffer and Event Log Base Address Registers: the length is 2^n entries, n of 8 to 15. */
export const RING = { Base: ADDRESS_51_12, LenShift: 56n, Len: bits(59, 56) } as const;
/** Head and tail pointers of rings: byte offsets in bits 18:4. */
export const POINTER = bits(18, 4);

/** IOMMU Control Register: bits that have an effect here, and those that only hold their value. */
export const CONTROL = {
  IommuEn: bit(0),
  HtTunEn: bit(1),
  EventLogEn: bit(2),
  EventIntEn: bit(3),
  ComWaitIntEn: bit(4),
  InvTimeOut: bits(7, 5),
  PassPW: bit(8),
  ResPassPW: bit(9),
  Coherent: bit(10),
  Isoc: bit(11),
  CmdBufEn: bit(12),
} as const;

/** IOMMU Status Register. */
export const STATUS = {
  EventOverflow: bit(0),
  EventLogInt: bit(1),
  ComWaitInt: bit(2),
  EventLogRun: bit(3),
  CmdBufRun: bit(4),
} as const;

/** IOMMU Extended Feature Register: the features of this IOMMU. HATS 10b: tables of up to six levels. */
export const FEATURES = { IASup: bit(6), HATS: bits(11, 10), HATS_6_LEVELS: 2n << 10n } as const;

interface RegisterRow {
  readonly offset: number;
  /** Bits that software writes. */
  readonly rw: bigint;
  /** Bits that software clears by writing ones. */
  readonly w1c: bigint;
  readonly reset: bigint;
}

const orAll = (table: Readonly<Record<string, bigint>>): bigint =>
  Object.values(table).reduce((sum, mask) => sum | mask, 0n);
const rw = (offset: number, mask: bigint): RegisterRow => ({
  offset,
  rw: mask,
  w1c: 0n,
  reset: 0n,
});

/** The registers, by their offsets; each has 64 bits. */
export const IOMMU_REGISTERS = {
  DeviceTableBase: rw(0x0, DEVICE_TABLE.Size | DEVICE_TABLE.DevTabBase),
  CommandBufferBase: rw(0x8, RING.Base | RING.Len),
  EventLogBase: rw(0x10, RING.Base | RING.Len),
  Control: rw(0x18, orAll(CONTROL)),
  ExtendedFeature: {
    offset: 0x30,
    rw: 0n,
    w1c: 0n,
    reset: FEATURES.IASup | FEATURES.HATS_6_LEVELS,
  },
  CommandBufferHead: rw(0x2000, POINTER),
  CommandBufferTail: rw(0x2008, POINTER),
  EventLogHead: rw(0x2010, POINTER),
  EventLogTail: rw(0x2018, POINTER),
  Status: {
    offset: 0x2020,
    rw: 0n,
    w1c: STATUS.EventOverflow | STATUS.EventLogInt | STATUS.ComWaitInt,
    reset: 0n,
  },
} as const satisfies Record<string, RegisterRow>;
export type IommuRegister = keyof typeof IOMMU_REGISTERS;

/** Registers that are known and not modelled; a write of anything but 0 is refused. All others are reserved. */
export const IOMMU_UNMODELLED: Readonly<Record<number, string>> = {
  0x20: 'IOMMU exclusion base',
  0x28: 'IOMMU exclusion range limit',
  0x38: 'IOMMU PPR log base',
};

/** The capability block (48882, "Capability Block Registers"), by offset from its start. */
export const CAPABILITY = {
  Header: 0x0,
  BaseLow: 0x4,
  BaseHigh: 0x8,
  Range: 0xc,
  Misc: 0x10,
} as const;
/** The header: identifier 0Fh, type 011b (IOMMU), revision 1, and EFRSup: there is an Extended Feature Register. */
export const CAPABILITY_HEADER = {
  CapId: 0x0f,
  CapType: 3 << 16,
  CapRev: 1 << 19,
  EFRSup: 1 << 27,
} as const;

const NAMES = Object.keys(IOMMU_REGISTERS) as IommuRegister[];
const BY_OFFSET: ReadonlyMap<number, IommuRegister> = new Map(
  NAMES.map((name) => [IOMMU_REGISTERS[name].offset, name]),
);

/** The registers' values. */
export class IommuRegisters {
  private readonly values = new Map<IommuRegister, bigint>(
    NAMES.map((name) => [name, IOMMU_REGISTERS[name].reset]),
  );

  get(name: IommuRegister): bigint {
    return this.values.get(name) ?? 0n;
  }

  /** Sets a register as the hardware itself does. */
  set(name: IommuRegister, value: bigint): void {
    this.values.set(name, value);
  }

  has(name: IommuRegister, mask: bigint): boolean {
    return (this.get(name) & mask) !== 0n;
  }

  /** Software's read of the register at offset `start`; reserved ones are 0. */
  read(start: number): bigint {
    const name = BY_OFFSET.get(start);
    return name === undefined ? 0n : this.get(name);
  }

  /**
   * Software's write of some bytes of the register at offset `start`; `mask` has the bits of those bytes.
   * @returns the register, or undefined if the offset is reserved.
   */
  write(start: number, value: bigint, mask: bigint): IommuRegister | undefined {
    const name = BY_OFFSET.get(start);
    if (name === undefined) {
      const known = IOMMU_UNMODELLED[start];
      if (known !== undefined && value !== 0n) throw new UnmodelledError(known);
      return undefined;
    }
    const row: RegisterRow = IOMMU_REGISTERS[name];
    const written = row.rw & mask;
    const before = this.get(name);
    this.set(name, ((before & ~written) | (value & written)) & ~(value & row.w1c & mask));
    return name;
  }

  snapshot(): (readonly [string, bigint])[] {
    return [...this.values];
  }

  restore(state: readonly (readonly [string, bigint])[]): void {
    const known = new Map(state);
    for (const name of NAMES) this.values.set(name, known.get(name) ?? 0n);
  }
}
