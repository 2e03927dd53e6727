/** Model-specific registers, by table. */
import { vaOfU64 } from '../address.js';
import { followsAmd, INTEL_VENDOR, type CpuModel } from './cpuid.js';
import { PAT_RESET, patTypes } from './memory-types.js';
import { MTRR_CAP_ZEN, mtrrDefTypeValid } from './mtrr.js';
import { EFER } from './registers.js';
import { UnmodelledError } from '../unmodelled.js';

/** MSR numbers under the manual's names (APM appendix A, PPR 2.1.12). */
export const MSR = {
  APIC_BASE: 0x0000_001b,
  PATCH_LEVEL: 0x0000_008b,
  MTRRcap: 0x0000_00fe,
  SYSENTER_CS: 0x0000_0174,
  SYSENTER_ESP: 0x0000_0175,
  SYSENTER_EIP: 0x0000_0176,
  MCG_CAP: 0x0000_0179,
  MCG_STAT: 0x0000_017a,
  MISC_ENABLE: 0x0000_01a0,
  MTRRphysBase0: 0x0000_0200,
  MTRRphysMask0: 0x0000_0201,
  MTRRphysBase1: 0x0000_0202,
  MTRRphysMask1: 0x0000_0203,
  MTRRphysBase2: 0x0000_0204,
  MTRRphysMask2: 0x0000_0205,
  MTRRphysBase3: 0x0000_0206,
  MTRRphysMask3: 0x0000_0207,
  MTRRphysBase4: 0x0000_0208,
  MTRRphysMask4: 0x0000_0209,
  MTRRphysBase5: 0x0000_020a,
  MTRRphysMask5: 0x0000_020b,
  MTRRphysBase6: 0x0000_020c,
  MTRRphysMask6: 0x0000_020d,
  MTRRphysBase7: 0x0000_020e,
  MTRRphysMask7: 0x0000_020f,
  MTRRfix64K_00000: 0x0000_0250,
  MTRRfix16K_80000: 0x0000_0258,
  MTRRfix16K_A0000: 0x0000_0259,
  MTRRfix4K_C0000: 0x0000_0268,
  MTRRfix4K_C8000: 0x0000_0269,
  MTRRfix4K_D0000: 0x0000_026a,
  MTRRfix4K_D8000: 0x0000_026b,
  MTRRfix4K_E0000: 0x0000_026c,
  MTRRfix4K_E8000: 0x0000_026d,
  MTRRfix4K_F0000: 0x0000_026e,
  MTRRfix4K_F8000: 0x0000_026f,
  PAT: 0x0000_0277,
  MTRRdefType: 0x0000_02ff,
  EFER: 0xc000_0080,
  STAR: 0xc000_0081,
  LSTAR: 0xc000_0082,
  CSTAR: 0xc000_0083,
  SF_MASK: 0xc000_0084,
  FS_BASE: 0xc000_0100,
  GS_BASE: 0xc000_0101,
  KERNEL_GS_BASE: 0xc000_0102,
  TSC_AUX: 0xc000_0103,
  SYSCFG: 0xc001_0010,
  HWCR: 0xc001_0015,
  NB_CFG: 0xc001_001f,
  VM_CR: 0xc001_0114,
  VM_HSAVE_PA: 0xc001_0117,
  SEV_STATUS: 0xc001_0131,
} as const;
export type MsrName = keyof typeof MSR;

/** MSRs that a real part has and the machine does not: reading or writing one stops the simulator. */
export const UNMODELLED_MSRS = {
  TSC: 0x0000_0010,
  TOP_MEM: 0xc001_001a,
  TOM2: 0xc001_001d,
  VM_PAGE_FLUSH: 0xc001_011e,
} as const;

/** SYSCFG (APM 3.2.1). */
export const SYSCFG = {
  MtrrFixDramEn: 1n << 18n,
  MtrrFixDramModEn: 1n << 19n,
  MtrrVarDramEn: 1n << 20n,
  MtrrTom2En: 1n << 21n,
  Tom2ForceMemTypeWB: 1n << 22n,
  MemEncryptionModEn: 1n << 23n,
} as const;
const SYSCFG_MTRR_BITS =
  SYSCFG.MtrrFixDramEn |
  SYSCFG.MtrrFixDramModEn |
  SYSCFG.MtrrVarDramEn |
  SYSCFG.MtrrTom2En |
  SYSCFG.Tom2ForceMemTypeWB;

/** APIC_BASE (APM 16.3.1): 8 BSC, 11 AE, base 0xfee00000. */
export const APIC_BASE = {
  BSC: 1n << 8n,
  AE: 1n << 11n,
  ADDRESS: 0x000f_ffff_ffff_f000n,
  RESET_ADDRESS: 0xfee0_0000n,
} as const;

