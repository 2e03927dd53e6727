/** Processors by name: what their CPUID says (facts: PPR of each family). */
import { AMD_VENDOR, type CpuModel } from './cpuid.js';

const AMD64 = {
  vendor: AMD_VENDOR,
  linearBits: 48,
  nx: true,
  gbPages: true,
  svm: { revision: 1, asids: 0x8000 },
} as const;

/** EPYC 7001 (Naples). */
export const ZEN1: CpuModel = {
  ...AMD64,
  name: 'AMD EPYC 7601 32-Core Processor',
  family: 0x17,
  model: 0x01,
  stepping: 2,
  maxBasicLeaf: 0xd,
  maxExtendedLeaf: 0x8000_001f,
  physAddrBits: 48,
  sme: { cBit: 47, reduction: 5, guests: 15, minAsid: 5, coherent: false },
};

/** EPYC 7002 (Rome). */
export const ZEN2: CpuModel = {
  ...AMD64,
  name: 'AMD EPYC 7742 64-Core Processor',
  family: 0x17,
  model: 0x31,
  stepping: 0,
  maxBasicLeaf: 0x10,
  maxExtendedLeaf: 0x8000_0020,
  physAddrBits: 48,
  sme: { cBit: 47, reduction: 5, guests: 509, minAsid: 1, coherent: false },
};

/** EPYC 7003 (Milan). */
export const ZEN3: CpuModel = {
  ...AMD64,
  name: 'AMD EPYC 7763 64-Core Processor',
  family: 0x19,
  model: 0x01,
  stepping: 1,
  maxBasicLeaf: 0x10,
  maxExtendedLeaf: 0x8000_0023,
  physAddrBits: 48,
  sme: { cBit: 51, reduction: 5, guests: 509, minAsid: 1, coherent: true },
};

/** EPYC 9004 (Genoa). */
export const EPYC_9654: CpuModel = {
  ...AMD64,
  name: 'AMD EPYC 9654 96-Core Processor',
  family: 0x19,
  model: 0x11,
  stepping: 1,
  maxBasicLeaf: 0x10,
  maxExtendedLeaf: 0x8000_0028,
  physAddrBits: 52,
  sme: { cBit: 51, reduction: 6, guests: 1006, minAsid: 1, coherent: true },
};

/** Xeon E5-2600 v4 (Broadwell-EP): no Fn8000_001F at all. */
export const INTEL_BROADWELL: CpuModel = {
  name: 'Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz',
  vendor: 'GenuineIntel',
  family: 0x6,
  model: 0x4f,
  stepping: 1,
  maxBasicLeaf: 0x14,
  maxExtendedLeaf: 0x8000_0008,
  physAddrBits: 46,
  linearBits: 48,
  nx: true,
  gbPages: true,
};

/** The processors that a scenario may name. */
export const CPU_MODELS: Readonly<Record<string, CpuModel>> = {
  'zen-1': ZEN1,
  'zen-2': ZEN2,
  'zen-3': ZEN3,
  'epyc-9654': EPYC_9654,
  'intel-broadwell': INTEL_BROADWELL,
};
