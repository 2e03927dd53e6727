/** Positions of the C-bit: CPUID reports it, but the kernel of 2016 does not work with every position. */
import { describe, expect, test } from '@jest/globals';
import { boot, intact, scenario } from '../helpers.js';

const at = (cBit: number): ReturnType<typeof boot> =>
  boot({
    scenario: scenario(
      'bios-minimal',
      `machine.sme={"cBit":${String(cBit)},"reduction":${String(Math.min(16, 48 - Math.min(cBit, 48)))}}`,
    ),
  });

describe('the C-bit', () => {
  // __PHYSICAL_MASK_SHIFT is 46: PTE_PFN_MASK clears bits from 46 on.
  test.each([46, 47, 51])('at %i boots to the same outcome', (cBit) => {
    const trace = at(cBit).run();
    expect(trace.outcome).toEqual({ kind: 'booted', where: 'run_init' });
    expect(intact(trace, 'command line')).toBe(true);
  });

  // A bit of an ordinary address: of a table pointer, of a page, of a sum that carries. No boot reaches /init.
  test.each([
    [12, 'triple-fault', 'startup_64'],
    [15, 'hung', 'find_ucode_in_initrd'],
    [21, 'triple-fault', '.Lencrypt_start'],
    [31, 'panic', 'early_fixup_exception'],
    [32, 'panic', 'early_fixup_exception'],
  ])('at %i ends in a %s in %s', (cBit, kind, where) => {
    expect(at(cBit).run().outcome).toMatchObject({ kind, where });
  });

  test.each([12, 21, 31])('at %i changes nothing if encryption stays off', (cBit) => {
    const sme = `machine.sme={"cBit":${String(cBit)},"reduction":5}`;
    const trace = boot({ scenario: scenario('bios-minimal', sme), stage: 17 }).run();
    expect(trace.outcome.kind).toBe('booted');
    expect(trace.consumed.filter((consumed) => !consumed.intact)).toEqual([]);
  });

  test('must leave 32 address bits, and be an address bit', () => {
    const made = (sme: string) => () =>
      boot({ scenario: scenario('bios-minimal', `machine.sme=${sme}`) });
    expect(made('{"cBit":47,"reduction":17}')).toThrow(
      /E_CPU_MODEL: machine\.sme\.reduction.*found 17/,
    );
    expect(made('{"cBit":11,"reduction":5}')).toThrow(/machine\.sme\.cBit/);
    expect(made('{"cBit":52,"reduction":5}')).toThrow(/machine\.sme\.cBit/);
  });

  test('at 45 stays in the table address that __clear_mapping computes', () => {
    const { outcome, steps } = at(45).run();
    // early_dynamic_pgts through __START_KERNEL_map, with bit 45 added, in 64 bits.
    const address = BigInt.asUintN(64, 0xffff_ffff_81d0_1000n + (1n << 45n));
    expect(outcome).toMatchObject({ kind: 'panic', where: 'early_fixup_exception' });
    const fault = steps.at(-1)?.events.find((event) => 'fault' in event);
    expect(fault).toMatchObject({
      fault: `#PF(0) at 0x${address.toString(16)}`,
      in: '__clear_mapping',
      hunk: '09/bootdata',
    });
  });
});
