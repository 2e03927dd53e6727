/**
 * The built-in initrd: an uncompressed archive with microcode for the early loader of the kernel
 * (Documentation/x86/early-microcode.txt), then a gzipped archive with the first root file system. The bytes are the
 * same on every machine.
 */
import { ascii } from '../base/bytes.js';
import { S_IFDIR, S_IFREG, writeCpio, type CpioEntry } from './cpio.js';
import { storedGzip } from './stored-gzip.js';

/** Path of AMD microcode in the initrd (arch/x86/kernel/cpu/microcode/amd.c). */
export const MICROCODE_PATH = 'kernel/x86/microcode/AuthenticAMD.bin';

/** The container of AMD microcode (arch/x86/include/asm/microcode_amd.h): its header, then the equivalence table. */
export const UCODE_CONTAINER = { magic: 0, type: 4, size: 8, table: 12 } as const;
/** struct equiv_cpu_entry, one per CPU that shares a patch; an entry of zeros ends the table. */
export const EQUIV_CPU_ENTRY = {
  installed_cpu: 0,
  fixed_errata_mask: 4,
  fixed_errata_compare: 8,
  equiv_cpu: 12,
  res: 14,
  size: 16,
} as const;
/** A patch's section: its type and size, then the patch. */
export const UCODE_SECTION = { type: 0, size: 4, patch: 8 } as const;
/** struct microcode_header_amd. */
export const MICROCODE_HEADER_AMD = {
  data_code: 0,
  patch_id: 4,
  mc_patch_data_id: 8,
  mc_patch_data_len: 10,
  init_flag: 11,
  mc_patch_data_checksum: 12,
  nb_dev_id: 16,
  sb_dev_id: 20,
  processor_rev_id: 24,
  nb_rev_id: 26,
  sb_rev_id: 27,
  bios_api_rev: 28,
  reserved1: 29,
  match_reg: 32,
  size: 64,
} as const;

/** "DMA" as bytes in the file, 'AMD' as a little-endian word (UCODE_MAGIC). */
export const UCODE_MAGIC = 0x0041_4d44;
export const UCODE_EQUIV_CPU_TABLE_TYPE = 0;
export const UCODE_UCODE_TYPE = 1;
/** CPUID Fn0000_0001 EAX of EPYC 7001: family 17h, model 01h, stepping 2 (PPR 54945). */
export const NAPLES_CPUID = 0x0080_0f12;
/** The id of that CPU in patches: extended family, model and stepping without the base family (PPR 54945). */
export const NAPLES_EQUIV_CPU = 0x8012;
/** A patch level of that CPU (our choice). */
export const NAPLES_PATCH_ID = 0x0800_1250;
/** Bytes of a patch of family 17h (F17H_MPB_MAX_SIZE in later kernels' arch/x86/kernel/cpu/microcode/amd.c). */
export const F17H_PATCH_SIZE = 3200;
/** The date in a patch, BCD month, day and year: 2016-04-26 (our choice). */
const DATA_CODE = 0x0426_2016;
/** Format of the patch data (our choice: that of family 10h and later). */
const MC_PATCH_DATA_ID = 0x8004;

/** Size of /lib/modules.bin, which does not compress, so that the initrd spans many pages (our choice). */
const MODULES_SIZE = 384 * 1024;
const MODULES_SEED = 0x1337_c0de;
const MICROCODE_SEED = 0x0080_0f12;

const DIRECTORY = S_IFDIR | 0o755;
const INIT = `#!/bin/sh
# The first process of the built-in initrd.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
cat /etc/motd
exec /bin/sh
`;

/** The shell, which waits forever: `mov $34, %eax; syscall; jmp .-7` (34 is pause(2) on x86-64). */
const SHELL_CODE = [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7] as const;

/** Fields of a 64-bit ELF header and of its one program header (ELF-64 Object File Format, 1.5: figures 2, 6). */
const ELF = { e_type: 16, e_machine: 18, e_version: 20, e_entry: 24, e_phoff: 32 } as const;
const ELF_SIZES = { e_ehsize: 52, e_phentsize: 54, e_phnum: 56 } as const;
const PHDR = {
  p_type: 0,
  p_flags: 4,
  p_vaddr: 16,
  p_paddr: 24,
  p_filesz: 32,
  p_memsz: 40,
} as const;
const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
/** Link address of the program (our choice: the usual one of static programs for x86-64). */
const SHELL_AT = 0x40_0000;