/** IA32_MISC_ENABLE (Intel SDM vol. 4, table 2-2): what a Broadwell server part comes up with, and what may be changed. */
export const MISC_ENABLE = {
  FAST_STRINGS: 1n << 0n,
  THERMAL_CONTROL: 1n << 3n,
  PERFMON_AVAILABLE: 1n << 7n,
  SPEEDSTEP: 1n << 16n,
  MONITOR: 1n << 18n,
  LIMIT_CPUID: 1n << 22n,
  XTPR_DISABLE: 1n << 23n,
  XD_DISABLE: 1n << 34n,
} as const;
const MISC_ENABLE_BITS = Object.values(MISC_ENABLE).reduce((sum, one) => sum | one, 0n);

/** The state of a CPU that its registers depend on. */
export interface MsrContext {
  readonly model: CpuModel;
  readonly cpu: number;
  /** CR0.PG. */
  readonly paging: boolean;
}

/** The result of a write: the register's new value, or null for a #GP. */
type Written = bigint | null;

interface MsrRow {
  readonly reset: (context: MsrContext) => bigint;
  readonly write: (
    value: bigint,
    old: bigint,
    context: MsrContext,
    other: (name: MsrName) => bigint,
  ) => Written;
  /** Whether a processor has the register; absent: every processor has it. */
  readonly present?: (model: CpuModel) => boolean;
}

const zero = (): bigint => 0n;
const anything = (value: bigint): Written => value;
const readOnly = (): Written => null;
/** Registers that hold an address: a non-canonical one is a #GP (APM 1.1.3). */
const canonicalOnly = (value: bigint): Written => (vaOfU64(value) === undefined ? null : value);
const plain: MsrRow = { reset: zero, write: anything };
const address: MsrRow = { reset: zero, write: canonicalOnly };

const bit = (value: number): bigint => BigInt(value);
const EFER_ALWAYS = bit(EFER.SCE) | bit(EFER.LME) | bit(EFER.FFXSR);

function writeEfer(
  value: bigint,
  old: bigint,
  { model, paging }: MsrContext,
  other: (name: MsrName) => bigint,
): Written {
  // APM 3.1.7: LMA follows LME and CR0.PG; our choice: a write does not change it, whatever its bit.
  const lma = bit(EFER.LMA);
  const written = (value & ~lma) | (old & lma);
  // APM 15.4: SVME is reserved where the part has no SVM, and while VM_CR.SVMDIS is set.
  const svm = model.svm !== undefined && (other('VM_CR') & VM_CR.SVMDIS) === 0n;
  const allowed = EFER_ALWAYS | lma | (model.nx ? bit(EFER.NXE) : 0n) | (svm ? bit(EFER.SVME) : 0n);
  const unmodelled = bit(EFER.LMSLE) | bit(EFER.TCE);
  // CPUID reports neither LMSLE nor TCE: setting them is a #GP like any reserved bit (APM 3.1.7).
  if ((written & (unmodelled | ~allowed)) !== 0n) return null;
  // APM 14.6.1: changing LME with paging on is a #GP.
  if (paging && ((written ^ old) & bit(EFER.LME)) !== 0n) return null;
  return written;
}

/** VM_CR (APM 15.30.1). */
export const VM_CR = {
  DPD: 1n << 0n,
  R_INIT: 1n << 1n,
  DIS_A20M: 1n << 2n,
  LOCK: 1n << 3n,
  SVMDIS: 1n << 4n,
} as const;
const VM_CR_BITS = Object.values(VM_CR).reduce((sum, one) => sum | one, 0n);

function writeVmCr(
  value: bigint,
  old: bigint,
  _context: MsrContext,
  other: (name: MsrName) => bigint,
): Written {
  if ((value & ~VM_CR_BITS) !== 0n) return null;
  // APM 15.30.1: LOCK makes LOCK and SVMDIS read-only; SVMDIS may not be set while EFER.SVME is.
  const locked = (old & VM_CR.LOCK) === 0n ? 0n : VM_CR.LOCK | VM_CR.SVMDIS;
  const written = (value & ~locked) | (old & locked);
  const running = (other('EFER') & bit(EFER.SVME)) !== 0n;
  return running && (written & VM_CR.SVMDIS) !== 0n ? null : written;
}

