import { describe, expect, test } from '@jest/globals';
import { FIX_APIC_BASE } from '../../../../../../../src/kernel/constants.js';
import { onlineCpus } from '../../../../../../../src/linux/include/linux/cpumask.js';
import { LOCAL_APIC_BASE } from '../../../../../../../src/machine/devices/apic-registers.js';
import { eventsOf, printed, threeCpus } from '../../../../../smp-boots.js';
import { exhaustiveTest, firstOf } from '../../../../../../cases.js';

describe('the local APIC’s fixmap', () => {
  test('is 515 pages below the end of the fixmaps', () => {
    const it = threeCpus({ stage: 0 });
    expect(it.kernel.fn.fix_to_virt(FIX_APIC_BASE)).toBe(0xff5f_d000 - 2 ** 32);
  });

  test.each(firstOf(1, [0, 5, 6, 18]))(
    'at stage %p is one uncached page without the C-bit',
    (stage) => {
      const it = threeCpus({ stage });
      const trace = ((): ReturnType<typeof it.run> => {
        it.runTo('smp_prepare_cpus');
        it.outcome = { kind: 'booted', where: 'test' };
        it.recorder.outcome(it.outcome);
        return it.finish();
      })();
      const maps = eventsOf(trace, 'smp_prepare_cpus').filter(({ map }) => map !== undefined);
      expect(maps).toHaveLength(1);
      expect(maps[0]).toMatchObject({ pa: '0xfee00000..0xfee00fff', C: 0, type: 'UC', size: '4K' });
      expect(it.kernel.fn.read_apic_id()).toBe(0);
    },
  );

  exhaustiveTest('with the C-bit reaches no APIC: ids read as 0xff, and no CPU is started', () => {
    const it = threeCpus({ stage: 18 }, 'firmware.syscfgMemEncrypt=true');
    it.runTo('set_real_mode_permissions');
    const { kernel } = it;
    kernel.fn.native_set_fixmap(FIX_APIC_BASE, LOCAL_APIC_BASE, kernel.fn.PAGE_KERNEL_NOCACHE());
    expect(kernel.fn.read_apic_id()).toBe(0xff);
    const trace = it.run();
    expect(printed(trace, 'smp_init')).toContain('do_boot_cpu failed(-1) to wakeup CPU#1');
    expect(onlineCpus(kernel)).toEqual([0]);
  });
});
