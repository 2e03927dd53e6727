/** CPUID, by table (APM vol. 3, appendix E). */
import { InputError } from '../../base/errors.js';
import { LINE_SIZE } from '../address.js';

/** The properties that a processor reports through CPUID. */
export interface CpuModel {
  /** The marketing name, as returned by Fn8000_0002–4. */
  readonly name: string;
  /** 12 characters, for example `AuthenticAMD`. */
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly maxBasicLeaf: number;
  readonly maxExtendedLeaf: number;
  /** MAXPHYADDR; with memory encryption on, `sme.reduction` bits fewer are usable. */
  readonly physAddrBits: number;
  readonly linearBits: number;
  readonly nx: boolean;
  readonly gbPages: boolean;
  /** Absent if the processor has no memory encryption. */
  readonly sme?: SmeModel;
  /** Absent if the processor has no SVM. */
  readonly svm?: SvmModel;
  /** The caches of one core; of a module or of all cores where they share one. */
  readonly l1d: CacheModel;
  readonly l1i: CacheModel;
  readonly l2: CacheModel;
  /** Absent if the processor has no L3. */
  readonly l3?: L3Model;
}

/** A cache with lines of 64 bytes. */
export interface CacheModel {
  readonly bytes: number;
  readonly ways: number;
}

/** The L3 of a processor: in each of its complexes of cores (before Zen: of its nodes), for the cores of that complex. */
export interface L3Model {
  readonly complexes: number;
  /** Bytes in each complex. */
  readonly bytes: number;
  /** Of all complexes together, as Fn8000_0006 has it; absent where that refers to Fn8000_001D, which is not modelled. */
  readonly ways?: number;
}

/** Fn8000_000A. */
export interface SvmModel {
  /** EAX 7:0, SvmRev. */
  readonly revision: number;
  /** EBX, NASID: address space identifiers. */
  readonly asids: number;
}

/** Fn8000_001F. */
export interface SmeModel {
  /** EBX 5:0. */
  readonly cBit: number;
  /** EBX 11:6. */
  readonly reduction: number;
  /** ECX: encrypted guests. */
  readonly guests: number;
  /** EDX: first ASID for SEV without ES. */
  readonly minAsid: number;
  /** EAX 10, HwEnfCacheCoh: the cache keeps lines of different keys coherent. */
  readonly coherent: boolean;
}

/** The vendor's 12 characters that Fn0 returns in EBX, EDX and ECX. */
export function vendorOf({ ebx, edx, ecx }: CpuidResult): string {
  return [ebx, edx, ecx]
    .flatMap((register) => [0, 8, 16, 24].map((shift) => (register >>> shift) & 0xff))
    .map((code) => String.fromCharCode(code))
    .join('');
}

/** A result of CPUID, each register as 32 unsigned bits. */
export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

export const AMD_VENDOR = 'AuthenticAMD';
export const INTEL_VENDOR = 'GenuineIntel';
export const HYGON_VENDOR = 'HygonGenuine';
/** Vendors whose processors follow AMD's manual: Hygon's are built after Zen 1. */
export const followsAmd = ({ vendor }: Pick<CpuModel, 'vendor'>): boolean =>
  vendor === AMD_VENDOR || vendor === HYGON_VENDOR;

/** Leaves by name. */
export const CPUID = {
  vendor: 0,
  features: 1,
  maxExtended: 0x8000_0000,
  extendedFeatures: 0x8000_0001,
  brand0: 0x8000_0002,
  brand1: 0x8000_0003,
  brand2: 0x8000_0004,
  l1: 0x8000_0005,
  l2: 0x8000_0006,
  addressSizes: 0x8000_0008,
  svm: 0x8000_000a,
  encryption: 0x8000_001f,
} as const;

/** Fn1 EDX and ECX bits that the machine has. */
export const FEATURES_EDX = {
  FPU: 2 ** 0,
  VME: 2 ** 1,
  DE: 2 ** 2,
  PSE: 2 ** 3,
  TSC: 2 ** 4,
  MSR: 2 ** 5,
  PAE: 2 ** 6,
  MCE: 2 ** 7,
  CMPXCHG8B: 2 ** 8,
  APIC: 2 ** 9,
  SYSENTER: 2 ** 11,
  MTRR: 2 ** 12,
  PGE: 2 ** 13,
  MCA: 2 ** 14,
  CMOV: 2 ** 15,
  PAT: 2 ** 16,
  PSE36: 2 ** 17,
  CLFSH: 2 ** 19,
  MMX: 2 ** 23,
  FXSR: 2 ** 24,
  SSE: 2 ** 25,
  SSE2: 2 ** 26,
} as const;
/** Fn8000_0001 ECX bits. */
export const EXTENDED_ECX = { SVM: 2 ** 2 } as const;
/** Fn8000_000A EDX bits that the machine has. */
export const SVM_EDX = { NP: 2 ** 0 } as const;
/** Fn8000_0001 EDX bits. */
export const EXTENDED_EDX = {
  SYSCALL: 2 ** 11,
  NX: 2 ** 20,
  GB_PAGES: 2 ** 26,
  LM: 2 ** 29,
} as const;
/** Fn8000_001F EAX bits. SEV is not modelled, so its bits stay clear. */
export const ENCRYPTION_EAX = { SME: 2 ** 0, HwEnfCacheCoh: 2 ** 10 } as const;
/** Bits 5:0 of EBX are the C-bit's position, 11:6 the reduction. */
const REDUCTION_SHIFT = 6;

