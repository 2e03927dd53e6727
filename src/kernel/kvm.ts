/** arch/x86/kvm/x86.c: a guest with nested paging. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    'do_initcalls:kvm'(k: Kernel): void;
  }
}

export const kvm = kernelFile('arch/x86/kvm/x86.c', {
  'do_initcalls:kvm': label(() => undefined),
});
