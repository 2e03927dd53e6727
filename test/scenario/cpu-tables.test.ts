/** The table from which the kernel gets its CPUs: the MADT, the MP table, or none. */
import { describe, expect, test } from '@jest/globals';
import type { Trace } from '../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, intact, scenario } from '../helpers.js';
import { traceOf } from '../shared-traces.js';

/** Four CPUs on BIOS firmware with some tables missing. */
const four = (stage: number, ...settings: string[]): Trace =>
  boot({
    scenario: scenario(
      'ap-syscfg-clear',
      'machine.ram=256MiB',
      'firmware.syscfgMemEncryptOnAps=true',
      ...settings.map((setting) => `firmware.${setting}`),
    ),
    stage,
  }).run();
const consoleOf = (trace: Trace): string[] =>
  trace.steps
    .flatMap(({ events }) => events)
    .flatMap((event) => (typeof event.console === 'string' ? [event.console] : []));
/** How many CPUs are up at the end. */
const cpus = (trace: Trace): number =>
  1 + consoleOf(trace).filter((line) => line.startsWith('.... node')).length;

describe('with encryption off', () => {
  test('the MADT is used, and the MP table is searched for but not parsed', () => {
    const trace = four(17);
    expect(cpus(trace)).toBe(4);
    expect(intact(trace, 'MADT')).toBe(true);
    expect(intact(trace, 'MP configuration table')).toBeUndefined();
  });

  test('ACPI without a MADT ignores the MP table: one CPU', () => {
    const trace = four(17, 'madt=false');
    expect(cpus(trace)).toBe(1);
    expect(consoleOf(trace)).toEqual(
      expect.arrayContaining([
        'ACPI: No APIC-table, disabling MPS',
        'smpboot: SMP motherboard not detected',
      ]),
    );
    expect(intact(trace, 'MP configuration table')).toBeUndefined();
  });

  test('ACPI without a MADT and without an MP table: one CPU', () => {
    const trace = four(17, 'madt=false', 'mpTable=false');
    expect(cpus(trace)).toBe(1);
    expect(consoleOf(trace)).not.toContain('ACPI: No APIC-table, disabling MPS');
  });

  test('without ACPI all four CPUs are found in the MP table', () => {
    const trace = four(17, 'acpi=false');
    expect(cpus(trace)).toBe(4);
    expect(intact(trace, 'MP configuration table')).toBe(true);
    expect(intact(trace, 'RSDP')).toBeUndefined();
  });

  test('without ACPI and MP table: one CPU', () => {
    const trace = four(17, 'acpi=false', 'mpTable=false');
    expect(cpus(trace)).toBe(1);
    expect(trace.outcome.kind).toBe('booted');
  });
});

describe('with encryption on', () => {
  exhaustiveTest('the MADT is read and the MP table reads as garbage', () => {
    const trace = four(18);
    expect(cpus(trace)).toBe(4);
    expect(intact(trace, 'MP floating pointer')).toBeUndefined();
  });

  test('a machine with an MP table only uses one CPU', () => {
    const trace = four(18, 'acpi=false');
    expect(trace.outcome.kind).toBe('booted');
    expect(cpus(trace)).toBe(1);
    expect(consoleOf(trace)).toContain('smpboot: SMP motherboard not detected');
  });
});

test.each(firstOf(1, ['acpi', 'madt']))('EFI firmware may lack %s too', (table) => {
  const trace = boot({
    scenario: scenario('epyc-efi', 'machine.ram=256MiB', 'guest=false', `firmware.${table}=false`),
    stage: 17,
  }).run();
  expect(trace.outcome.kind).toBe('booted');
  expect(cpus(trace)).toBe(1);
  expect(intact(trace, 'RSDP')).toBe(table === 'acpi' ? undefined : true);
});

test('an AMD part without SME has no leaf 0x8000001f and ignores mem_encrypt=on', () => {
  const trace = traceOf({ scenario: scenario('amd-fam15h') });
  const leaves = trace.steps
    .flatMap(({ events }) => events)
    .flatMap((event) => (event.cpuid === undefined ? [] : [event.cpuid]));
  expect(leaves).toContain('0x80000000');
  expect(leaves).not.toContain('0x8000001f');
  expect(trace.consumed.filter((read) => !read.intact)).toEqual([]);
  expect(trace.outcome.kind).toBe('booted');
});