/** CLFLUSH line size in quadwords, bits 15:8 of Fn1 EBX; the local APIC's number in bits 31:24. */
const CLFLUSH_QUADWORDS = 8;
const EXTENDED_BASE_FAMILY = 0xf;

const KIB = 2 ** 10;
/** The unit of the size of an L3 in Fn8000_0006. */
const L3_UNIT = 512 * KIB;
/** One line for each tag, of 64 bytes: bits 11:0 of what describes a cache (APM E.4.4, E.4.5). */
const LINE_OF_64 = 0x140;
/** Associativities of L2 and L3 by code (APM E.4.5). */
const WAYS: Readonly<Record<number, number>> = {
  ...{ 1: 0x1, 2: 0x2, 4: 0x4, 8: 0x6, 16: 0x8 },
  ...{ 32: 0xa, 48: 0xb, 64: 0xc, 96: 0xd, 128: 0xe },
};
/** The code of an associativity that Fn8000_001D has. */
const WAYS_ELSEWHERE = 0x9;

const NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

const sum = (bits: Readonly<Record<string, number>>): number =>
  Object.values(bits).reduce((total, bit) => total + bit, 0);

/** Four characters as a register, the first in the low byte. */
function word(text: string, at: number): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = value * 256 + (text.charCodeAt(at + i) || 0);
  return value;
}

/** Fn1 EAX: stepping 3:0, base model 7:4, base family 11:8, extended model 19:16, extended family 27:20. */
export function signature(model: CpuModel): number {
  const extended = Math.max(0, model.family - EXTENDED_BASE_FAMILY);
  const base = Math.min(model.family, EXTENDED_BASE_FAMILY);
  return (
    model.stepping +
    (model.model % 16) * 2 ** 4 +
    base * 2 ** 8 +
    (model.model >> 4) * 2 ** 16 +
    extended * 2 ** 20
  );
}

function brand(part: number): (model: CpuModel) => CpuidResult {
  return ({ name }) => ({
    eax: word(name, part),
    ebx: word(name, part + 4),
    ecx: word(name, part + 8),
    edx: word(name, part + 12),
  });
}

/** An L1 as Fn8000_0005 describes it: KiB in bits 31:24, ways in 23:16. */
function l1Of({ bytes, ways }: CacheModel): number {
  return (bytes / KIB) * 2 ** 24 + ways * 2 ** 16 + LINE_OF_64;
}

/** An L2 as Fn8000_0006 describes it: KiB in bits 31:16, ways by code in 15:12. */
function l2Of({ bytes, ways }: CacheModel, line = LINE_OF_64): number {
  return (bytes / KIB) * 2 ** 16 + (WAYS[ways] ?? 0) * 2 ** 12 + line;
}

/** The L3 of all complexes: units of 512 KiB in bits 31:18, ways by code in 15:12. */
function l3Of({ complexes, bytes, ways }: L3Model): number {
  const code = ways === undefined ? WAYS_ELSEWHERE : (WAYS[ways] ?? 0);
  return ((complexes * bytes) / L3_UNIT) * 2 ** 18 + code * 2 ** 12 + LINE_OF_64;
}

