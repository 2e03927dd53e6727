/** Columns of the list of options. */

/**
 * How an option is handled: early_param(); __setup(), by the beginning of the word; core_param(); a module parameter,
 * built in or not; a search of the command line for the word; by the boot loader.
 */
export type OptionKind = 'early' | 'setup' | 'core' | 'module' | 'find' | 'loader';

/** Why an option has no effect in the model. */
export const REASONS = {
  '32-bit': 'only a 32-bit kernel has it',
  aml: 'the ACPI interpreter and the devices that it finds are not in the model',
  'cpu-features': 'the model uses none of the CPU features that it disables',
  debug: 'tracing, debug checks and fault injection are not in the model',
  guest: 'it is for a kernel that is a guest of Xen or KVM',
  hardware: 'it is for hardware that the machine does not have',
  intel: 'it is for Intel processors',
  interrupts: 'interrupts and their controllers are not in the model',
  ioremap: 'no I/O mapping of the model is as large as a 2 MiB page',
  kaslr: 'the kernel is where the scenario loads it: the decompressor does not run',
  loader: 'the boot loader handles it',
  modules: 'no module is loaded before /init runs',
  network: 'there is no network',
  numa: 'the machine has one memory node',
  'other-iommu': 'it is for GART, Calgary or VT-d, which the machine does not have',
  pci: 'PCI configuration space and slots are not in the model',
  power: 'sleep, idle states and reboot are used only after the boot',
  process: 'it affects processes, which run only after /init has started',
  root: 'it is used to mount a root file system, and the boot ends at /init in the RAM disk',
  scheduler: 'scheduling, RCU and work queues are not in the model',
  security: 'security modules and keys affect processes and files only',
  slab: 'the slab allocator is not in the model',
  storage: 'disks and file systems on them are not in the model',
  terminal: 'keyboards, serial lines and terminal colours are not in the model',
  time: 'timers and clocks are not in the model',
} as const;
export type Reason = keyof typeof REASONS;

/** `modelled`: it acts as in 4.6. `named`: it would change the model's output, is not modelled and is reported. */
export type Mark = 'modelled' | 'named' | Reason;

/** Name (with its `=` if `__setup()` has one), how it is handled, the file that defines it, and the mark. */
export type OptionRow = readonly [name: string, kind: OptionKind, file: string, mark: Mark];
