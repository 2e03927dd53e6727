/** Processors by name, with the properties that CPUID reports (PPR, BKDG or Revision Guide of each family). */
import { AMD_VENDOR, HYGON_VENDOR, type CacheModel, type CpuModel } from './cpuid.js';

/** Properties of all processors of AMD's 64-bit architecture. */
const LONG_MODE = { vendor: AMD_VENDOR, linearBits: 48, nx: true } as const;
const KIB = 2 ** 10;
const MIB = 2 ** 20;

type Cache = readonly [kib: number, ways: number];
/** L1 for data, L1 for code, and L2 (the same manuals). */
function caches(...all: readonly [Cache, Cache, Cache]): Pick<CpuModel, 'l1d' | 'l1i' | 'l2'> {
  const [l1d, l1i, l2] = all;
  const of = ([kib, ways]: Cache): CacheModel => ({ bytes: kib * KIB, ways });
  return { l1d: of(l1d), l1i: of(l1i), l2: of(l2) };
}

const AMD64 = { ...LONG_MODE, gbPages: true, svm: { revision: 1, asids: 0x8000 } } as const;

/** Opteron 200 (SledgeHammer, revision CG): before SVM (Revision Guide 25759; CPUID Specification 25481). */
export const AMD_K8: CpuModel = {
  ...LONG_MODE,
  name: 'AMD Opteron(tm) Processor 250',
  family: 0xf,
  model: 0x05,
  stepping: 10,
  maxBasicLeaf: 0x1,
  maxExtendedLeaf: 0x8000_0018,
  physAddrBits: 40,
  gbPages: false,
  ...caches([64, 2], [64, 2], [1024, 16]),
};

/** Opteron 6100 (Magny-Cours; BKDG 31116). */
export const AMD_K10: CpuModel = {
  ...LONG_MODE,
  name: 'AMD Opteron(tm) Processor 6128',
  family: 0x10,
  model: 0x09,
  stepping: 1,
  maxBasicLeaf: 0x5,
  maxExtendedLeaf: 0x8000_001b,
  physAddrBits: 48,
  gbPages: true,
  svm: { revision: 1, asids: 0x40 },
  ...caches([64, 2], [64, 2], [512, 16]),
  // BKDG 31116: 6 MiB in each of two nodes, before the part that the probe filter takes.
  l3: { complexes: 2, bytes: 6 * MIB, ways: 96 },
};

/** E-350 (Zacate; BKDG 43170). */
export const AMD_BOBCAT: CpuModel = {
  ...LONG_MODE,
  name: 'AMD E-350 Processor',
  family: 0x14,
  model: 0x01,
  stepping: 0,
  maxBasicLeaf: 0x6,
  maxExtendedLeaf: 0x8000_001b,
  physAddrBits: 36,
  gbPages: true,
  svm: { revision: 1, asids: 8 },
  ...caches([32, 8], [32, 2], [512, 16]),
};

/** Opteron 6300 (Abu Dhabi, Piledriver; BKDG 42301). */
export const AMD_BULLDOZER: CpuModel = {
  ...LONG_MODE,
  name: 'AMD Opteron(tm) Processor 6376',
  family: 0x15,
  model: 0x02,
  stepping: 0,
  maxBasicLeaf: 0xd,
  maxExtendedLeaf: 0x8000_001e,
  physAddrBits: 48,
  gbPages: true,
  svm: { revision: 1, asids: 0x1_0000 },
  ...caches([16, 4], [64, 2], [2048, 16]),
  // BKDG 42301: 8 MiB in each of two nodes, before the part that the probe filter takes.
  l3: { complexes: 2, bytes: 8 * MIB, ways: 128 },
};

/** GX-412TC (Steppe Eagle, Puma; BKDG 52740). */
export const AMD_JAGUAR: CpuModel = {
  ...LONG_MODE,
  name: 'AMD GX-412TC SOC',
  family: 0x16,
  model: 0x30,
  stepping: 1,
  maxBasicLeaf: 0xd,
  maxExtendedLeaf: 0x8000_001e,
  physAddrBits: 40,
  gbPages: true,
  svm: { revision: 1, asids: 8 },
  ...caches([32, 8], [32, 2], [2048, 16]),
};

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
  ...caches([32, 8], [64, 4], [512, 8]),
  // PPR 54945: 8 MiB for a complex of four cores; the product page has 64 MiB.
  l3: { complexes: 8, bytes: 8 * MIB, ways: 16 },
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
  ...caches([32, 8], [32, 8], [512, 8]),
  // PPR 55803: 16 MiB for a complex of four cores; the product page has 256 MiB.
  l3: { complexes: 16, bytes: 16 * MIB },
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
  ...caches([32, 8], [32, 8], [512, 8]),
  // PPR 55898: 32 MiB for a complex of eight cores; the product page has 256 MiB.
  l3: { complexes: 8, bytes: 32 * MIB },
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
  ...caches([32, 8], [32, 8], [1024, 8]),
  // PPR 55901: 32 MiB for a complex of eight cores; the product page has 384 MiB.
  l3: { complexes: 12, bytes: 32 * MIB },
};

/** EPYC 9005 (Turin); Fn8000_001F is the EPYC 9654's (our choice: no public dump of this part's leaf was found). */
export const ZEN5: CpuModel = {
  ...AMD64,
  name: 'AMD EPYC 9755 128-Core Processor',
  family: 0x1a,
  model: 0x02,
  stepping: 1,
  maxBasicLeaf: 0x10,
  maxExtendedLeaf: 0x8000_0028,
  physAddrBits: 52,
  sme: { cBit: 51, reduction: 6, guests: 1006, minAsid: 1, coherent: true },
  ...caches([48, 12], [32, 8], [1024, 16]),
  // The product page has 512 MiB; 32 MiB for a complex of eight cores, as before (our choice).
  l3: { complexes: 16, bytes: 32 * MIB },
};

/** Hygon C86 7185, built after Zen 1; Fn8000_001F is Zen 1's (our choice). */
export const HYGON_DHYANA: CpuModel = {
  ...ZEN1,
  vendor: HYGON_VENDOR,
  name: 'Hygon C86 7185 32-core Processor',
  family: 0x18,
  model: 0x00,
  stepping: 1,
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
  ...caches([32, 8], [32, 8], [256, 8]),
  // The product page has 35 MiB, 2.5 MiB for each core, which all cores share.
  l3: { complexes: 1, bytes: 35 * MIB },
};

/** The processors that a scenario may name. */
export const CPU_MODELS: Readonly<Record<string, CpuModel>> = {
  'zen-1': ZEN1,
  'zen-2': ZEN2,
  'zen-3': ZEN3,
  'epyc-9654': EPYC_9654,
  'zen-5': ZEN5,
  'hygon-dhyana': HYGON_DHYANA,
  'amd-k8': AMD_K8,
  'amd-k10': AMD_K10,
  'amd-bobcat': AMD_BOBCAT,
  'amd-bulldozer': AMD_BULLDOZER,
  'amd-jaguar': AMD_JAGUAR,
  'intel-broadwell': INTEL_BROADWELL,
};
