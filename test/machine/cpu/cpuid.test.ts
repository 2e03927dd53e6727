import { describe, expect, test } from '@jest/globals';
import {
  AMD_BOBCAT,
  AMD_BULLDOZER,
  AMD_JAGUAR,
  AMD_K10,
  AMD_K8,
  CPU_MODELS,
  EPYC_9654,
  HYGON_DHYANA,
  INTEL_BROADWELL,
  ZEN1,
  ZEN2,
  ZEN3,
  ZEN5,
} from '../../../src/machine/cpu/cpu-models.js';
import { checkModel, cpuid, signature, type CpuModel } from '../../../src/machine/cpu/cpuid.js';

const text = (...words: number[]): string => {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  return String.fromCharCode(...bytes).replace(/\0+$/, '');
};

// Signatures from the revision guides of the parts.
test.each([
  ['zen-1', ZEN1, 0x0080_0f12],
  ['zen-2', ZEN2, 0x0083_0f10],
  ['zen-3', ZEN3, 0x00a0_0f11],
  ['epyc-9654', EPYC_9654, 0x00a1_0f11],
  ['zen-5', ZEN5, 0x00b0_0f21],
  ['hygon-dhyana', HYGON_DHYANA, 0x0090_0f01],
  ['amd-k8', AMD_K8, 0x0000_0f5a],
  ['amd-k10', AMD_K10, 0x0010_0f91],
  ['amd-bobcat', AMD_BOBCAT, 0x0050_0f10],
  ['amd-bulldozer', AMD_BULLDOZER, 0x0060_0f20],
  ['amd-jaguar', AMD_JAGUAR, 0x0073_0f01],
  ['intel-broadwell', INTEL_BROADWELL, 0x0004_06f1],
])('%s has the signature of its part', (_name, model, value) => {
  expect(signature(model)).toBe(value);
  expect(cpuid(model, 0, 1).eax).toBe(value);
});

test('the vendor is in EBX, EDX, ECX and the brand in twelve registers', () => {
  const { ebx, ecx, edx } = cpuid(ZEN1, 0, 0);
  expect(text(ebx, edx, ecx)).toBe('AuthenticAMD');
  const brand = [2, 3, 4].flatMap((n) => {
    const r = cpuid(ZEN1, 0, 0x8000_0000 + n);
    return [r.eax, r.ebx, r.ecx, r.edx];
  });
  expect(text(...brand)).toBe('AMD EPYC 7601 32-Core Processor');
});

// ECX and EDX of Fn8000_0005 and Fn8000_0006 (APM E.4.4, E.4.5).
test.each([
  ['amd-k8', 0x4002_0140, 0x4002_0140, 0x0400_8140, 0],
  ['amd-k10', 0x4002_0140, 0x4002_0140, 0x0200_8140, 0x0060_d140],
  ['amd-bulldozer', 0x1004_0140, 0x4002_0140, 0x0800_8140, 0x0080_e140],
  ['zen-1', 0x2008_0140, 0x4004_0140, 0x0200_6140, 0x0200_8140],
  ['zen-2', 0x2008_0140, 0x2008_0140, 0x0200_6140, 0x0800_9140],
  ['epyc-9654', 0x2008_0140, 0x2008_0140, 0x0400_6140, 0x0c00_9140],
  ['zen-5', 0x300c_0140, 0x2008_0140, 0x0400_8140, 0x1000_9140],
  ['intel-broadwell', 0, 0, 0x0100_6040, 0],
])('%s describes its caches', (name, data, code, second, third) => {
  const model = CPU_MODELS[name] ?? ZEN1;
  expect(cpuid(model, 0, 0x8000_0005)).toEqual({ eax: 0, ebx: 0, ecx: data, edx: code });
  expect(cpuid(model, 0, 0x8000_0006)).toEqual({ eax: 0, ebx: 0, ecx: second, edx: third });
});

test('no associativity lacks a code', () => {
  for (const model of Object.values(CPU_MODELS)) {
    expect((cpuid(model, 0, 0x8000_0006).ecx >>> 12) & 0xf).not.toBe(0);
  }
});

