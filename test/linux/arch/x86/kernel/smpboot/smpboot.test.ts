import { describe, expect, test } from '@jest/globals';
import { THREAD_SIZE } from '../../../../../../src/kernel/constants.js';
import { cpumask_test_cpu, onlineCpus } from '../../../../../../src/linux/include/linux/cpumask.js';
import { KEY_HOST, KEY_PLAIN, pa } from '../../../../../../src/machine/address.js';
import { ACTIVITY } from '../../../../../../src/machine/cpu/cpu-core.js';
import { MSR } from '../../../../../../src/machine/cpu/msr.js';
import type { Trace } from '../../../../../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../../../../../cases.js';
import { boot } from '../../../../../helpers.js';
import { eventsOf, printed, threeCpus } from '../../../../smp-boots.js';

const ON = 'firmware.syscfgMemEncrypt=true';
const APS_OFF = 'firmware.syscfgMemEncryptOnAps=false';

/** Reads of the trampoline and of the APs' startup data, as `name: reader`, and whether the bytes were intact. */
const started = (trace: Trace): [string, boolean][] =>
  trace.consumed
    .filter(({ name }) => name.startsWith('AP ') || name === 'trampoline')
    .map(({ name, by, intact }) => [`${name}: ${by}`, intact]);

const ALL_UP: [string, boolean][] = [1, 2].flatMap((cpu) => [
  [`trampoline: trampoline_start (CPU ${String(cpu)})`, true],
  [`AP ${String(cpu)}: secondary_startup_64`, true],
  [`AP ${String(cpu)}: cpu_init`, true],
]);

describe('other CPUs', () => {
  test.each(
    firstOf(3, [
      [9, false, []],
      [14, false, []],
      [17, false, [APS_OFF]],
      [18, false, [ON]],
      [11, true, [ON]],
      [14, true, [ON]],
      [15, true, [ON]],
    ] as const),
  )('come up at stage %p, activated %p, with %p', (stage, activate, settings) => {
    const it = threeCpus({ stage, activate }, ...settings);
    const trace = it.run();
    expect(trace.outcome.kind).toBe('booted');
    expect(started(trace)).toEqual(ALL_UP);
    expect(printed(trace, 'smp_init').at(-1)).toBe('x86: Booted up 1 node, 3 CPUs');
    expect(onlineCpus(it.kernel)).toEqual([0, 1, 2]);
  });

  test('run encrypted with SYSCFG[23] set on every CPU: C-bit in CR3, same PAT as the boot CPU', () => {
    const it = threeCpus({ stage: 18 }, ON);
    it.runTo('smp_init');
    const [bsp, ...aps] = it.machine.cpus;
    for (const ap of aps) {
      expect([ap.cr3 >> 47n, ap.mode, ap.activity]).toEqual([1n, '64-bit', ACTIVITY.running]);
      expect(ap.rdmsr(MSR.PAT)).toBe(bsp.rdmsr(MSR.PAT));
      expect(ap.rdmsr(MSR.MTRRdefType)).toBe(bsp.rdmsr(MSR.MTRRdefType));
      expect(ap.idtr).toEqual(bsp.idtr);
    }
  });

  exhaustiveTest('without patch 11 fetch ciphertext in real mode and do not come up', () => {
    const trace = threeCpus({ stage: 10, activate: true }, ON).run();
    expect(trace.outcome.kind).toBe('booted');
    expect(started(trace)).toEqual([
      ['trampoline: trampoline_start (CPU 1)', false],
      ['trampoline: trampoline_start (CPU 2)', false],
    ]);
    const faults = eventsOf(trace, 'smp_init').filter(({ fault }) => fault !== undefined);
    expect(faults.map(({ fault, cpu, in: where }) => [fault, cpu, where])).toEqual([
      ['#UD', '1..2', 'trampoline_start'],
    ]);
    expect(printed(trace, 'smp_init')).toContain('do_boot_cpu failed(-1) to wakeup CPU#1');
    expect(printed(trace, 'smp_init').at(-1)).toBe('x86: Booted up 1 node, 1 CPUs');
  });

  test.each(
    firstOf(1, [
      ['set on the boot CPU only, by firmware', 18, false, [ON, APS_OFF]],
      ['set on the boot CPU only, by the kernel', 18, false, []],
      ['set on the boot CPU only, without patch 15', 14, true, [ON, APS_OFF]],
      ['set on the boot CPU only, with patch 15', 15, true, [ON, APS_OFF]],
    ] as const),
  )(
    'with SYSCFG[23] %s, shut down at the first fetch after CR0.PG',
    (_what, stage, activate, settings) => {
      const it = threeCpus({ stage, activate }, ...settings);
      const trace = it.run();
      expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where: 'pa_startup_32' });
      expect(trace.outcome.message).toMatch(/^CPU 1: no handler for #PF/);
      const events = eventsOf(trace, 'smp_init').filter(({ cpu }) => cpu === 1);
      const paging = events.findIndex(({ cr, value }) => cr === 'CR0' && value === '0x80010001');
      // A write of CR0 is recorded after the next fetch, which faults here: the trace has the fault only.
      expect(paging).toBe(-1);
      expect(events.at(-1)).toMatchObject({ why: 'reserved', in: 'pa_startup_32' });
      expect(it.machine.cpus[1]?.activity).toBe(ACTIVITY.shutdown);
      // The code of patch 15 was not reached: the AP did not write the MSR.
      expect(events.filter(({ wrmsr }) => wrmsr === 'SYSCFG')).toEqual([]);
    },
  );

  exhaustiveTest('with the C-bit at or above MAXPHYADDR shut down in pa_startup_32 too', () => {
    const trace = threeCpus({ stage: 18 }, 'machine.cpu=zen-3', ON, APS_OFF).run();
    expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where: 'pa_startup_32' });
  });
});

