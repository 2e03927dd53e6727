/** FADT, FACS and DSDT: a PC with ACPI's fixed registers in I/O space (our choice of ports, as on AMD boards). */
import { Struct } from '../struct.js';
import { FACS, FADT, GAS, SDT } from './layout.js';
import { sdt, summed } from './sdt.js';

const FADT_REVISION = 5;
const DSDT_REVISION = 2;
const FACS_VERSION = 2;
const ENTERPRISE_SERVER = 4;
/** SCI on IRQ 9. */
export const SCI_INT = 9;
const SMI_CMD = 0xb2;
const ACPI_ENABLE = 0xa0;
const ACPI_DISABLE = 0xa1;
const CMOS_CENTURY = 0x32;
/** Latencies that mean no C2 and no C3 (ACPI table 5-34). */
const NO_C2 = 0x65;
const NO_C3 = 0x3e9;
/** IAPC_BOOT_ARCH: legacy devices, 8042 (ACPI table 5-36). */
const BOOT_ARCH = 0x3;
/** WBINVD works, SLP_BUTTON is a control method device, RTC can wake from S4 (ACPI table 5-35). */
const FLAGS = 0x1 | 0x20 | 0x80;
const SYSTEM_IO = 1;
/** AccessSize (ACPI table 5-25). */
const ACCESS = { byte: 1, word: 2, dword: 3 } as const;

interface Block {
  readonly port: number;
  readonly bytes: number;
  readonly at: number;
  readonly length: number;
  readonly extended: number;
  readonly access: number;
}
const BLOCKS: readonly Block[] = [
  {
    port: 0x800,
    bytes: 4,
    at: FADT.PM1a_EVT_BLK,
    length: FADT.PM1_EVT_LEN,
    extended: FADT.X_PM1a_EVT_BLK,
    access: ACCESS.word,
  },
  {
    port: 0x804,
    bytes: 2,
    at: FADT.PM1a_CNT_BLK,
    length: FADT.PM1_CNT_LEN,
    extended: FADT.X_PM1a_CNT_BLK,
    access: ACCESS.word,
  },
  {
    port: 0x808,
    bytes: 4,
    at: FADT.PM_TMR_BLK,
    length: FADT.PM_TMR_LEN,
    extended: FADT.X_PM_TMR_BLK,
    access: ACCESS.dword,
  },
  {
    port: 0x820,
    bytes: 8,
    at: FADT.GPE0_BLK,
    length: FADT.GPE0_BLK_LEN,
    extended: FADT.X_GPE0_BLK,
    access: ACCESS.byte,
  },
];

/** @param facsAt address of the FACS below 4 GiB: for FIRMWARE_CTRL; X_FIRMWARE_CTRL is 0 (ACPI table 5-34). */
export function fadt(facsAt: number, dsdtAt: number): Uint8Array {
  const table = sdt('FACP', FADT_REVISION, FADT.size)
    .u32(FADT.FIRMWARE_CTRL, facsAt)
    .u32(FADT.DSDT, dsdtAt)
    .u64(FADT.X_DSDT, dsdtAt)
    .u8(FADT.Preferred_PM_Profile, ENTERPRISE_SERVER)
    .u16(FADT.SCI_INT, SCI_INT)
    .u32(FADT.SMI_CMD, SMI_CMD)
    .u8(FADT.ACPI_ENABLE, ACPI_ENABLE)
    .u8(FADT.ACPI_DISABLE, ACPI_DISABLE)
    .u16(FADT.P_LVL2_LAT, NO_C2)
    .u16(FADT.P_LVL3_LAT, NO_C3)
    .u8(FADT.CENTURY, CMOS_CENTURY)
    .u16(FADT.IAPC_BOOT_ARCH, BOOT_ARCH)
    .u32(FADT.Flags, FLAGS);
  for (const { port, bytes, at, length, extended, access } of BLOCKS) {
    table
      .u32(at, port)
      .u8(length, bytes)
      .u8(extended + GAS.AddressSpaceID, SYSTEM_IO)
      .u8(extended + GAS.RegisterBitWidth, bytes * 8)
      .u8(extended + GAS.AccessSize, access)
      .u64(extended + GAS.Address, port);
  }
  return summed(table);
}

/** The control structure, which has no checksum; its address is a multiple of 64. */
export function facs(): Uint8Array {
  return new Struct(FACS.size)
    .ascii(FACS.Signature, 'FACS')
    .u32(FACS.Length, FACS.size)
    .u8(FACS.Version, FACS_VERSION).bytes;
}

/** A DSDT without definitions. */
export function dsdt(): Uint8Array {
  return summed(sdt('DSDT', DSDT_REVISION, SDT.size));
}
