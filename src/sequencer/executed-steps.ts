/** The steps of an executed boot: the code from the entry of one of these functions to the entry of the next. */
import type { ExecutedNames } from './executed-names.js';

/**
 * Functions of Linux, of which an image may lack some (our choice). The names are stops for reports; nothing else depends
 * on them.
 */
const FUNCTIONS = [
  'sme_enable',
  'sme_encrypt_kernel',
  'x86_64_start_kernel',
  'copy_bootdata',
  'x86_64_start_reservations',
  'start_kernel',
  'setup_arch',
  'early_cpu_init',
  'e820__memory_setup',
  'parse_early_param',
  'init_mem_mapping',
  'reserve_initrd',
  'acpi_boot_table_init',
  'paging_init',
  'setup_per_cpu_areas',
  'trap_init',
  'mm_init',
  'mm_core_init',
  'sched_init',
  'init_IRQ',
  'time_init',
  'console_init',
  'mem_encrypt_init',
  'arch_cpu_finalize_init',
  'check_bugs',
  'rest_init',
  'kernel_init',
  'smp_prepare_cpus',
  'smp_init',
  'do_basic_setup',
  'populate_rootfs',
  'pci_iommu_init',
  'mark_readonly',
  'free_initmem',
  'run_init_process',
] as const;

/** The functions that an image has. */
export const stepsOf = (names: ExecutedNames): string[] =>
  FUNCTIONS.filter((name) => names.has(name));
