import { expect, test } from '@jest/globals';
import { VECTOR } from '../../../../../src/machine/types.js';
import { BootEnd } from '../../../../../src/kernel/ends.js';
import { boot, scenario } from '../../../../helpers.js';

/** The end of a boot in which the kernel, at a label, reads an address or runs code that gives an exception. */
function endAt(label: string, vector: 'UD' | 'GP'): Pick<BootEnd, 'where' | 'message'> {
  const subject = boot({ scenario: scenario('bios-minimal', 'machine.ram=128MiB'), stage: 0 });
  subject.runTo(label);
  const { kernel } = subject;
  try {
    if (vector === 'GP') kernel.canonical(1n << 60n);
    else kernel.fn.early_idt_handler_array({ vector: VECTOR.UD, error: 0, why: 'test' });
  } catch (error) {
    if (error instanceof BootEnd) return error;
    throw error;
  }
  throw new Error('no exception');
}

test.each([
  ['mm_init', 'UD', 'do_invalid_op', /^invalid opcode: 0000 \[#1\] SMP; Fatal exception: #UD$/],
  [
    'mm_init',
    'GP',
    'do_general_protection',
    /^general protection fault: 0000 \[#1\] SMP; .*#GP at/,
  ],
  ['setup_arch', 'UD', 'early_fixup_exception', /^PANIC: early exception 6 #UD$/],
  ['setup_arch', 'GP', 'early_fixup_exception', /^PANIC: early exception d #GP at/],
] as const)('at %s a #%s is handled by %s', (label, vector, where, message) => {
  const end = endAt(label, vector);
  expect(end.where).toBe(where);
  expect(end.message).toMatch(message);
});
