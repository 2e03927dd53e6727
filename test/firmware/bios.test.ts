import { describe, expect, test } from '@jest/globals';
import { biosFirmware } from '../../src/firmware/bios.js';

const described = {
  ram: 2 ** 31,
  cpus: 8,
  iommu: true,
  processor: { name: 'EPYC', vendor: 'AuthenticAMD', signature: 0x80_0f12 },
};

describe('a BIOS', () => {
  const firmware = biosFirmware(described, []);

  test('places all blobs between c0000 and fffff without overlap', () => {
    const sorted = [...firmware.blobs].sort((a, b) => a.base - b.base);
    for (const [index, { base, bytes }] of sorted.entries()) {
      expect(base).toBeGreaterThanOrEqual(0xc_0000);
      expect(base + bytes.length).toBeLessThanOrEqual(sorted[index + 1]?.base ?? 0x10_0000);
    }
  });

  test.each([
    ['RSDP', 16, 0xe_0000, 0xf_ffff],
    ['SMBIOS', 16, 0xf_0000, 0xf_ffff],
    ['MP floating pointer', 16, 0xf_0000, 0xf_ffff],
    ['option ROM', 2048, 0xc_0000, 0xd_ffff],
  ])(
    'has its %s at a multiple of %i in the range that is scanned for it',
    (name, align, first, last) => {
      const base = firmware.blobs.find((one) => one.name === name)?.base ?? 0;
      expect(base % align).toBe(0);
      expect(base).toBeGreaterThanOrEqual(first);
      expect(base).toBeLessThanOrEqual(last);
    },
  );

  test('passes its memory map, and no EFI data, to the loader', () => {
    expect(firmware.handOver({ code: [], data: [] })).toEqual({ e820: [], blobs: [] });
  });
});
