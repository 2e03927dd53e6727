/** What the list of options says of each. */

/**
 * Who takes an option: early_param(); __setup(), by the beginning of the word; core_param(); a parameter of a module,
 * built in or not; a search of the line for the word; the boot loader.
 */
export type OptionKind = 'early' | 'setup' | 'core' | 'module' | 'find' | 'loader';

/** Why an option changes nothing that the model shows. */
export const REASONS = {
  '32-bit': 'only a 32-bit kernel has it',
  aml: 'the ACPI interpreter and the devices that it finds are not in the model',
  'cpu-features': 'the model uses none of the CPU features that it takes away',
  debug: 'tracing, checks and fault injection of developers are not in the model',
  guest: 'it is for a kernel that is a guest of Xen or KVM',
  hardware: 'it is for hardware that the machine does not have',
  intel: 'it is for Intel processors',
  interrupts: 'interrupts and their controllers are not in the model',
  ioremap: 'nothing is mapped for I/O that is as large as a large page',
  kaslr: 'the kernel is where the scenario has put it: the decompressor does not run',
  loader: 'it is the boot loader’s own word',
  modules: 'no module is loaded before /init runs',
  network: 'there is no network',
  numa: 'the machine has one memory node',
  'other-iommu': 'it is for GART, Calgary or VT-d, which the machine does not have',
  pci: 'PCI configuration space and slots are not in the model',
  power: 'sleep, idle states and reboot come after the boot',
  process: 'it concerns processes, which come after /init has begun',
  root: 'it is read where a root file system is mounted, and the boot ends at /init in the RAM disk',
  scheduler: 'scheduling, RCU and work queues are not in the model',
  security: 'security modules and keys decide about processes and files',
  slab: 'the slab allocator is not in the model',
  storage: 'disks and file systems on them are not in the model',
  terminal: 'keyboards, serial lines and the look of terminals are not in the model',
  time: 'timers and clocks are not in the model',
} as const;
export type Reason = keyof typeof REASONS;

/** `modelled`: it does what it does in 4.6. `named`: it would change what the model shows, and it is not modelled. */
export type Mark = 'modelled' | 'named' | Reason;

/** Name (with its `=` where `__setup()` has one), who takes it, the file that has it, and the mark. */
export type OptionRow = readonly [name: string, kind: OptionKind, file: string, mark: Mark];
