/**
 * ACPI tables, parsed again. Checked manually: `iasl -d` (acpica-tools 20200925) disassembles each table, written to a
 * file, without a warning.
 */
import { describe, expect, test } from '@jest/globals';
import { acpiTables } from '../../../src/firmware/acpi/acpi.js';
import { BMP } from '../../../src/firmware/acpi/bgrt.js';
import {
  IOMMU_DEVICE_ID,
  IOMMU_FIRST_DEVICE,
  IOMMU_LAST_DEVICE,
  IOMMU_MMIO_BASE,
} from '../../../src/firmware/acpi/ivrs.js';
import {
  BGRT,
  FACS,
  FADT,
  GAS,
  IVHD_10H,
  IVHD_ENTRY,
  IVHD_SPECIAL,
  IVRS,
  MADT,
  MADT_INTERRUPT_OVERRIDE,
  MADT_IO_APIC,
  MADT_LOCAL_APIC,
  MADT_LOCAL_APIC_NMI,
  RSDP,
  SDT,
} from '../../../src/firmware/acpi/layout.js';
import type { Blob } from '../../../src/firmware/placed.js';
import { byteSum } from '../../../src/firmware/struct.js';
import { expectLayout } from '../fields.js';

const request = {
  cpus: 4,
  iommu: true,
  rsdpAt: 0xe_0010,
  tablesAt: 0xe_1000,
  facsAt: 0xe_0040,
  imageAt: 0x10_0018,
};
const tables = acpiTables(request);
const get = (name: string, list: readonly Blob[] = tables): Blob => {
  const found = list.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const view = ({ bytes }: Blob): DataView => new DataView(bytes.buffer, bytes.byteOffset);
const textAt = ({ bytes }: Blob, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));
const SIGNED = { DSDT: 'DSDT', FADT: 'FACP', MADT: 'APIC', IVRS: 'IVRS', BGRT: 'BGRT' };