/** Modelled leaves; the others up to the maximum read as zero: features that the machine lacks. */
const LEAVES: Readonly<Record<number, (model: CpuModel, cpu: number) => CpuidResult>> = {
  [CPUID.vendor]: ({ vendor, maxBasicLeaf }) => ({
    eax: maxBasicLeaf,
    ebx: word(vendor, 0),
    ecx: word(vendor, 8),
    edx: word(vendor, 4),
  }),
  [CPUID.features]: (model, cpu) => ({
    eax: signature(model),
    ebx: cpu * 2 ** 24 + CLFLUSH_QUADWORDS * 2 ** 8,
    ecx: 0,
    edx: sum(FEATURES_EDX),
  }),
  [CPUID.maxExtended]: ({ vendor, maxExtendedLeaf }) => ({
    eax: maxExtendedLeaf,
    // APM E.4.1: AMD repeats the vendor here.
    ...(followsAmd({ vendor })
      ? { ebx: word(vendor, 0), ecx: word(vendor, 8), edx: word(vendor, 4) }
      : { ebx: 0, ecx: 0, edx: 0 }),
  }),
  [CPUID.extendedFeatures]: (model) => ({
    ...NOTHING,
    eax: followsAmd(model) ? signature(model) : 0,
    ecx: model.svm === undefined ? 0 : EXTENDED_ECX.SVM,
    edx:
      EXTENDED_EDX.SYSCALL +
      EXTENDED_EDX.LM +
      (model.nx ? EXTENDED_EDX.NX : 0) +
      (model.gbPages ? EXTENDED_EDX.GB_PAGES : 0),
  }),
  [CPUID.brand0]: brand(0),
  [CPUID.brand1]: brand(16),
  [CPUID.brand2]: brand(32),
  // TLBs are not described: their sizes here are not the processor's (our choice).
  [CPUID.l1]: (model) =>
    followsAmd(model) ? { ...NOTHING, ecx: l1Of(model.l1d), edx: l1Of(model.l1i) } : NOTHING,
  [CPUID.l2]: (model) =>
    followsAmd(model)
      ? { ...NOTHING, ecx: l2Of(model.l2), edx: model.l3 === undefined ? 0 : l3Of(model.l3) }
      : // SDM vol. 2, CPUID: the L2 alone, and no lines for each tag.
        { ...NOTHING, ecx: l2Of(model.l2, LINE_SIZE) },
  [CPUID.addressSizes]: ({ physAddrBits, linearBits }) => ({
    ...NOTHING,
    eax: physAddrBits + linearBits * 2 ** 8,
  }),
  [CPUID.svm]: ({ svm }) =>
    svm === undefined
      ? NOTHING
      : { ...NOTHING, eax: svm.revision, ebx: svm.asids, edx: SVM_EDX.NP },
  [CPUID.encryption]: ({ sme }) =>
    sme === undefined
      ? NOTHING
      : {
          eax: ENCRYPTION_EAX.SME + (sme.coherent ? ENCRYPTION_EAX.HwEnfCacheCoh : 0),
          ebx: sme.cBit + sme.reduction * 2 ** REDUCTION_SHIFT,
          ecx: sme.guests,
          edx: sme.minAsid,
        },
};

/** CPUID on one CPU. `leaf` is EAX as 32 bits; no modelled leaf has subleaves. */
export function cpuid(model: CpuModel, cpu: number, leaf: number): CpuidResult {
  const asked = leaf >>> 0;
  const max = asked >= CPUID.maxExtended ? model.maxExtendedLeaf : model.maxBasicLeaf;
  if (asked <= max) return LEAVES[asked]?.(model, cpu) ?? NOTHING;
  // Above the maximum Intel returns the highest basic leaf's data (SDM vol. 2, CPUID); AMD returns zeros.
  return followsAmd(model) ? NOTHING : (LEAVES[model.maxBasicLeaf]?.(model, cpu) ?? NOTHING);
}

const ENTRY_ADDRESS_BITS = 52;
/** The lowest bit of an entry that is not a flag. */
const C_BIT_MIN = 12;
const ADDRESS_BITS_MIN = 32;

/**
 * Checks that the model's physical addresses and C-bit fit a table entry.
 *
 * @param path path of the model in its file, for the error.
 * @throws InputError E_CPU_MODEL
 */
export function checkModel(model: CpuModel, path = 'cpu'): void {
  const refuse = (field: string, expected: string, found: string | number): never => {
    throw new InputError({
      code: 'E_CPU_MODEL',
      place: { path: `${path}.${field}` },
      expected,
      found: `${found}`,
    });
  };
  if (model.vendor.length !== 12) refuse('vendor', '12 characters', model.vendor);
  if (!(model.physAddrBits >= ADDRESS_BITS_MIN && model.physAddrBits <= ENTRY_ADDRESS_BITS)) {
    refuse('physAddrBits', '32 to 52', model.physAddrBits);
  }
  const { sme } = model;
  if (sme === undefined) return;
  if (!(sme.cBit >= C_BIT_MIN && sme.cBit < ENTRY_ADDRESS_BITS)) {
    refuse('sme.cBit', '12 to 51', sme.cBit);
  }
  if (!(sme.reduction >= 0 && model.physAddrBits - sme.reduction >= ADDRESS_BITS_MIN)) {
    const most = model.physAddrBits - ADDRESS_BITS_MIN;
    refuse('sme.reduction', `0 to ${most}, so that 32 address bits remain`, sme.reduction);
  }
}
