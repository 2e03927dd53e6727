/** What the sanitizer does not report with the whole series, since the code is right. */
import { describe, expect, test } from '@jest/globals';
import { scenario, boot } from '../helpers.js';
import type { SanitizerReport } from '../../src/trace/report.js';
import type { Trace } from '../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../cases.js';

const known = new Map<string, Trace>();

function traceOf(name: string, ...settings: string[]): Trace {
  const key = [name, ...settings].join(' ');
  const before = known.get(key);
  if (before !== undefined) return before;
  const trace = boot({ scenario: scenario(name, ...settings), sanitize: true }).run();
  known.set(key, trace);
  return trace;
}

const reportsOf = (...run: Parameters<typeof traceOf>): readonly SanitizerReport[] =>
  traceOf(...run).reports ?? [];

const functions =
  (...names: string[]) =>
  ({ in: by }: SanitizerReport): boolean =>
    names.includes(by);

test.each(firstOf(1, ['intel', 'config-off', 'option-absent', 'amd-fam15h']))(
  'nothing at all on %s, with all patches',
  (name) => {
    expect(reportsOf(name)).toEqual([]);
  },
);

describe.each(firstOf(1, ['bios-minimal', 'epyc-efi']))('on %s', (name) => {
  test.each<[string, (report: SanitizerReport) => boolean]>([
    ['the initrd that is encrypted in place after WBINVD', functions('sme_early_mem_enc')],
    ['the read of the encrypted initrd', functions('unpack_to_rootfs', 'do_populate_rootfs')],
    ['the copy of the zero page through a temporary mapping', functions('sme_memcpy')],
    ['the clear of the BSS', functions('clear_bss')],
    ['ACPI tables through I/O mappings', ({ in: by }) => by.startsWith('acpi_')],
    ['SMBIOS structures through I/O mappings', ({ in: by }) => by.startsWith('dmi_')],
    ['the stacks for 16-bit segments', ({ in: by }) => by.includes('espfix')],
    ['the return from them', functions('native_irq_return_ldt')],
    ['walks of tables, whose root has the C-bit in CR3', ({ what }) => what.startsWith('a walk')],
    ['the memory of /init', functions('/init', 'run_init_process', 'map_user_pages')],
    ['the trampoline, which is decrypted before it is used', ({ at }) => /trampoline/.test(at)],
    ['another CPU', ({ cpu }) => cpu !== undefined],
    ['firmware that is called in EFI mappings', functions('efi_call')],
    ['runtime regions of EFI', ({ at }) => at.includes('EFI runtime')],
  ])('not %s', (_what, matches) => {
    expect(reportsOf(name).filter(matches)).toEqual([]);
  });
});

exhaustiveTest('epyc-efi does all of this', () => {
  const { steps, consumed, outcome } = traceOf('epyc-efi');
  const by = new Set(steps.flatMap(({ events }) => events.map((event) => event.in)));
  for (const each of ['sme_early_mem_enc', 'sme_memcpy', 'clear_bss', 'efi_call', 'init_espfix_ap'])
    expect(by).toContain(each);
  const intact = consumed.filter((each) => each.intact).map(({ name }) => name);
  for (const each of ['espfix frame', 'SMBIOS structures', 'RSDP', 'trampoline', 'initrd'])
    expect(intact).toContain(each);
  expect(outcome.kind).toBe('booted');
});

exhaustiveTest('not an initrd that is moved, after it was encrypted in place', () => {
  const moved = ['bios-minimal', 'cmdline="root=/dev/ram0 mem_encrypt=on mem=1G"'] as const;
  const events = traceOf(...moved).steps.flatMap((step) => step.events);
  expect(events.map((event) => event.in)).toContain('relocate_initrd');
  const by = functions('relocate_initrd', 'sme_early_mem_enc', 'unpack_to_rootfs');
  expect(reportsOf(...moved).filter(by)).toEqual([]);
});
