import { expect, test } from '@jest/globals';
import { boot, scenario } from '../../../../../helpers.js';

test('the null selector is in SS at the C code, and the CPU stays at CPL 0', () => {
  const subject = boot({ scenario: scenario('bios-minimal'), stage: 18 });
  const cpu = subject.machine.cpus[0];
  expect(cpu.ss).toBe(0x18);
  subject.runTo('x86_64_start_kernel');
  expect([cpu.ss, cpu.cpl, cpu.cs]).toEqual([0, 0, 0x10]);
});
