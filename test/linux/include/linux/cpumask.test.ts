import { describe, expect, test } from '@jest/globals';
import {
  cpumask_clear_cpu,
  cpumask_set_cpu,
  cpumask_test_cpu,
  onlineCpus,
} from '../../../../src/linux/include/linux/cpumask.js';
import { boot } from '../../../helpers.js';

const it = boot({ stage: 0 });
it.runTo('early-idt');
const { kernel } = it;
const word = (): bigint => kernel.readU64(kernel.sym('cpu_callin_mask'));

describe('sets of CPUs', () => {
  test.each([0, 1, 62, 63])('CPU %p is the bit of the same number', (cpu) => {
    cpumask_set_cpu(kernel, cpu, 'cpu_callin_mask');
    expect(word()).toBe(1n << BigInt(cpu));
    expect(cpumask_test_cpu(kernel, cpu, 'cpu_callin_mask')).toBe(true);
    cpumask_clear_cpu(kernel, cpu, 'cpu_callin_mask');
    expect(word()).toBe(0n);
    expect(cpumask_test_cpu(kernel, cpu, 'cpu_callin_mask')).toBe(false);
  });

  test('CPU 64 is in the next word', () => {
    cpumask_set_cpu(kernel, 64, 'cpu_callin_mask');
    expect(word()).toBe(0n);
    cpumask_clear_cpu(kernel, 64, 'cpu_callin_mask');
  });

  test('the boot CPU is online from the start', () => {
    expect(onlineCpus(kernel)).toEqual([0]);
  });
});
