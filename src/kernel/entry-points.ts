/** Functions that boot steps enter by name, without a body of their own in the table, and their files. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  startup_64: 'arch/x86/kernel/head_64.S',
  early_idt_handler_array: 'arch/x86/kernel/head_64.S',
  x86_64_start_kernel: 'arch/x86/kernel/head64.c',
  start_kernel: 'init/main.c',
  setup_arch: 'arch/x86/kernel/setup.c',
  machine_kexec: 'arch/x86/kernel/machine_kexec_64.c',
  secondary_startup_64: 'arch/x86/kernel/head_64.S',
  start_secondary: 'arch/x86/kernel/smpboot.c',
  cpu_init: 'arch/x86/kernel/cpu/common.c',
};