/** VM_HSAVE_PA (APM 15.30.4): a page-aligned system physical address, with the C-bit where C-bits are in force. */
function writeVmHsavePa(
  value: bigint,
  _old: bigint,
  { model: { physAddrBits, sme } }: MsrContext,
  other: (name: MsrName) => bigint,
): Written {
  const on = (other('SYSCFG') & SYSCFG.MemEncryptionModEn) !== 0n ? sme : undefined;
  const cBit = on === undefined ? 0n : 1n << BigInt(on.cBit);
  const end = 1n << BigInt(physAddrBits - (on?.reduction ?? 0));
  const address = value & ~cBit;
  return address >= end || address % HSAVE_ALIGN !== 0n ? null : value;
}

/** APIC_BASE (APM 16.3.1). BSC is read-only; CPUID reports no x2APIC, so that its enable bit is reserved (16.9). */
function writeApicBase(value: bigint, old: bigint): Written {
  const written = (value & ~APIC_BASE.BSC) | (old & APIC_BASE.BSC);
  if ((written & ~(APIC_BASE.ADDRESS | APIC_BASE.AE | APIC_BASE.BSC)) !== 0n) return null;
  if (written !== old) throw new UnmodelledError('APIC_BASE: a local APIC that moves or is off');
  return written;
}

const HSAVE_ALIGN = 0x1000n;
const hasSvm = ({ svm }: CpuModel): boolean => svm !== undefined;

/**
 * The range registers of the MTRRs, as firmware leaves them on this machine: the variable ranges are not in use, the fixed
 * ones are write-back below 640 KiB and uncached above (mtrr.ts has these types). Changing one is not modelled.
 */
const rangeRegister = (what: string, value: bigint): MsrRow => ({
  reset: () => value,
  write: (written) => {
    if (written !== value) throw new UnmodelledError(`a change of MTRR${what}`);
    return written;
  },
});
const WRITE_BACK = 0x0606_0606_0606_0606n;
const variableRange = (index: number): Record<'base' | 'mask', MsrRow> => ({
  base: rangeRegister(`physBase${String(index)}`, 0n),
  mask: rangeRegister(`physMask${String(index)}`, 0n),
});

const ROWS: Readonly<Record<MsrName, MsrRow>> = {
  APIC_BASE: {
    reset: ({ cpu }) => APIC_BASE.RESET_ADDRESS | APIC_BASE.AE | (cpu === 0 ? APIC_BASE.BSC : 0n),
    write: writeApicBase,
  },
  // Our choice: no microcode patch was loaded, and none is taken.
  PATCH_LEVEL: { reset: zero, write: (_value, old) => old },
  MTRRcap: { reset: () => MTRR_CAP_ZEN, write: readOnly },
  SYSENTER_CS: plain,
  SYSENTER_ESP: address,
  SYSENTER_EIP: address,
  // APM 9.3.1: no machine-check banks (our choice: errors do not happen).
  MCG_CAP: { reset: zero, write: readOnly },
  MCG_STAT: plain,
  MISC_ENABLE: {
    // Our choice: these bits are set at reset, as on the parts in public kernel logs.
    reset: () =>
      MISC_ENABLE.FAST_STRINGS |
      MISC_ENABLE.THERMAL_CONTROL |
      MISC_ENABLE.PERFMON_AVAILABLE |
      MISC_ENABLE.SPEEDSTEP |
      MISC_ENABLE.MONITOR,
    // Intel SDM vol. 3, 9.4: a write to a reserved bit is a #GP.
    write: (value) => ((value & ~MISC_ENABLE_BITS) === 0n ? value : null),
    present: ({ vendor }) => vendor === INTEL_VENDOR,
  },
  MTRRphysBase0: variableRange(0).base,
  MTRRphysMask0: variableRange(0).mask,
  MTRRphysBase1: variableRange(1).base,
  MTRRphysMask1: variableRange(1).mask,
  MTRRphysBase2: variableRange(2).base,
  MTRRphysMask2: variableRange(2).mask,
  MTRRphysBase3: variableRange(3).base,
  MTRRphysMask3: variableRange(3).mask,
  MTRRphysBase4: variableRange(4).base,
  MTRRphysMask4: variableRange(4).mask,
  MTRRphysBase5: variableRange(5).base,
  MTRRphysMask5: variableRange(5).mask,
  MTRRphysBase6: variableRange(6).base,
  MTRRphysMask6: variableRange(6).mask,
  MTRRphysBase7: variableRange(7).base,
  MTRRphysMask7: variableRange(7).mask,
  MTRRfix64K_00000: rangeRegister('fix64K_00000', WRITE_BACK),
  MTRRfix16K_80000: rangeRegister('fix16K_80000', WRITE_BACK),
  MTRRfix16K_A0000: rangeRegister('fix16K_A0000', 0n),
  MTRRfix4K_C0000: rangeRegister('fix4K_C0000', 0n),
  MTRRfix4K_C8000: rangeRegister('fix4K_C8000', 0n),
  MTRRfix4K_D0000: rangeRegister('fix4K_D0000', 0n),
  MTRRfix4K_D8000: rangeRegister('fix4K_D8000', 0n),
  MTRRfix4K_E0000: rangeRegister('fix4K_E0000', 0n),
  MTRRfix4K_E8000: rangeRegister('fix4K_E8000', 0n),
  MTRRfix4K_F0000: rangeRegister('fix4K_F0000', 0n),
  MTRRfix4K_F8000: rangeRegister('fix4K_F8000', 0n),
  PAT: {
    reset: () => PAT_RESET,
    // APM 7.8.1: a reserved type in any slot is a #GP.
    write: (value) => (patTypes(value) === undefined ? null : value),
  },
  MTRRdefType: {
    reset: zero,
    write: (value) => (mtrrDefTypeValid(value) ? value : null),
  },
  EFER: { reset: zero, write: writeEfer },
  STAR: plain,
  LSTAR: address,
  CSTAR: address,
  SF_MASK: plain,
  FS_BASE: address,
  GS_BASE: address,
  KERNEL_GS_BASE: address,
  TSC_AUX: plain,
  SYSCFG: {
    reset: () => SYSCFG.MtrrFixDramEn | SYSCFG.MtrrVarDramEn,
    // APM 3.2.1; our choice: bits without a meaning on this part are ignored, not a #GP.
    write: (value, _old, { model }) =>
      value & (SYSCFG_MTRR_BITS | (model.sme === undefined ? 0n : SYSCFG.MemEncryptionModEn)),
    present: followsAmd,
  },
  HWCR: { reset: zero, write: anything, present: followsAmd },
  // BKDG of family 15h, MSRC001_001F. Its bits are about northbridge functions and port 0xcf8, which are not modelled.
  NB_CFG: { reset: zero, write: anything, present: followsAmd },
  VM_CR: { reset: zero, write: writeVmCr, present: hasSvm },
  VM_HSAVE_PA: { reset: zero, write: writeVmHsavePa, present: hasSvm },
  // APM 15.34.10: no guest reads it here, so that no feature of SEV is active.
  SEV_STATUS: { reset: zero, write: readOnly, present: ({ sme }) => sme !== undefined },
};

