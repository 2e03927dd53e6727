import { describe, expect, test } from '@jest/globals';
import { pa } from '../../../../../src/machine/address.js';
import { MPC_CPU } from '../../../../../src/linux/arch/x86/kernel/mpparse/mpc.js';
import { MPC, MPF } from '../../../../../src/linux/arch/x86/kernel/mpparse/mpf.js';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import { firstOf } from '../../../../cases.js';
import { boot, scenario } from '../../../../helpers.js';

const TABLE_AT = 0xf_1000;
const text = (value: string): number[] => [...value].map((c) => c.charCodeAt(0));

/** Sets the byte at `at` so that the bytes sum to `sum`; 0 is a valid checksum. */
function summed(bytes: Uint8Array, at: number, sum = 0): Uint8Array {
  bytes[at] = 0;
  bytes[at] = (sum - bytes.reduce((total, byte) => total + byte, 0)) & 0xff;
  return bytes;
}

interface Pointer {
  readonly physptr?: number;
  readonly length?: number;
  readonly specification?: number;
  readonly sum?: number;
}

function pointer({ physptr = TABLE_AT, length = 1, specification = 4, sum = 0 }: Pointer = {}) {
  const bytes = new Uint8Array(MPF.size);
  const view = new DataView(bytes.buffer);
  bytes.set(text('_MP_'));
  view.setUint32(MPF.physptr, physptr, true);
  bytes[MPF.length] = length;
  bytes[MPF.specification] = specification;
  return summed(bytes, MPF.checksum, sum);
}

/** An MP table with a processor entry for each of `flags`, then a bus entry. */
function table(flags: readonly number[], sum = 0): Uint8Array {
  const bytes = new Uint8Array(MPC.size + flags.length * MPC_CPU.size + 8);
  const view = new DataView(bytes.buffer);
  bytes.set(text('PCMP'));
  view.setUint16(MPC.length, bytes.length, true);
  bytes[MPC.spec] = 4;
  bytes.set(text('SME-BOOT'), MPC.oem);
  bytes.set(text('TEST MACHINE'), MPC.productid);
  view.setUint32(MPC.lapic, 0xfee0_0000, true);
  flags.forEach((flag, i) => {
    const at = MPC.size + i * MPC_CPU.size;
    bytes[at + MPC_CPU.apicid] = i;
    bytes[at + MPC_CPU.cpuflag] = flag;
  });
  bytes[bytes.length - 8] = 1;
  return summed(bytes, MPC.checksum, sum);
}

/** A boot after find_smp_config(), with the pointer `mpf` at the address `at`, and an MP table. */
function found(at: number, mpf = pointer(), options: Parameters<typeof boot>[0] = {}): Boot {
  const b = boot({ stage: 0, ...options });
  // No other tables: with a MADT the MP table would not be read.
  b.machine.dmaWrite(pa(0xe_0000), new Uint8Array(0x2_0000));
  b.machine.dmaWrite(pa(TABLE_AT), table([3, 1, 0]));
  b.machine.dmaWrite(pa(at), mpf);
  b.runTo('mtrr_bp_init');
  return b;
}
const isFound = (b: Boot): boolean => b.kernel.state.mp.mpfFound !== null;

test('MPF, MPC and MPC_CPU have the offsets of the MP specification, chapter 4', () => {
  expect(MPF).toEqual({
    signature: 0,
    physptr: 4,
    length: 8,
    specification: 9,
    checksum: 10,
    feature1: 11,
    size: 16,
  });
  expect(MPC).toMatchObject({ length: 4, spec: 6, checksum: 7, oem: 8, productid: 16, lapic: 36 });
  expect(MPC.size).toBe(44);
  expect(MPC_CPU).toEqual({ type: 0, apicid: 1, apicver: 2, cpuflag: 3, size: 20 });
});

