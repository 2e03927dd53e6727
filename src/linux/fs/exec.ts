/**
 * fs/exec.c, fs/binfmt_script.c and fs/binfmt_elf.c, the parts that decide whether a file can run. Files are read
 * through the direct map. Not modelled: binfmt_misc (nothing is registered before user space), formats built as
 * modules.
 */
import { latin1 } from '../../base/bytes.js';
import {
  EACCES,
  EIO,
  ELIBBAD,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOEXEC,
} from '../include/uapi/asm-generic/errno-base.js';
import { lookupPath } from './namei.js';
import { readFile } from '../mm/filemap.js';
import {
  NAME_MAX,
  PATH_MAX,
  S_IALLUGO,
  S_IFMT,
  S_IFREG,
  S_IXUGO,
  type Inode,
} from '../include/linux/fs.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Sets rootfs.executable to the inode of the program to run; 0 or a negative errno. */
    do_execve(k: Kernel, path: string): number;
  }
}

/** Bytes of a file by which its format is recognised (include/uapi/linux/binfmts.h). */
const BINPRM_BUF_SIZE = 128;
/** Maximum nesting of scripts whose interpreter is a script (fs/exec.c, search_binary_handler). */
const MAX_RECURSION = 5;

/** struct linux_binprm: a file to be executed, and its first bytes. */
interface Binprm {
  readonly ino: number;
  readonly inode: Inode;
  readonly buf: Uint8Array;
}

/** do_open_execat() and prepare_binprm(): the file at a path, or a negative errno. */
function openExec(k: Kernel, path: string): Binprm | number {
  const ino = lookupPath(k.state.rootfs, path, true);
  if (ino < 0) return ino;
  const inode = k.state.rootfs.inodes.get(ino);
  if (inode === undefined || (inode.mode & S_IFMT) !== S_IFREG) return -EACCES;
  // fs/namei.c, generic_permission: root may run a file with any x bit.
  if ((inode.mode & S_IXUGO) === 0) {
    recordIncomplete(k, ino, `its mode is 0${(inode.mode & S_IALLUGO).toString(8)}`);
    return -EACCES;
  }
  const buf = new Uint8Array(BINPRM_BUF_SIZE);
  buf.set(readFile(k, inode, 0, BINPRM_BUF_SIZE));
  return { ino, inode, buf };
}

/** Records why a program cannot run; only the first record is stored. */
function recordIncomplete(k: Kernel, ino: number, why: string): void {
  k.state.rootfs.incomplete ??= { path: '', ino, why };
}

/** search_binary_handler(): inode number of the file whose code runs, or a negative errno. */
function search(k: Kernel, program: Binprm, depth: number): number {
  if (depth > MAX_RECURSION) return -ELOOP;
  if (latin1(program.buf.subarray(0, 2)) === '#!') return loadScript(k, program, depth + 1);
  return loadElf(k, program);
}

/** load_script(): the interpreter is executed instead of the script. */
function loadScript(k: Kernel, { ino, buf }: Binprm, depth: number): number {
  const line = latin1(buf.subarray(2, BINPRM_BUF_SIZE - 1)).split(/[\n\0]/, 1)[0] ?? '';
  const interpreter = /^[ \t]*([^ \t]+)/.exec(line)?.[1];
  if (interpreter === undefined) return -ENOEXEC;
  const program = openExec(k, interpreter);
  if (program === -ENOENT) recordIncomplete(k, ino, `${interpreter} does not exist`);
  return typeof program === 'number' ? program : search(k, program, depth);
}

