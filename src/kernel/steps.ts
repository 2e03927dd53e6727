/**
 * The boot as labelled steps, in the kernel's order (facts: boot timeline, steps 3–32). Between labels nothing lives on
 * the host's stack: what goes on is in the machine and in the kernel's plain state.
 */
import type { Va } from '../machine/address.js';
import type { Kernel } from './kernel.js';

export interface BootStep {
  readonly label: string;
  /** What happens, in a line for a person. */
  readonly what: string;
  run(k: Kernel): void;
}

/** Where the zero page is: the loader passes its physical address in RSI. */
const realModeData = (k: Kernel): Va => k.__va(k.cpu.rsi);

export const BOOT_STEPS: readonly BootStep[] = [
  {
    label: 'startup_64',
    what: 'the kernel is entered at its physical address; stack and load offset',
    run: (k) => {
      k.fn.startup_64();
      k.fn['startup_64:after-checks']();
    },
  },
  {
    label: 'startup_64:fixup',
    what: 'the static page tables get the load offset',
    run: (k) => {
      k.fn['startup_64:fixup']();
    },
  },
  {
    label: 'startup_64:identity-map',
    what: 'the kernel is mapped at its physical address as well',
    run: (k) => {
      k.fn['startup_64:identity-map']();
    },
  },
  {
    label: 'startup_64:phys_base',
    what: 'the load offset is stored',
    run: (k) => {
      k.fn['startup_64:phys_base']();
    },
  },
  {
    label: 'startup_64:switch',
    what: 'CR3 is loaded, the kernel runs at its linked address',
    run: (k) => {
      k.fn['startup_64:switch']();
      k.jump('x86_64_start_kernel');
    },
  },
  {
    label: 'x86_64_start_kernel',
    what: 'the identity map goes, .bss is cleared',
    run: (k) => {
      k.fn['x86_64_start_kernel:reset']();
    },
  },
  {
    label: 'early-idt',
    what: 'early exception handlers are in place',
    run: (k) => {
      k.fn['x86_64_start_kernel:early-idt']();
    },
  },
  {
    label: 'copy_bootdata',
    what: 'the zero page and the command line are copied',
    run: (k) => {
      k.fn.copy_bootdata(realModeData(k));
    },
  },
  {
    label: 'load_ucode_bsp',
    what: 'microcode is looked for in the initrd',
    run: (k) => {
      k.fn.load_ucode_bsp();
      k.fn['x86_64_start_kernel:init_level4_pgt']();
    },
  },
  {
    label: 'reserve_ebda_region',
    what: 'the BIOS data area is read',
    run: (k) => {
      k.fn.reserve_ebda_region();
      k.enter('start_kernel');
    },
  },
  {
    label: 'setup_arch',
    what: 'kernel and initrd are reserved',
    run: (k) => {
      k.enter('setup_arch');
      k.fn['setup_arch:reserve']();
    },
  },
  {
    label: 'early_cpu_init',
    what: 'the CPU is identified',
    run: (k) => {
      k.fn['setup_arch:early_cpu_init']();
    },
  },
  {
    label: 'early_ioremap_init',
    what: 'early mappings become possible',
    run: (k) => {
      k.fn['setup_arch:early_ioremap_init']();
    },
  },
  {
    label: 'setup_memory_map',
    what: 'the memory map is read from the zero page',
    run: (k) => {
      k.fn['setup_arch:setup_memory_map']();
    },
  },
  {
    label: 'mtrr_bp_init',
    what: 'memory types are set up',
    run: (k) => {
      k.fn['setup_arch:mtrr_bp_init']();
    },
  },
  {
    label: 'memblock_x86_fill',
    what: 'RAM is handed to memblock',
    run: (k) => {
      k.fn['setup_arch:memblock_x86_fill']();
    },
  },
  {
    label: 'init_mem_mapping',
    what: 'the direct map of RAM is built',
    run: (k) => {
      k.fn['setup_arch:init_mem_mapping']();
    },
  },
  {
    label: 'reserve_initrd',
    what: 'the initrd is found and kept',
    run: (k) => {
      k.fn['setup_arch:reserve_initrd']();
      k.leave();
    },
  },
  {
    label: 'trap_init',
    what: 'the real exception handlers are in place',
    run: (k) => {
      k.fn['start_kernel:trap_init']();
    },
  },
  {
    label: 'after-locking_selftest',
    what: 'encryption may be set up for devices here',
    run: (k) => {
      k.fn['start_kernel:after-locking_selftest']();
    },
  },
  {
    label: 'populate_rootfs',
    what: 'the initrd is unpacked',
    run: (k) => {
      k.fn.populate_rootfs();
    },
  },
  {
    label: 'run_init',
    what: '/init runs and touches its pages',
    run: (k) => {
      k.fn['kernel_init:run_init']();
    },
  },
];
