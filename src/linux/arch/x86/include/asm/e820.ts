/** struct e820entry (asm/e820.h): a range of physical memory and its type. */
export interface E820Entry {
  /** Start, in bytes. */
  addr: bigint;
  /** Size, in bytes. */
  size: bigint;
  type: number;
}

/** Types of memory (asm/e820.h). */
export const E820 = {
  RAM: 1,
  RESERVED: 2,
  ACPI: 3,
  NVS: 4,
  UNUSABLE: 5,
  PMEM: 7,
  PRAM: 12,
  RESERVED_KERN: 128,
} as const;
/** ARRAY_SIZE(boot_params.e820_map). */
export const E820MAX = 128;
/** Capacity of the kernel's own map, in entries (asm/e820.h: E820MAX + 3 * MAX_NUMNODES, which is 64 by default). */
export const E820_X_MAX = E820MAX + 3 * 64;
/** sizeof(struct e820entry), packed. */
export const E820_ENTRY_SIZE = 20;