describe('layouts of ACPI', () => {
  const header = [['-header', SDT.size]] as const;
  test.each([
    [
      'RSDP',
      RSDP,
      [
        ['Signature', 8],
        ['Checksum', 1],
        ['OEMID', 6],
        ['Revision', 1],
        ['RsdtAddress', 4],
        ['Length', 4],
        ['XsdtAddress', 8],
        ['ExtendedChecksum', 1],
        ['-Reserved', 3],
      ],
    ],
    [
      'table header',
      SDT,
      [
        ['Signature', 4],
        ['Length', 4],
        ['Revision', 1],
        ['Checksum', 1],
        ['OEMID', 6],
        ['OEMTableID', 8],
        ['OEMRevision', 4],
        ['CreatorID', 4],
        ['CreatorRevision', 4],
      ],
    ],
    [
      'FADT',
      FADT,
      [
        ...header,
        ['FIRMWARE_CTRL', 4],
        ['DSDT', 4],
        ['-Reserved', 1],
        ['Preferred_PM_Profile', 1],
        ['SCI_INT', 2],
        ['SMI_CMD', 4],
        ['ACPI_ENABLE', 1],
        ['ACPI_DISABLE', 1],
        ['-S4BIOS_REQ, PSTATE_CNT', 2],
        ['PM1a_EVT_BLK', 4],
        ['-PM1b_EVT_BLK', 4],
        ['PM1a_CNT_BLK', 4],
        ['-PM1b_CNT_BLK, PM2_CNT_BLK', 8],
        ['PM_TMR_BLK', 4],
        ['GPE0_BLK', 4],
        ['-GPE1_BLK', 4],
        ['PM1_EVT_LEN', 1],
        ['PM1_CNT_LEN', 1],
        ['-PM2_CNT_LEN', 1],
        ['PM_TMR_LEN', 1],
        ['GPE0_BLK_LEN', 1],
        ['-GPE1_BLK_LEN, GPE1_BASE, CST_CNT', 3],
        ['P_LVL2_LAT', 2],
        ['P_LVL3_LAT', 2],
        ['-FLUSH_SIZE, FLUSH_STRIDE', 4],
        ['-DUTY_OFFSET, DUTY_WIDTH, DAY_ALRM, MON_ALRM', 4],
        ['CENTURY', 1],
        ['IAPC_BOOT_ARCH', 2],
        ['-Reserved', 1],
        ['Flags', 4],
        ['-RESET_REG, RESET_VALUE', GAS.size + 1],
        ['-Reserved', 3],
        ['X_FIRMWARE_CTRL', 8],
        ['X_DSDT', 8],
        ['X_PM1a_EVT_BLK', GAS.size],
        ['-X_PM1b_EVT_BLK', GAS.size],
        ['X_PM1a_CNT_BLK', GAS.size],
        ['-X_PM1b_CNT_BLK, X_PM2_CNT_BLK', 2 * GAS.size],
        ['X_PM_TMR_BLK', GAS.size],
        ['X_GPE0_BLK', GAS.size],
        ['-X_GPE1_BLK, SLEEP_CONTROL_REG, SLEEP_STATUS_REG', 3 * GAS.size],
      ],
    ],
    [
      'generic address',
      GAS,
      [
        ['AddressSpaceID', 1],
        ['RegisterBitWidth', 1],
        ['RegisterBitOffset', 1],
        ['AccessSize', 1],
        ['Address', 8],
      ],
    ],
    [
      'FACS',
      FACS,
      [
        ['Signature', 4],
        ['Length', 4],
        ['-HardwareSignature to X_FirmwareWakingVector', 24],
        ['Version', 1],
        ['-Reserved', 31],
      ],
    ],
    ['MADT', MADT, [...header, ['LocalAPICAddress', 4], ['Flags', 4]]],
    [
      'local APIC',
      MADT_LOCAL_APIC,
      [
        ['-Type, Length', 2],
        ['ACPIProcessorID', 1],
        ['APICID', 1],
        ['Flags', 4],
      ],
    ],
    [
      'I/O APIC',
      MADT_IO_APIC,
      [
        ['-Type, Length', 2],
        ['IOAPICID', 1],
        ['-Reserved', 1],
        ['IOAPICAddress', 4],
        ['GlobalSystemInterruptBase', 4],
      ],
    ],
    [
      'interrupt source override',
      MADT_INTERRUPT_OVERRIDE,
      [
        ['-Type, Length', 2],
        ['Bus', 1],
        ['Source', 1],
        ['GlobalSystemInterrupt', 4],
        ['Flags', 2],
      ],
    ],
    [
      'local APIC NMI',
      MADT_LOCAL_APIC_NMI,
      [
        ['-Type, Length', 2],
        ['ACPIProcessorID', 1],
        ['Flags', 2],
        ['LINT', 1],
      ],
    ],
    [
      'BGRT',
      BGRT,
      [
        ...header,
        ['Version', 2],
        ['Status', 1],
        ['ImageType', 1],
        ['ImageAddress', 8],
        ['ImageOffsetX', 4],
        ['ImageOffsetY', 4],
      ],
    ],
    ['IVRS', IVRS, [...header, ['IVinfo', 4], ['-Reserved', 8]]],
    [
      'IVHD type 10h',
      IVHD_10H,
      [
        ['Type', 1],
        ['Flags', 1],
        ['Length', 2],
        ['DeviceID', 2],
        ['CapabilityOffset', 2],
        ['IOMMUBaseAddress', 8],
        ['PCISegmentGroup', 2],
        ['IOMMUInfo', 2],
        ['IOMMUFeatureInfo', 4],
      ],
    ],
    [
      'IVHD device entry',
      IVHD_ENTRY,
      [
        ['Type', 1],
        ['DeviceID', 2],
        ['DTESetting', 1],
      ],
    ],
    [
      'IVHD special device',
      IVHD_SPECIAL,
      [
        ['Type', 1],
        ['-Reserved', 2],
        ['DTESetting', 1],
        ['Handle', 1],
        ['SourceDeviceID', 2],
        ['Variety', 1],
      ],
    ],
  ] as const)('%s has its fields at the offsets that their widths imply', (_, layout, fields) => {
    expectLayout(layout, fields);
  });
});