describe('do_boot_cpu', () => {
  test('sends INIT, its deassertion and two STARTUPs with the trampoline’s page', () => {
    const trace = threeCpus({ stage: 9 }).run();
    const ipis = eventsOf(trace, 'smp_init').filter(({ ipi }) => ipi === 1);
    expect(ipis.map(({ what, n }) => [what, n ?? 1])).toEqual([
      ['INIT', 1],
      ['INIT deassert', 1],
      ['STARTUP', 2],
    ]);
  });

  test('leaves the warm-reset vector and the trampoline’s status cleared', () => {
    const it = threeCpus({ stage: 9 });
    it.runTo('smp_init');
    expect(it.kernel.readU32(it.kernel.__va(0x467))).toBe(0);
  });

  test.each([
    [9, [], 0, true],
    [18, [ON], 1, true],
    [18, [ON], 0, false],
  ] as const)(
    'at stage %d, %p, has the trampoline in the warm-reset vector at INIT, read with C=%d: %p',
    (stage, settings, c, there) => {
      const it = threeCpus({ stage }, ...settings);
      const before = it.kernel.fn.wakeup_secondary_cpu_via_init;
      const seen: boolean[] = [];
      // Firmware reads 40:67 without the C-bit (MP Specification 1.4, B.4); a STARTUP IPI does not involve it.
      const atInit = (apicid: number, start: number): void => {
        const bytes = it.machine.dmaRead(pa(0x467), 4, c === 1 ? KEY_HOST : KEY_PLAIN);
        const vector = new DataView(bytes.buffer);
        seen.push(vector.getUint16(2, true) * 16 + vector.getUint16(0, true) === start);
        before(apicid, start);
      };
      Object.assign(it.kernel.fn, { wakeup_secondary_cpu_via_init: atInit });
      it.runTo('smp_init');
      expect(seen).toEqual([there, there]);
    },
  );

  test('gives each CPU its own stack', () => {
    const it = threeCpus({ stage: 9 });
    it.runTo('smp_init');
    const stacks = it.machine.cpus.map(({ rsp }) => Math.floor(rsp / THREAD_SIZE));
    expect(new Set(stacks).size).toBe(3);
  });

  test('fails for a CPU whose APIC id the machine does not have', () => {
    const it = threeCpus({ stage: 9 });
    it.runTo('acpi_boot_table_init');
    expect(it.kernel.state.madt.apicIds).toEqual([0, 1, 2]);
    it.kernel.state.madt.apicIds = [0, 1, 7];
    const trace = it.run();
    expect(printed(trace, 'smp_init')).toContain('do_boot_cpu failed(-1) to wakeup CPU#2');
    expect(onlineCpus(it.kernel)).toEqual([0, 1]);
    expect(cpumask_test_cpu(it.kernel, 2, 'cpu_initialized_mask')).toBe(false);
  });

  test.each([
    ['no CPU', [], ['smpboot: SMP motherboard not detected', 'smpboot: SMP disabled']],
    ['one CPU', [0], []],
  ] as const)('is not called where the tables list %s', (_what, apicIds, lines) => {
    const it = threeCpus({ stage: 9 });
    it.runTo('mm_init');
    it.kernel.state.madt.apicIds = [...apicIds];
    it.kernel.state.mp.processors = [];
    const trace = it.run();
    expect(trace.outcome.kind).toBe('booted');
    expect(printed(trace, 'smp_prepare_cpus')).toEqual(lines);
    expect(eventsOf(trace, 'smp_init')).toEqual([]);
  });
});

describe('a snapshot', () => {
  test.each(firstOf(1, ['set_real_mode_permissions', 'smp_init']))(
    'after %s continues to the same trace in another boot',
    (label) => {
      const first = threeCpus({ stage: 18 }, ON);
      first.runTo(label);
      const snapshot = structuredClone(first.snapshot());
      const second = threeCpus({ stage: 18 }, ON);
      second.restore(snapshot);
      expect(second.run()).toEqual(first.run());
    },
  );

  test('of a machine with one CPU has no state of other CPUs', () => {
    const it = boot({ stage: 0 });
    it.runTo('smp_init');
    expect(it.kernel.state.cpus).toEqual({});
  });
});
