import { describe, expect, test } from '@jest/globals';
import { buildBuiltInImage } from '../../../../../../src/firmware/image/built-in.js';
import { BASE_VARIABLES } from '../../../../../../src/linux/index.js';
import {
  OPERANDS,
  realmodeVariables,
  RM,
  TRAMPOLINE_HEADER,
} from '../../../../../../src/linux/arch/x86/realmode/rmpiggy.js';
import { pa } from '../../../../../../src/machine/address.js';
import { link } from '../../../../../../src/series/link.js';
import type { Trace } from '../../../../../../src/trace/trace.js';
import { eventsOf, printed, threeCpus } from '../../../../smp-boots.js';
import { firstOf } from '../../../../../cases.js';

/** Events of one CPU. The trace has identical events of several CPUs once, with a range of CPU numbers, `1..2`. */
function onCpu(trace: Trace, cpu: number): readonly Readonly<Record<string, unknown>>[] {
  return eventsOf(trace, 'smp_init').filter(({ cpu: cpus }) => {
    const [first, last = first] = String(cpus).split('..').map(Number);
    return first !== undefined && last !== undefined && first <= cpu && cpu <= last;
  });
}

/** A boot in which bytes of the trampoline are overwritten before the first other CPU starts. */
function corrupted(offset: number, bytes: readonly number[], stage = 9): Trace {
  const it = threeCpus({ stage });
  it.runTo('set_real_mode_permissions');
  const range = it.kernel.state.memblock.reserved.find((r) => r.owner === 'reserve_real_mode');
  it.machine.dmaWrite(pa((range?.base ?? 0) + offset), Uint8Array.from(bytes));
  return it.run();
}

describe('the trampoline', () => {
  const it = threeCpus({ stage: 9 });
  const trace = it.run();
  const base =
    it.kernel.state.memblock.reserved.find((r) => r.owner === 'reserve_real_mode')?.base ?? 0;

  test.each([1, 2])(
    'takes CPU %p from real mode to the kernel’s page tables, writing registers in order',
    (cpu) => {
      const control = onCpu(trace, cpu).filter((e) => e.cr !== undefined || e.wrmsr !== undefined);
      expect(control.slice(0, 7).map((e) => [e.cr ?? e.wrmsr, e.in])).toEqual([
        ['CR0', 'trampoline_start'],
        ['CR4', 'pa_startup_32'],
        ['CR3', 'pa_startup_32'],
        ['EFER', 'pa_startup_32'],
        ['CR0', 'pa_startup_32'],
        ['CR4', 'secondary_startup_64'],
        ['CR3', 'secondary_startup_64'],
      ]);
      const [, , root] = control;
      expect([root?.value, root?.C]).toEqual([`0x${(base + RM.trampoline_pgd).toString(16)}`, 0]);
    },
  );

  test('runs from the overlay if the image does not contain its symbols', () => {
    const rest = BASE_VARIABLES.filter((variable) => !realmodeVariables.includes(variable));
    const image = buildBuiltInImage(link([]).baseFunctions, rest);
    const other = threeCpus({ stage: 9, image });
    expect(other.program.overlay.map(({ name }) => name)).toContain('real_mode_blob');
    expect(printed(other.run(), 'smp_init').at(-1)).toBe('x86: Booted up 1 node, 3 CPUs');
  });
});

describe('a corrupted trampoline', () => {
  test('in its 16-bit code: the CPU faults through the firmware’s vectors and is given up', () => {
    const trace = corrupted(RM.trampoline_start, [0]);
    expect(trace.outcome.kind).toBe('booted');
    expect(onCpu(trace, 1).at(-1)).toMatchObject({ fault: '#UD', in: 'trampoline_start' });
    expect(printed(trace, 'smp_init')).toContain('do_boot_cpu failed(-1) to wakeup CPU#1');
  });

  test.each(
    firstOf(3, [
      ['its 32-bit code', RM.startup_32 + 15, [0], 'pa_startup_32'],
      ['its 64-bit code', RM.startup_64, [0], 'pa_startup_64'],
      ['its code segments', RM.tr_gdt + 8, [0, 0, 0, 0, 0, 0, 0, 0], 'trampoline_start'],
      ['the first entry of its PGD', RM.trampoline_pgd, [0, 0, 0, 0], 'pa_startup_32'],
      [
        'the last entry of its PGD',
        RM.trampoline_pgd + 511 * 8,
        [0, 0, 0, 0, 0, 0, 0, 0],
        'secondary_startup_64',
      ],
      [
        'a kernel address that is not canonical',
        RM.trampoline_header + TRAMPOLINE_HEADER.start,
        [0, 0, 0, 0, 0, 0, 0, 0x80],
        'pa_startup_64',
      ],
      ['a CR4 without PAE', RM.trampoline_header + TRAMPOLINE_HEADER.cr4, [0], 'pa_startup_32'],
      ['another PGD', OPERANDS.pa_trampoline_pgd.at, [0, 0, 0, 0], 'pa_startup_32'],
    ] as const),
  )('in %s: without an IDT the CPU shuts down', (_what, offset, bytes, where) => {
    const trace = corrupted(offset, bytes);
    expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where });
    expect(trace.outcome.message).toMatch(/^CPU 1: /);
  });

  test('has no effect in bytes that are neither fetched nor read', () => {
    for (const offset of [RM.trampoline_start + 16, RM.startup_32 - 1, RM.startup_64 - 1]) {
      expect(printed(corrupted(offset, [0]), 'smp_init').at(-1)).toMatch(/3 CPUs/);
    }
  });
});