// EBX: C-bit in 5:0, reduction in 11:6 (APM E.4.17).
test.each([
  ['zen-1', 1, 47 + 5 * 64],
  ['zen-2', 1, 47 + 5 * 64],
  ['zen-3', 0x401, 51 + 5 * 64],
  ['epyc-9654', 0x401, 51 + 6 * 64],
  ['zen-5', 0x401, 51 + 6 * 64],
  ['hygon-dhyana', 1, 47 + 5 * 64],
  // Parts before family 0x17 end below that leaf.
  ['amd-k8', 0, 0],
  ['amd-k10', 0, 0],
  ['amd-bobcat', 0, 0],
  ['amd-bulldozer', 0, 0],
  ['amd-jaguar', 0, 0],
])('%s reports its Fn8000_001F', (name, eax, ebx) => {
  const model = CPU_MODELS[name] ?? ZEN1;
  expect(cpuid(model, 0, 0x8000_001f)).toMatchObject({ eax, ebx });
});

test('Hygon repeats its vendor in Fn8000_0000, as AMD does, and has zeros above the maximum', () => {
  const { ebx, ecx, edx } = cpuid(HYGON_DHYANA, 0, 0x8000_0000);
  expect(text(ebx, edx, ecx)).toBe('HygonGenuine');
  expect(cpuid(HYGON_DHYANA, 0, 0xffff_ffff)).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
});

test('the APIC number is per CPU; the address sizes are not reduced by CPUID', () => {
  expect(cpuid(ZEN1, 3, 1).ebx >>> 24).toBe(3);
  expect(cpuid(ZEN1, 0, 0x8000_0008).eax).toBe(0x3030);
  expect(cpuid(EPYC_9654, 0, 0x8000_0008).eax & 0xff).toBe(52);
});

describe('a leaf above the maximum', () => {
  test('is zero on AMD', () => {
    for (const leaf of [0xe, 0x7fff_ffff, 0x8000_0020, 0xffff_ffff]) {
      expect(cpuid(ZEN1, 0, leaf)).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
    }
  });

  test('is the highest basic leaf on Intel, Fn8000_001F too', () => {
    const highest = cpuid(INTEL_BROADWELL, 0, INTEL_BROADWELL.maxBasicLeaf);
    expect(cpuid(INTEL_BROADWELL, 0, 0x8000_001f)).toEqual(highest);
    expect(cpuid(INTEL_BROADWELL, 0, 0x8000_0000)).toEqual({
      eax: 0x8000_0008,
      ebx: 0,
      ecx: 0,
      edx: 0,
    });
  });
});

describe('checkModel', () => {
  const sme = { cBit: 47, reduction: 5, guests: 15, minAsid: 5, coherent: false };
  test.each<[string, Partial<CpuModel>, RegExp]>([
    ['a vendor of 3 characters', { vendor: 'AMD' }, /cpu\.vendor/],
    ['60 physical bits', { physAddrBits: 60 }, /physAddrBits/],
    ['53 physical bits', { physAddrBits: 53 }, /physAddrBits: expected 32 to 52, found 53/],
    ['31 physical bits', { physAddrBits: 31 }, /physAddrBits: expected 32 to 52, found 31/],
    ['a reduction of −1', { sme: { ...sme, reduction: -1 } }, /sme\.reduction: expected 0 to 16/],
    ['a C-bit of 200', { sme: { ...sme, cBit: 200 } }, /cBit/],
    ['a C-bit of 52', { sme: { ...sme, cBit: 52 } }, /cBit/],
    ['a C-bit of 11, which is a flag', { sme: { ...sme, cBit: 11 } }, /cBit/],
    ['a reduction that leaves 31 bits', { sme: { ...sme, reduction: 17 } }, /reduction/],
  ])('refuses %s', (_name, change, where) => {
    expect(() => checkModel({ ...ZEN1, ...change })).toThrow(/E_CPU_MODEL/);
    expect(() => checkModel({ ...ZEN1, ...change })).toThrow(where);
  });

  test.each([12, 31, 32, 40, 51])(
    'accepts a C-bit of %i with 32 remaining address bits',
    (cBit) => {
      expect(() => checkModel({ ...ZEN1, sme: { ...sme, cBit, reduction: 16 } })).not.toThrow();
    },
  );

  test.each([32, 52])('accepts %i physical bits', (physAddrBits) => {
    const model = { ...ZEN1, physAddrBits, sme: { ...sme, reduction: physAddrBits - 32 } };
    expect(() => checkModel(model)).not.toThrow();
  });

  test.each(Object.entries(CPU_MODELS))('accepts %s', (_name, model) => {
    expect(() => checkModel(model)).not.toThrow();
  });
});
