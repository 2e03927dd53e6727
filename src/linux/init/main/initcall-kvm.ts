/** init/main.c, do_initcalls(): initializes KVM, then runs a virtual machine monitor. */
import { bodies, label } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    'do_initcalls:kvm'(k: Kernel): void;
  }
}

export const initcallKvm = bodies({
  // kvm_amd's module_init; then the VMM, if the scenario has a guest.
  'do_initcalls:kvm': label((k: Kernel) => {
    if (!k.state.guest) return;
    k.state.kvm = {
      saveArea: 0,
      asidGeneration: 0,
      maxAsid: 0,
      nextAsid: 0,
      iopmBase: 0,
      slot: null,
      vcpu: null,
      hostMsrs: [],
      warned: false,
      dirtyPfns: [],
      answered: [],
    };
    if (k.fn.kvm_arch_init() < 0) return;
    k.fn.svm_hardware_setup();
    k.fn['vmm:main']();
  }),
});
