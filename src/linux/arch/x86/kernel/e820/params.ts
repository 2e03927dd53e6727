/** arch/x86/kernel/e820.c: mem= and memmap=, which change the memory map before its first use. */
import { own } from '../../../../../base/own.js';
import { E820, E820_X_MAX } from '../../include/asm/e820.js';
import { memparse } from '../../../../lib/cmdline.js';
import { EINVAL } from '../../../../include/uapi/asm-generic/errno-base.js';
import { early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Sanitizes and prints a map that the command line changed. */
    finish_e820_parsing(k: Kernel): void;
  }
}

const ULLONG_MAX = 2n ** 64n - 1n;
/** %#010Lx */
const hex10 = (value: bigint): string => `0x${value.toString(16).padStart(8, '0')}`;
export const e820Options = bodies({
  finish_e820_parsing: inline((k: Kernel) => {
    if (!k.state.params.userdef) return;
    const map = k.fn.sanitize_e820_map(k.state.e820, E820_X_MAX);
    if (map === undefined) return k.fn.panic('Invalid user supplied memory map');
    k.state.e820 = map;
    k.fn.printk('e820: user-defined physical RAM map:');
    k.fn.e820_print_map('user');
  }),
});

/** Removes RAM from `start` up, and prints the line of e820_remove_range(). */
function removeFrom(k: Kernel, start: bigint): void {
  k.fn.printk(`e820: remove [mem ${hex10(start)}-${hex10(ULLONG_MAX - 1n)}] usable`);
  k.fn.e820_remove_range(start, ULLONG_MAX - start, E820.RAM);
}

function parse_memopt(k: Kernel, p: string | undefined): number {
  if (p === undefined) return -EINVAL;
  if (p === 'nopentium') {
    k.fn.printk('mem=nopentium ignored! (only supported on x86_32)');
    return -EINVAL;
  }
  k.state.params.userdef = true;
  const { value } = memparse(p);
  // 0, also the result of an invalid value, does not remove all of memory.
  if (value === 0n) return -EINVAL;
  removeFrom(k, value);
  return 0;
}

/** Type of a range, by the character between its size and its start. */
const KINDS: Readonly<Record<string, number>> = {
  '@': E820.RAM,
  '#': E820.ACPI,
  $: E820.RESERVED,
  '!': E820.PRAM,
};

function parse_memmap_one(k: Kernel, p: string): void {
  if (p.startsWith('exactmap')) {
    // CONFIG_CRASH_DUMP: saved_max_pfn, which only /dev/oldmem of a crash kernel uses.
    k.fn.e820_end_of_ram_pfn();
    k.state.e820 = [];
    k.state.params.userdef = true;
    return;
  }
  const { value: size, rest } = memparse(p);
  if (rest === p) return;
  k.state.params.userdef = true;
  const type = own(KINDS, rest.charAt(0));
  if (type === undefined) removeFrom(k, size);
  else k.fn.e820_add_region({ addr: memparse(rest.slice(1)).value, size, type });
}

// Errors of single ranges are ignored.
function parse_memmap_opt(k: Kernel, p: string | undefined): number {
  for (const one of p?.split(',') ?? []) parse_memmap_one(k, one);
  return 0;
}

export const e820Params: readonly ObsKernelParam[] = [
  early_param('mem', parse_memopt),
  early_param('memmap', parse_memmap_opt),
];
