/** A second kernel on EFI: the first one passes its runtime map and the original addresses of the system table. */
import { describe, expect, test } from '@jest/globals';
import { deserialize, serialize } from '../../src/machine/codec.js';
import { pa } from '../../src/machine/address.js';
import { EFI_SETUP_DATA, SETUP_DATA } from '../../src/firmware/efi/layout.js';
import type { Boot } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { boot, intact, scenario } from '../helpers.js';

/** A boot at a stage, with a second kernel at another; with 256 MiB the first one ends early from patch 10 on. */
function kexec(stage: number, next: number, ...extra: string[]): Boot {
  const ram = stage === 18 ? '2GiB' : '256MiB';
  const settings = ['firmware.type=efi', `machine.ram=${ram}`, `kexec.stage=${String(next)}`];
  return boot({ stage, scenario: scenario('kexec', ...settings), with: extra });
}
const events = (trace: Trace, label: string): TraceEvent[] =>
  trace.steps.find((step) => step.label === label)?.events ?? [];
const PASSED = [
  'setup_data[0]',
  'EFI setup data',
  'EFI system table',
  'EFI configuration tables',
  'EFI runtime services',
  'EFI memory map',
];

describe('efi_setup_data has the offsets of struct efi_setup_data', () => {
  test.each([
    ['fw_vendor', 0],
    ['runtime', 8],
    ['tables', 16],
    ['smbios', 24],
    ['reserved', 32],
    ['size', 96],
  ] as const)('%s is %i', (name, offset) => {
    expect(EFI_SETUP_DATA[name]).toBe(offset);
  });
});

describe('without encryption', () => {
  const trace = kexec(0, 0).run();

  test('the second kernel boots on EFI, and reads all passed data intact', () => {
    expect(trace.outcome).toEqual({ kind: 'booted', where: 'run_init' });
    for (const name of PASSED) expect([name, intact(trace, `kexec ${name}`)]).toEqual([name, true]);
  });

  test('the firmware is called at the addresses set by the first kernel, which are not set again', () => {
    const calls = (label: string): unknown[] =>
      events(trace, label)
        .filter(({ what }) => typeof what === 'string' && what.startsWith('firmware'))
        .map(({ enter }) => enter);
    expect(calls('efi_enter_virtual_mode')).toEqual(
      expect.arrayContaining(['SetVirtualAddressMap', 'SetVariable']),
    );
    expect(calls('kexec:efi_enter_virtual_mode')).toContain('SetVariable');
    expect(calls('kexec:efi_enter_virtual_mode')).not.toContain('SetVirtualAddressMap');
  });

  test('resumes from a snapshot in the second kernel with the same rest of the trace', () => {
    const first = kexec(0, 0);
    first.runTo('kexec:efi_init');
    const snapshot = first.snapshot();
    // The passed data is plain data, serialized with the snapshot.
    expect(snapshot.passed?.map.length).toBeGreaterThan(0);
    expect(deserialize(serialize(snapshot.passed))).toEqual(snapshot.passed);
    const second = kexec(0, 0);
    second.restore(snapshot);
    expect(printTrace(second.run())).toBe(printTrace(trace));
  });

  test('a first kernel without a runtime map passes no EFI', () => {
    const it = kexec(0, 0);
    it.runTo('run_init');
    it.kernel.state.efi.runtimeMap = [];
    const without = it.run();
    expect(without.outcome.kind).toBe('booted');
    expect(intact(without, 'kexec EFI system table')).toBeUndefined();
  });
});

describe('with encryption in the second kernel', () => {
  test('the passed data is read in the clear, by patch 10', () => {
    const trace = kexec(17, 18).run();
    expect(trace.outcome.kind).toBe('booted');
    for (const name of PASSED) expect([name, intact(trace, `kexec ${name}`)]).toEqual([name, true]);
  });

  test('with encryption in the first kernel too, and its kexec pages mapped without the mask, efi_setup is plaintext', () => {
    const it = kexec(18, 18, '10/kexec-plain');
    it.runTo('kexec:efi_init');
    const region = it.loaded.regions.find(({ name }) => name === 'EFI setup data');
    const at = (region?.base ?? 0) + SETUP_DATA.data;
    const data = new DataView(it.machine.dmaRead(pa(at), EFI_SETUP_DATA.size).buffer);
    const { systab } = it.kernel.state.efi;
    expect(data.getBigUint64(EFI_SETUP_DATA.tables, true)).toBe(systab?.tables);
    expect(systab?.tables).not.toBe(0n);
    const trace = it.run();
    expect(trace.outcome.kind).toBe('booted');
    for (const name of PASSED) expect([name, intact(trace, `kexec ${name}`)]).toEqual([name, true]);
  });

  test('with the series as posted the second kernel is not reached', () => {
    expect(kexec(18, 18).run().outcome).toMatchObject({ where: 'relocate_kernel' });
  });
});