describe('find_smp_config', () => {
  test.each(
    firstOf(3, [
      ['the start of the BIOS ROM', 0xf_0000, true],
      ['the last 16 bytes of the BIOS ROM', 0xf_fff0, true],
      ['an address off a multiple of 16', 0xf_0008, false],
      ['the last 16 bytes below the BIOS ROM', 0xe_fff0, false],
      ['the last KiB of 640', 639 * 1024, true],
      ['the end of the last KiB', 640 * 1024 - 16, true],
      ['the first KiB', 0x3f0, true],
      ['an address above the first KiB', 0x500, false],
    ]),
  )('finds a pointer at %s (%i): %s', (_what, at, there) => {
    expect(isFound(found(at))).toBe(there);
  });

  test.each([
    ['its first bytes', 0, true],
    ['the end of its first KiB', 0x3f0, true],
    ['the byte after its first KiB', 0x400, false],
  ])(
    'finds a pointer in the extended BIOS data area at %s (offset %i): %s',
    (_what, offset, there) => {
      const b = boot({
        stage: 0,
        scenario: scenario('bios-minimal', 'firmware.ebdaSegment=0x9d00'),
      });
      b.machine.dmaWrite(pa(0xf_0000), new Uint8Array(0x1_0000));
      b.machine.dmaWrite(pa(TABLE_AT), table([3]));
      b.machine.dmaWrite(pa(0x9_d000 + offset), pointer());
      b.runTo('mtrr_bp_init');
      expect(isFound(b)).toBe(there);
    },
  );

  test.each([
    ['another length', { length: 2 }],
    ['another version', { specification: 2 }],
    ['a wrong checksum', { sum: 1 }],
  ])('rejects a pointer with %s', (_what, fields) => {
    expect(isFound(found(0xf_0000, pointer(fields)))).toBe(false);
  });

  test('reserves the pointer and the table', () => {
    const { reserved } = found(0xf_0000).kernel.state.memblock;
    const holds = (at: number): boolean =>
      reserved.some(({ base, size }) => at >= base && at < base + size);
    expect([0xf_0000, 0xf_000f, TABLE_AT].map(holds)).toEqual([true, true, true]);
  });
});

describe('get_smp_config', () => {
  test('does not read the MP table where the MADT has local APICs', () => {
    const b = boot({ stage: 0 });
    b.runTo('x86_dtb_init');
    expect(isFound(b)).toBe(true);
    expect(b.kernel.state.madt.apicIds).toEqual([0]);
    expect(b.kernel.state.mp.processors).toEqual([]);
  });

  test('stores the enabled processors and the local APIC’s address', () => {
    const b = found(0xf_0000);
    b.runTo('x86_dtb_init');
    expect(b.kernel.state.mp).toMatchObject({
      processors: [
        { apicid: 0, bootup: true },
        { apicid: 1, bootup: false },
      ],
      lapic: 0xfee0_0000,
    });
    expect(b.kernel.state.console.printk.log).toContain('MPTABLE: OEM ID: SME-BOOT');
  });

  test.each([
    ['a wrong checksum', table([3], 1), 'MPTABLE: checksum error!'],
    ['another signature', table([3]).fill(0x51, 0, 1), 'MPTABLE: bad signature!'],
  ])('rejects a table with %s', (_what, bytes, line) => {
    const b = found(0xf_0000);
    b.machine.dmaWrite(pa(TABLE_AT), bytes);
    b.runTo('x86_dtb_init');
    expect(isFound(b)).toBe(false);
    expect(b.kernel.state.console.printk.log).toContain(line);
  });
});

test.each(
  firstOf(1, [
    [17, false, true],
    [18, false, false],
    [9, true, false],
  ]),
)(
  'at stage %i, activated %s, the scan through the direct map finds the pointer: %s',
  (stage, activate, there) => {
    const b = found(0xf_0000, pointer(), { stage, activate });
    expect(isFound(b)).toBe(there);
    b.runTo('x86_dtb_init');
    expect(b.kernel.state.mp.processors.length).toBe(there ? 2 : 0);
  },
);
