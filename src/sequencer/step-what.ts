/** What each step of a boot does, in a line. */
import { BOOT_STEPS } from '../linux/boot-steps.js';
import { KEXEC_LABEL } from './kexec.js';

/** The description of a step, by its label; a step of the kernel that kexec entered has that of the same step. */
export function whatOf(label: string): string {
  const own = label.startsWith(KEXEC_LABEL) ? label.slice(KEXEC_LABEL.length) : label;
  const step = BOOT_STEPS.find((each) => each.label === own);
  return step?.what ?? 'firmware and loader put kernel, initrd and zero page into memory';
}
