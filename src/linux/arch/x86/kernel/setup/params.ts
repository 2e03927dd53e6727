/** arch/x86/kernel/setup.c: reservelow= and the crash kernel's reservation; kernel/kexec_core.c: parsing of crashkernel=. */
import { alignUp, PAGE_SIZE } from '../../../../../machine/address.js';
import { memparse } from '../../../../lib/cmdline.js';
import { COMMAND_LINE_SIZE, MAXMEM } from '../../../../../kernel/constants.js';
import { EINVAL, ENOMEM } from '../../../../include/uapi/asm-generic/errno-base.js';
import { early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { cString } from '../../../../kernel/params.js';
import { IO_TLB_DEFAULT_SIZE, IO_TLB_SHIFT, readLong } from '../../../../lib/swiotlb/swiotlb.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Reserves the lowest pages of memory: 64 KiB, or the size of reservelow=. */
    trim_low_memory_range(k: Kernel): void;
    reserve_crashkernel(k: Kernel): void;
    /** Returns 0 or a negative errno. */
    reserve_crashkernel_low(k: Kernel): number;
  }
}

const KIB = 1024;
const MIB = 2 ** 20;
const GIB4 = 2 ** 32;
const CRASH_ALIGN = 16 * MIB;
const CRASH_ADDR_LOW_MAX = 896 * MIB;
const CRASH_ADDR_HIGH_MAX = MAXMEM;
const CRASHKERNEL = 'crashkernel=';
const SUFFIXES = [',high', ',low'] as const;
type Suffix = (typeof SUFFIXES)[number];

/** The reservation that the command line requests, in bytes. `base` 0: at any address. */
interface CrashRequest {
  size: number;
  base: number;
}

const mib = (bytes: number): string => String(Math.floor(bytes / MIB));

const commandLine = (k: Kernel): string =>
  cString(k.readBytes(k.sym('boot_command_line'), COMMAND_LINE_SIZE));

/** get_last_crashkernel(): the line from the value of the last crashkernel= with that suffix on; else undefined. */
function lastCrashkernel(line: string, suffix: Suffix | undefined): string | undefined {
  let found: string | undefined;
  for (let at = line.indexOf(CRASHKERNEL); at >= 0; at = line.indexOf(CRASHKERNEL, at + 1)) {
    const space = line.indexOf(' ', at);
    const word = line.slice(at, space < 0 ? line.length : space);
    const matches =
      suffix === undefined ? !SUFFIXES.some((s) => word.endsWith(s)) : word.endsWith(suffix);
    if (matches) found = line.slice(at + CRASHKERNEL.length);
  }
  return found;
}

/** Prints why a value is invalid. */
const rejected = (k: Kernel, why: string): undefined => {
  k.fn.printk(why);
  return undefined;
};
const atEnd = (rest: string): boolean => rest === '' || rest.startsWith(' ');
const unrecognized = (k: Kernel, rest: string): undefined =>
  rejected(k, `crashkernel: unrecognized char: ${rest.charAt(0)}`);

/** parse_crashkernel_mem(): the size for the range of memory sizes that `ram`, in bytes, is in. */
function byMemory(k: Kernel, text: string, ram: number): CrashRequest | undefined {
  let cur = text;
  let size = 0n;
  for (;;) {
    const start = memparse(cur);
    if (start.rest === cur) return rejected(k, 'crashkernel: Memory value expected');
    if (!start.rest.startsWith('-')) return rejected(k, "crashkernel: '-' expected");
    cur = start.rest.slice(1);
    let end = 2n ** 64n - 1n;
    if (!cur.startsWith(':')) {
      const parsed = memparse(cur);
      if (parsed.rest === cur) return rejected(k, 'crashkernel: Memory value expected');
      cur = parsed.rest;
      end = parsed.value;
      if (end <= start.value) return rejected(k, 'crashkernel: end <= start');
    }
    if (!cur.startsWith(':')) return rejected(k, "crashkernel: ':' expected");
    const amount = memparse(cur.slice(1));
    if (amount.rest === cur.slice(1)) return rejected(k, 'Memory value expected');
    cur = amount.rest;
    if (amount.value >= BigInt(ram)) return rejected(k, 'crashkernel: invalid size');
    if (BigInt(ram) >= start.value && BigInt(ram) < end) {
      size = amount.value;
      break;
    }
    if (!cur.startsWith(',')) break;
    cur = cur.slice(1);
  }
  if (size === 0n) return { size: 0, base: 0 };
  const at = /^[^ @]*@/.exec(cur);
  if (at === null) return { size: Number(size), base: 0 };
  const base = memparse(cur.slice(at[0].length));
  if (base.rest === cur.slice(at[0].length)) {
    return rejected(k, "Memory value expected after '@'");
  }
  return { size: Number(size), base: Number(base.value) };
}