const BY_NUMBER = new Map<number, MsrName>(
  Object.entries(MSR).map(([name, number]) => [number, name as MsrName]),
);
const UNMODELLED_BY_NUMBER = new Map<number, string>(
  Object.entries(UNMODELLED_MSRS).map(([name, number]) => [number, name]),
);

/** The name of an MSR, modelled or not; undefined for a number that is in no table. */
export function msrName(number: number): string | undefined {
  return BY_NUMBER.get(number) ?? UNMODELLED_BY_NUMBER.get(number);
}

/** The MSRs of one CPU. */
export class MsrFile {
  private readonly values = new Map<MsrName, bigint>();

  constructor(private readonly context: MsrContext) {
    for (const [name, row] of Object.entries(ROWS)) {
      this.values.set(name as MsrName, row.reset(context));
    }
  }

  /** RDMSR: the value, or null for a #GP. Throws E_UNMODELLED for one that is known by name only. */
  read(number: number): bigint | null {
    const name = this.find(number);
    return name === null ? null : this.get(name);
  }

  /** WRMSR: false for a #GP. Throws E_UNMODELLED for one that is known by name only. */
  write(number: number, value: bigint): boolean {
    const name = this.find(number);
    if (name === null) return false;
    const operand = BigInt.asUintN(64, value);
    const written = ROWS[name].write(operand, this.get(name), this.context, (n) => this.get(n));
    if (written === null) return false;
    this.values.set(name, written);
    return true;
  }

  /** A register by name, as the CPU itself uses it. */
  get(name: MsrName): bigint {
    return this.values.get(name) ?? 0n;
  }

  /** Sets a register without the checks of a WRMSR, as hardware or firmware does. */
  set(name: MsrName, value: bigint): void {
    this.values.set(name, value);
  }

  /** All values by name, in the table's order. */
  entries(): [MsrName, bigint][] {
    return [...this.values];
  }

  private find(number: number): MsrName | null {
    const name = BY_NUMBER.get(number >>> 0);
    if (name !== undefined) return (ROWS[name].present?.(this.context.model) ?? true) ? name : null;
    const known = UNMODELLED_BY_NUMBER.get(number >>> 0);
    if (known !== undefined) throw new UnmodelledError(`MSR ${known}`);
    // APM vol. 3, RDMSR: a reserved or unimplemented MSR is a #GP.
    return null;
  }
}
