/**
 * The boot as labelled steps, in the kernel's order. Between steps nothing is on the host's stack: all state is in the
 * machine and in the kernel's plain state.
 */
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import { va, type Va } from '../machine/address.js';
import type { Kernel } from '../kernel/kernel.js';

export interface BootStep {
  readonly label: string;
  /** Description of the step, one line. */
  readonly what: string;
  /**
   * What happens outside the kernel before the step: the CPU jumps to startup_64, the screen's text is stored because a
   * console clears it, or kexec_load() is called, so that the loaded kernel is entered after the step.
   */
  readonly before?: 'jump' | 'store screen' | 'kexec_load';
  run(k: Kernel): void;
}

/** Direct-map address of the zero page, whose physical address startup_64 passes in RDI. */
const realModeData = (k: Kernel): Va => k.__va(k.cpu.rdi);

export const BOOT_STEPS: readonly BootStep[] = [
  {
    label: 'startup_64',
    what: 'the kernel is entered at its physical address; stack and load offset',
    before: 'jump',
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
    },
  },
  {
    label: 'x86_64_start_kernel',
    what: 'the identity map is removed, .bss is cleared',
    run: (k) => {
      k.fn['x86_64_start_kernel:reset']();
    },
  },
  {
    label: 'early-idt',
    what: 'early exception handlers are installed',
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
    what: 'the initrd is searched for microcode',
    run: (k) => {
      k.fn.load_ucode_bsp();
      k.fn['x86_64_start_kernel:init_level4_pgt']();
    },
  },
  {
    label: 'reserve_ebda_region',
    what: 'the BIOS data area is read',
    run: (k) => {
      // x86_64_start_reservations(): a version of 0 means that the zero page is not copied yet (head64.c).
      if (k.readU16(va(k.sym('boot_params') + BOOT_PARAMS.version)) === 0) {
        k.fn.copy_bootdata(realModeData(k));
      }
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
    label: 'parse_setup_data',
    what: 'the loader’s setup_data list is read and reserved',
    run: (k) => {
      k.fn['setup_arch:parse_setup_data']();
    },
  },
  {
    label: 'efi_init',
    what: 'the EFI tables are read',
    run: (k) => {
      k.fn['setup_arch:efi_init']();
    },
  },
  {
    label: 'dmi_scan_machine',
    what: 'memory is searched for SMBIOS tables and option ROMs',
    run: (k) => {
      k.fn['setup_arch:dmi_scan_machine']();
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
    what: 'RAM is added to memblock',
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
    what: 'the initrd is reserved, and moved if it is not mapped',
    run: (k) => {
      k.fn['setup_arch:reserve_initrd']();
    },
  },
  {
    label: 'acpi_boot_table_init',
    what: 'the ACPI tables are read',
    run: (k) => {
      k.fn['setup_arch:acpi_boot_table_init']();
    },
  },
  {
    label: 'x86_dtb_init',
    what: 'the device tree is read',
    run: (k) => {
      k.fn['setup_arch:x86_dtb_init']();
      k.leave();
    },
  },
  {
    label: 'trap_init',
    what: 'the final exception handlers are installed',
    run: (k) => {
      k.fn['start_kernel:trap_init']();
    },
  },
  {
    label: 'mm_init',
    what: 'bounce buffers are allocated, the page allocator takes over',
    run: (k) => {
      k.fn['start_kernel:mm_init']();
    },
  },
  {
    label: 'console_init',
    what: 'the console starts to print',
    before: 'store screen',
    run: (k) => {
      k.fn.console_init();
      k.fn['start_kernel:panic_later']();
    },
  },
  {
    label: 'after-locking_selftest',
    what: 'encryption may be set up for devices here',
    run: (k) => {
      k.fn['start_kernel:after-locking_selftest']();
      k.fn.setup_per_cpu_pageset();
    },
  },
  {
    label: 'efi_enter_virtual_mode',
    what: 'the firmware’s runtime services get virtual addresses',
    run: (k) => {
      k.fn.acpi_early_init();
      if (k.fn.efi_enabled('EFI_RUNTIME_SERVICES')) k.fn.efi_enter_virtual_mode();
    },
  },
  {
    label: 'init_espfix_bsp',
    what: 'the stacks for returns to 16-bit segments are mapped',
    run: (k) => {
      k.fn.init_espfix_bsp();
    },
  },
  {
    label: 'efi_late_init',
    what: 'boot services memory is freed',
    run: (k) => {
      if (!k.fn.efi_enabled('EFI_RUNTIME_SERVICES')) return;
      k.fn.efi_late_init();
      k.fn.efi_free_boot_services();
    },
  },
  {
    label: 'smp_prepare_cpus',
    what: 'interrupt remapping is set up; the start of the other CPUs is prepared',
    run: (k) => {
      k.fn.native_smp_prepare_cpus();
    },
  },
  {
    label: 'set_real_mode_permissions',
    what: 'the trampoline gets its final mapping',
    run: (k) => {
      k.fn.set_real_mode_permissions();
    },
  },
  {
    label: 'smp_init',
    what: 'the other CPUs start',
    run: (k) => {
      k.fn.smp_init();
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
    label: 'pci_iommu_init',
    what: 'DMA operations are chosen',
    run: (k) => {
      k.fn.pci_subsys_init();
      k.fn.pci_iommu_init();
    },
  },
  {
    label: 'drivers',
    what: 'devices read and write memory',
    run: (k) => {
      k.fn['do_initcalls:drivers']();
    },
  },
  {
    label: 'kvm',
    what: 'a guest runs on nested page tables, if there is one',
    run: (k) => {
      k.fn['do_initcalls:kvm']();
    },
  },
  {
    label: 'run_init',
    what: '/init runs and touches its pages',
    run: (k) => {
      k.fn['kernel_init:run_init']();
    },
  },
  {
    label: 'kexec',
    what: 'another kernel is entered, if one was loaded',
    before: 'kexec_load',
    run: (k) => {
      k.fn.kernel_kexec();
    },
  },
];