/** parse_crashkernel(), and with a suffix parse_crashkernel_high() or _low(); undefined for -EINVAL. */
function parse_crashkernel(
  k: Kernel,
  line: string,
  ram: number,
  suffix?: Suffix,
): CrashRequest | undefined {
  const text = lastCrashkernel(line, suffix);
  if (text === undefined) return undefined;
  const word = text.slice(0, text.includes(' ') ? text.indexOf(' ') : undefined);
  if (suffix === undefined && word.includes(':')) return byMemory(k, text, ram);
  const { value, rest } = memparse(text);
  if (rest === text) return rejected(k, 'crashkernel: memory value expected');
  if (suffix !== undefined) {
    if (!rest.startsWith(suffix)) return unrecognized(k, rest);
    const after = rest.slice(suffix.length);
    return atEnd(after) ? { size: Number(value), base: 0 } : unrecognized(k, after);
  }
  if (rest.startsWith('@')) {
    return { size: Number(value), base: Number(memparse(rest.slice(1)).value) };
  }
  return atEnd(rest) ? { size: Number(value), base: 0 } : unrecognized(k, rest);
}

export const setupOptions = bodies({
  trim_low_memory_range: inline((k: Kernel) => {
    k.fn.memblock_reserve(0, alignUp(k.state.params.reserveLow, PAGE_SIZE));
  }),

  reserve_crashkernel_low: inline((k: Kernel) => {
    const ram = k.fn.memblock_mem_size(GIB4 / PAGE_SIZE);
    const request = parse_crashkernel(k, commandLine(k), ram, ',low');
    // swiotlb_size_or_default() and 8 MiB, at least 256 MiB.
    const swiotlb = readLong(k, 'io_tlb_nslabs') * 2 ** IO_TLB_SHIFT || IO_TLB_DEFAULT_SIZE;
    const size = request === undefined ? Math.max(swiotlb + 8 * MIB, 256 * MIB) : request.size;
    if (size === 0) return 0;
    const base = k.fn.memblock_find_in_range(size, GIB4, size, CRASH_ALIGN);
    if (base === 0) {
      k.fn.printk(`Cannot reserve ${mib(size)}MB crashkernel low memory, please try smaller size.`);
      return -ENOMEM;
    }
    k.fn.memblock_reserve(base, size, 'reserve_crashkernel');
    k.fn.printk(
      `Reserving ${mib(size)}MB of low memory at ${mib(base)}MB for crashkernel (System low RAM: ${mib(ram)}MB)`,
    );
    k.state.params.crashkLowRes = { base, size };
    return 0;
  }),

  // Parses the command line again; without the option nothing is reserved.
  reserve_crashkernel: inline((k: Kernel) => {
    const ram = k.state.memblock.memory.reduce((sum, { size }) => sum + size, 0);
    const line = commandLine(k);
    let request = parse_crashkernel(k, line, ram);
    const high = request === undefined || request.size === 0;
    if (high) request = parse_crashkernel(k, line, ram, ',high');
    if (request === undefined || request.size === 0) return;
    const { size } = request;
    let { base } = request;
    if (base === 0) {
      const limit = high ? CRASH_ADDR_HIGH_MAX : CRASH_ADDR_LOW_MAX;
      base = k.fn.memblock_find_in_range(CRASH_ALIGN, limit, size, CRASH_ALIGN);
      if (base === 0) {
        k.fn.printk('crashkernel reservation failed - No suitable area found.');
        return;
      }
    } else if (k.fn.memblock_find_in_range(base, base + size, size, MIB) !== base) {
      k.fn.printk('crashkernel reservation failed - memory is in use.');
      return;
    }
    k.fn.memblock_reserve(base, size, 'reserve_crashkernel');
    if (base >= GIB4 && k.fn.reserve_crashkernel_low() !== 0) {
      k.fn.memblock_free(base, size);
      return;
    }
    k.fn.printk(
      `Reserving ${mib(size)}MB of memory at ${mib(base)}MB for crashkernel (System RAM: ${mib(ram)}MB)`,
    );
    k.state.params.crashkRes = { base, size };
  }),
});

function parse_reservelow(k: Kernel, p: string | undefined): number {
  if (p === undefined) return -EINVAL;
  const bytes = Number(memparse(p).value);
  k.state.params.reserveLow = Math.min(Math.max(bytes, 4 * KIB), 640 * KIB);
  return 0;
}

export const setupParams: readonly ObsKernelParam[] = [early_param('reservelow', parse_reservelow)];