describe('ACPI tables', () => {
  test.each(Object.entries({ ...SIGNED, RSDT: 'RSDT', XSDT: 'XSDT' }))(
    '%s sums to 0 and has its signature and length',
    (name, signature) => {
      const table = get(name);
      expect(byteSum(table.bytes)).toBe(0);
      expect(textAt(table, 0, 4)).toBe(signature);
      expect(view(table).getUint32(SDT.Length, true)).toBe(table.bytes.length);
    },
  );

  test('the RSDP sums to 0 over its first 20 bytes and over all 36, and is at a multiple of 16', () => {
    const { bytes, base } = get('RSDP');
    expect(byteSum(bytes.subarray(0, 20))).toBe(0);
    expect(byteSum(bytes)).toBe(0);
    expect(bytes.length).toBe(36);
    expect(base % 16).toBe(0);
  });

  test('are the same from the RSDP by the XSDT and by the RSDT', () => {
    const root = view(get('RSDP'));
    expect(root.getUint32(RSDP.RsdtAddress, true)).toBe(get('RSDT').base);
    expect(Number(root.getBigUint64(RSDP.XsdtAddress, true))).toBe(get('XSDT').base);
    const listed = ['FADT', 'MADT', 'IVRS', 'BGRT'].map((name) => get(name).base);
    const rsdt = get('RSDT');
    const xsdt = get('XSDT');
    const four = listed.map((_, i) => view(rsdt).getUint32(SDT.size + 4 * i, true));
    const eight = listed.map((_, i) => Number(view(xsdt).getBigUint64(SDT.size + 8 * i, true)));
    expect(four).toEqual(listed);
    expect(eight).toEqual(listed);
    expect([rsdt.bytes.length, xsdt.bytes.length]).toEqual([SDT.size + 16, SDT.size + 32]);
  });

  test('do not overlap', () => {
    const sorted = [...tables].sort((a, b) => a.base - b.base);
    for (const [index, { base, bytes }] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next !== undefined) expect(base + bytes.length).toBeLessThanOrEqual(next.base);
    }
  });

  test('the FADT has the addresses of FACS and DSDT; the FACS is at a multiple of 64', () => {
    const fadt = view(get('FADT'));
    expect(fadt.getUint32(FADT.FIRMWARE_CTRL, true)).toBe(get('FACS').base);
    expect(fadt.getUint32(FADT.DSDT, true)).toBe(get('DSDT').base);
    expect(Number(fadt.getBigUint64(FADT.X_DSDT, true))).toBe(get('DSDT').base);
    expect(get('FACS').base % 64).toBe(0);
  });

  test.each([1, 4, 8])('the MADT has a local APIC for each of %i CPUs and one I/O APIC', (cpus) => {
    const table = get('MADT', acpiTables({ ...request, cpus }));
    const ids: number[] = [];
    const types = new Map<number, number>();
    let at: number = MADT.size;
    while (at < table.bytes.length) {
      const [type = -1, length = 0] = table.bytes.subarray(at, at + 2);
      expect(length).toBeGreaterThan(2);
      types.set(type, (types.get(type) ?? 0) + 1);
      if (type === MADT_LOCAL_APIC.type) ids.push(table.bytes[at + MADT_LOCAL_APIC.APICID] ?? -1);
      at += length;
    }
    expect(at).toBe(table.bytes.length);
    expect(ids).toEqual(Array.from({ length: cpus }, (_, id) => id));
    expect(types.get(MADT_IO_APIC.type)).toBe(1);
  });

  test('the IVRS has one IOMMU with its register base and its devices', () => {
    const table = get('IVRS');
    const at = IVRS.size;
    const ivhd = view(table);
    expect(table.bytes[at + IVHD_10H.Type]).toBe(0x10);
    expect(ivhd.getUint16(at + IVHD_10H.Length, true)).toBe(table.bytes.length - at);
    expect(ivhd.getUint16(at + IVHD_10H.DeviceID, true)).toBe(IOMMU_DEVICE_ID);
    expect(Number(ivhd.getBigUint64(at + IVHD_10H.IOMMUBaseAddress, true))).toBe(IOMMU_MMIO_BASE);
    const range = [0, 1].map((i) => at + IVHD_10H.size + i * IVHD_ENTRY.size);
    expect(range.map((one) => table.bytes[one])).toEqual([3, 4]);
    expect(range.map((one) => ivhd.getUint16(one + IVHD_ENTRY.DeviceID, true))).toEqual([
      IOMMU_FIRST_DEVICE,
      IOMMU_LAST_DEVICE,
    ]);
  });

  const { imageAt: _image, ...noImage } = request;
  test.each([
    ['an IOMMU', { ...request, iommu: false }, ['FADT', 'MADT', 'BGRT']],
    ['an image', noImage, ['FADT', 'MADT', 'IVRS']],
    ['a MADT', { ...request, madt: false }, ['FADT', 'IVRS', 'BGRT']],
    ['any of them', { ...noImage, iommu: false, madt: false }, ['FADT']],
  ])('without %s are not there, nor listed', (_what, given, listed) => {
    const found = acpiTables(given);
    const image = 'imageAt' in given ? ['BGRT image'] : [];
    expect(found.map(({ name }) => name)).toEqual([
      ...['RSDP', 'DSDT', ...listed, 'RSDT', 'XSDT', 'FACS', ...image],
    ]);
    const addresses = listed.map((name) => get(name, found).base);
    const [rsdt, xsdt] = [get('RSDT', found), get('XSDT', found)];
    expect([rsdt.bytes.length, xsdt.bytes.length]).toEqual([
      SDT.size + 4 * listed.length,
      SDT.size + 8 * listed.length,
    ]);
    expect(listed.map((_, i) => view(rsdt).getUint32(SDT.size + 4 * i, true))).toEqual(addresses);
  });

  test('the BGRT points to a bitmap with its own size', () => {
    const bgrt = get('BGRT');
    const image = get('BGRT image');
    expect(Number(view(bgrt).getBigUint64(BGRT.ImageAddress, true))).toBe(image.base);
    expect(view(bgrt).getUint16(BGRT.Version, true)).toBe(1);
    expect((bgrt.bytes[BGRT.Status] ?? 0) & 0xfe).toBe(0);
    expect(textAt(image, 0, 2)).toBe('BM');
    const bmp = view(image);
    expect(bmp.getUint32(BMP.bfSize, true)).toBe(image.bytes.length);
    const pixels = bmp.getUint32(BMP.biWidth, true) * bmp.getUint32(BMP.biHeight, true) * 3;
    expect(bmp.getUint32(BMP.bfOffBits, true) + pixels).toBe(image.bytes.length);
  });
});
