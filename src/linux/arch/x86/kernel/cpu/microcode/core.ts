/** arch/x86/kernel/cpu/microcode/core.c and amd.c, lib/earlycpio.c: looking for microcode in the initrd. */
import { latin1 } from '../../../../../../base/bytes.js';
import { va, type Va } from '../../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../../firmware/boot-params.js';
import { findOption } from '../../../lib/cmdline.js';
import { cpuid } from '../../../../../../kernel/cpu-ops.js';
import { stateSlice } from '../../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

/** A file inside a cpio archive: offset from its start, size in bytes. */
export interface CpioData {
  offset: number;
  size: number;
}

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    load_ucode_bsp(k: Kernel): void;
    /** dis_ucode_ldr is on the command line. */
    check_loader_disabled_bsp(k: Kernel): boolean;
    find_ucode_in_initrd(k: Kernel): CpioData | undefined;
    find_cpio_data(k: Kernel, path: string, data: Va, length: number): CpioData | undefined;
    apply_ucode_in_initrd(k: Kernel, data: Va, size: number): void;
  }
}

declare module '../../../../../../kernel/state.js' {
  interface KernelState {
    microcode: { offset: number; size: number } | null;
  }
}
export const microcodeState = stateSlice(() => ({ microcode: null }));

const DIS_UCODE_LDR = 'dis_ucode_ldr';
const UCODE_PATH = 'kernel/x86/microcode/AuthenticAMD.bin';
const UCODE_MAGIC = 0x0041_4d44;
const UCODE_EQUIV_CPU_TABLE_TYPE = 0;
/** Bytes of a newc header: a magic of 6 and 13 fields of 8. */
const CPIO_HEADER = 110;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const FIELD = { mode: 1, filesize: 6, namesize: 11 } as const;

const align4 = (n: number): number => Math.ceil(n / 4) * 4;

export const microcode = bodies({
  // cmdline_find_option_bool(); its call is not a line of the trace here (our choice).
  check_loader_disabled_bsp: inline((k: Kernel) => {
    k.state.params.disUcodeLdr ||= findOption(k, k.sym('boot_command_line'), DIS_UCODE_LDR) > 0;
    return k.state.params.disUcodeLdr;
  }),
  load_ucode_bsp: fn((k: Kernel) => {
    if (k.fn.check_loader_disabled_bsp()) return;
    const { ebx, ecx, edx } = cpuid(k, 0);
    // "AuthenticAMD" as CPUID gives it (asm/microcode.h).
    if (ebx !== 0x68747541 || edx !== 0x69746e65 || ecx !== 0x444d4163) return;
    const found = k.fn.find_ucode_in_initrd();
    k.state.microcode = found ?? null;
    if (found === undefined) return;
    const start = k.readU32(va(k.sym('boot_params') + BOOT_PARAMS.ramdisk_image));
    k.fn.apply_ucode_in_initrd(k.__va(start + found.offset), found.size);
  }),
});

export const microcodeAmd = bodies({
  find_ucode_in_initrd: fn((k: Kernel) => {
    const bp = k.sym('boot_params');
    // Only the low 32 bits of place and size are looked at.
    const start = k.readU32(va(bp + BOOT_PARAMS.ramdisk_image));
    const size = k.readU32(va(bp + BOOT_PARAMS.ramdisk_size));
    return k.fn.find_cpio_data(UCODE_PATH, k.__va(start), size);
  }),

  apply_ucode_in_initrd: fn((k: Kernel, data: Va, size: number) => {
    const magic = k.readU32(data);
    const type = k.readU32(va(data + 4));
    const length = k.readU32(va(data + 8));
    const sound = magic === UCODE_MAGIC && type === UCODE_EQUIV_CPU_TABLE_TYPE && length !== 0;
    const what = sound ? 'container found' : 'no container';
    k.trace.console(`microcode: ${what} (${String(size)} bytes in the initrd)`);
  }),
});

export const earlycpio = bodies({
  find_cpio_data: inline((k: Kernel, path: string, data: Va, length: number) => {
    let at = 0;
    // PTR_ALIGN(): addresses are aligned, wherever the archive begins.
    const align = (offset: number): number => align4(data + offset) - data;
    while (length - at > CPIO_HEADER) {
      if (k.readU8(va(data + at)) === 0) {
        at += 4;
        continue;
      }
      const bytes = readHeader(k, va(data + at));
      if (at === 0) k.trace.recorder.consumedPart('initrd', 'find_cpio_data', 0, bytes);
      const header = parseHeader(bytes);
      if (header === undefined) break;
      const body = align(at + CPIO_HEADER + header.namesize);
      const next = align(body + header.filesize);
      if (next > length) break;
      if ((header.mode & S_IFMT) === S_IFREG && header.namesize >= path.length) {
        const name = k.readBytes(va(data + at + CPIO_HEADER), path.length);
        if (latin1(name) === path) return { offset: body, size: header.filesize };
      }
      at = next;
    }
    k.trace.emit('read', {
      what: 'early cpio in the initrd',
      result: at === 0 ? 'no archive' : 'not found',
    });
    return undefined;
  }),
});

/** Reads a header a character at a time, up to the first that is no hexadecimal digit. */
function readHeader(k: Kernel, from: Va): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < CPIO_HEADER) {
    const byte = k.readU8(va(from + bytes.length));
    bytes.push(byte);
    if (!/[0-9a-fA-F]/.test(String.fromCharCode(byte))) break;
  }
  return Uint8Array.from(bytes);
}

/** The fields of a newc header that the search needs; undefined where it is none. */
function parseHeader(
  bytes: Uint8Array,
): { mode: number; filesize: number; namesize: number } | undefined {
  const text = latin1(bytes);
  if (!/^[0-9a-fA-F]{110}$/.test(text)) return undefined;
  const magic = parseInt(text.slice(0, 6), 16);
  if (magic !== 0x070701 && magic !== 0x070702) return undefined;
  const field = (index: number): number => parseInt(text.slice(6 + index * 8, 14 + index * 8), 16);
  return {
    mode: field(FIELD.mode),
    filesize: field(FIELD.filesize),
    namesize: field(FIELD.namesize),
  };
}
