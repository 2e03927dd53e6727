import { expect, test } from '@jest/globals';
import { threeCpus } from '../smp-boots.js';

test('on_each_cpu() reaches the CPUs that are online: the boot CPU before smp_init(), then all', () => {
  const it = threeCpus({ stage: 18 }, 'firmware.syscfgMemEncrypt=true');
  const reached = (): number[] => {
    const ids: number[] = [];
    it.kernel.fn.on_each_cpu(({ id }) => ids.push(id));
    return ids;
  };
  it.runTo('mm_init');
  expect(reached()).toEqual([0]);
  it.runTo('smp_init');
  expect(reached()).toEqual([0, 1, 2]);
});