/** A static program for x86-64 whose one segment is the whole file. */
function shell(): Uint8Array {
  const code = EHDR_SIZE + PHDR_SIZE;
  const bytes = new Uint8Array(code + SHELL_CODE.length);
  const view = new DataView(bytes.buffer);
  // ELFCLASS64, ELFDATA2LSB, EV_CURRENT.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(ELF.e_type, 2, true); // ET_EXEC
  view.setUint16(ELF.e_machine, 62, true); // EM_X86_64
  view.setUint32(ELF.e_version, 1, true);
  view.setUint32(ELF.e_entry, SHELL_AT + code, true);
  view.setUint32(ELF.e_phoff, EHDR_SIZE, true);
  view.setUint16(ELF_SIZES.e_ehsize, EHDR_SIZE, true);
  view.setUint16(ELF_SIZES.e_phentsize, PHDR_SIZE, true);
  view.setUint16(ELF_SIZES.e_phnum, 1, true);
  view.setUint32(EHDR_SIZE + PHDR.p_type, 1, true); // PT_LOAD
  view.setUint32(EHDR_SIZE + PHDR.p_flags, 5, true); // PF_R | PF_X
  view.setUint32(EHDR_SIZE + PHDR.p_vaddr, SHELL_AT, true);
  view.setUint32(EHDR_SIZE + PHDR.p_paddr, SHELL_AT, true);
  view.setUint32(EHDR_SIZE + PHDR.p_filesz, bytes.length, true);
  view.setUint32(EHDR_SIZE + PHDR.p_memsz, bytes.length, true);
  bytes.set(SHELL_CODE, code);
  return bytes;
}

/** A file of the built-in initrd, or a directory. */
const file = (name: string, permissions: number, body: Uint8Array | string): CpioEntry => ({
  name,
  mode: S_IFREG | permissions,
  body: typeof body === 'string' ? ascii(body) : body,
});
const directory = (name: string): CpioEntry => ({
  name,
  mode: DIRECTORY,
  body: new Uint8Array(0),
});

/** Pseudo-random bytes from a nonzero seed: Marsaglia's 32-bit xorshift. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let word = seed;
  for (let at = 0; at + 4 <= length; at += 4) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    view.setUint32(at, word, true);
  }
  return bytes;
}

/** A well-formed container with one patch for one CPU. Its patch data is noise, which no CPU would accept. */
export function microcodeContainer(): Uint8Array {
  const tableSize = 2 * EQUIV_CPU_ENTRY.size;
  const sectionAt = UCODE_CONTAINER.table + tableSize;
  const patchAt = sectionAt + UCODE_SECTION.patch;
  const bytes = new Uint8Array(patchAt + F17H_PATCH_SIZE);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);

  u32(UCODE_CONTAINER.magic, UCODE_MAGIC);
  u32(UCODE_CONTAINER.type, UCODE_EQUIV_CPU_TABLE_TYPE);
  u32(UCODE_CONTAINER.size, tableSize);
  u32(UCODE_CONTAINER.table + EQUIV_CPU_ENTRY.installed_cpu, NAPLES_CPUID);
  u16(UCODE_CONTAINER.table + EQUIV_CPU_ENTRY.equiv_cpu, NAPLES_EQUIV_CPU);

  u32(sectionAt + UCODE_SECTION.type, UCODE_UCODE_TYPE);
  u32(sectionAt + UCODE_SECTION.size, F17H_PATCH_SIZE);
  u32(patchAt + MICROCODE_HEADER_AMD.data_code, DATA_CODE);
  u32(patchAt + MICROCODE_HEADER_AMD.patch_id, NAPLES_PATCH_ID);
  u16(patchAt + MICROCODE_HEADER_AMD.mc_patch_data_id, MC_PATCH_DATA_ID);
  u16(patchAt + MICROCODE_HEADER_AMD.processor_rev_id, NAPLES_EQUIV_CPU);
  const { size } = MICROCODE_HEADER_AMD;
  bytes.set(noise(F17H_PATCH_SIZE - size, MICROCODE_SEED), patchAt + size);
  return bytes;
}

/** The files of the root file system and their directories, in the order of the archive. */
export function rootEntries(): CpioEntry[] {
  return [
    directory('bin'),
    file('bin/sh', 0o755, shell()),
    directory('dev'),
    directory('etc'),
    file('etc/motd', 0o644, 'This root file system came through the initrd.\n'),
    file('init', 0o755, INIT),
    directory('lib'),
    file('lib/modules.bin', 0o644, noise(MODULES_SIZE, MODULES_SEED)),
    directory('proc'),
    directory('sys'),
  ];
}

/** The built-in initrd, about 390 KiB: an early archive with microcode, then the root file system, gzipped. */
export function builtInInitrd(size = 0): Uint8Array {
  const early = writeCpio([
    directory('kernel'),
    directory('kernel/x86'),
    directory('kernel/x86/microcode'),
    file(MICROCODE_PATH, 0o644, microcodeContainer()),
  ]);
  // Stored: most of it is noise, and searching that for matches costs a tenth of a boot.
  const root = storedGzip(writeCpio(rootEntries()));
  // Zeros after an archive are skipped (init/initramfs.c, unpack_to_rootfs).
  const initrd = new Uint8Array(Math.max(early.length + root.length, size));
  initrd.set(early);
  initrd.set(root, early.length);
  return initrd;
}