/** Offsets of ELF fields and the size of a program header, by class (include/uapi/linux/elf.h: Elf64_Ehdr, Elf32_Ehdr). */
const EHDR = {
  64: { e_phoff: 32, e_phentsize: 54, e_phnum: 56, phdr: 56, p_offset: 8, p_filesz: 32 },
  32: { e_phoff: 28, e_phentsize: 42, e_phnum: 44, phdr: 32, p_offset: 4, p_filesz: 16 },
} as const;
type Bits = keyof typeof EHDR;
const ELFMAG = '\x7fELF';
const E_TYPE = 16;
const E_MACHINE = 18;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_386 = 3;
const EM_486 = 6;
const EM_X86_64 = 62;
const PT_INTERP = 3;
/** Limit of all program headers in bytes: ELF_MIN_ALIGN, which is below the kernel's other limit of 64 KiB. */
const PHDRS_MAX = 4096;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** elf_check_arch(): x86-64, or i386 by CONFIG_IA32_EMULATION, which x86_64_defconfig has. */
function bitsOf(buf: Uint8Array): Bits | undefined {
  const machine = viewOf(buf).getUint16(E_MACHINE, true);
  if (machine === EM_X86_64) return 64;
  return machine === EM_386 || machine === EM_486 ? 32 : undefined;
}

/** load_elf_phdrs(): the program headers; undefined if they are invalid. */
function programHeaders(k: Kernel, { inode, buf }: Binprm, bits: Bits): Uint8Array | undefined {
  const at = EHDR[bits];
  const view = viewOf(buf);
  const count = view.getUint16(at.e_phnum, true);
  if (view.getUint16(at.e_phentsize, true) !== at.phdr) return undefined;
  if (count < 1 || count * at.phdr > PHDRS_MAX) return undefined;
  const offset =
    bits === 64 ? Number(view.getBigUint64(at.e_phoff, true)) : view.getUint32(at.e_phoff, true);
  const headers = readFile(k, inode, offset, count * at.phdr);
  return headers.length === count * at.phdr ? headers : undefined;
}

/** The path of the dynamic linker (PT_INTERP); null for a static program, a negative errno if it is invalid. */
function interpreterOf(
  k: Kernel,
  { inode }: Binprm,
  headers: Uint8Array,
  bits: Bits,
): string | number | null {
  const at = EHDR[bits];
  const view = viewOf(headers);
  const word = (offset: number): number =>
    bits === 64 ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true);
  for (let header = 0; header < headers.length; header += at.phdr) {
    if (view.getUint32(header, true) !== PT_INTERP) continue;
    const size = word(header + at.p_filesz);
    if (size > PATH_MAX || size < 2) return -ENOEXEC;
    const bytes = readFile(k, inode, word(header + at.p_offset), size);
    if (bytes.length !== size) return -EIO;
    if (bytes[size - 1] !== 0) return -ENOEXEC;
    return latin1(bytes.subarray(0, bytes.indexOf(0)));
  }
  return null;
}

/** load_elf_binary() up to flush_old_exec(), for a program and its dynamic linker. Inode number or negative errno. */
function loadElf(k: Kernel, program: Binprm): number {
  const { buf } = program;
  const type = viewOf(buf).getUint16(E_TYPE, true);
  const bits = bitsOf(buf);
  if (latin1(buf.subarray(0, ELFMAG.length)) !== ELFMAG || bits === undefined) return -ENOEXEC;
  if (type !== ET_EXEC && type !== ET_DYN) return -ENOEXEC;
  const headers = programHeaders(k, program, bits);
  if (headers === undefined) return -ENOEXEC;
  const path = interpreterOf(k, program, headers, bits);
  if (typeof path === 'number') return path;
  if (path !== null) {
    const linker = openExec(k, path);
    if (linker === -ENOENT) recordIncomplete(k, program.ino, `${path} does not exist`);
    if (typeof linker === 'number') return linker;
    if (latin1(linker.buf.subarray(0, ELFMAG.length)) !== ELFMAG) return -ELIBBAD;
    if (bitsOf(linker.buf) !== bits) return -ELIBBAD;
    if (programHeaders(k, linker, bits) === undefined) return -ELIBBAD;
  }
  return program.ino;
}

export const exec = bodies({
  do_execve: inline((k: Kernel, path: string) => {
    if (path.split('/').some((name) => name.length > NAME_MAX)) return -ENAMETOOLONG;
    const program = openExec(k, path);
    const ino = typeof program === 'number' ? program : search(k, program, 0);
    const { rootfs } = k.state;
    if (rootfs.incomplete?.path === '') rootfs.incomplete.path = path;
    if (ino < 0) return ino;
    rootfs.executable = ino;
    return 0;
  }),
});
