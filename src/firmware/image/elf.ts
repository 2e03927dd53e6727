/** ELF64 kernel images for x86-64: loadable segments, and the symbol table unless stripped (System V ABI, ch. 4, 5). */
import { hexBytes, startsWith } from '../../base/bytes.js';
import { LIMITS } from '../../base/limits.js';
import type { InputError } from '../../base/errors.js';
import { Reader, hex, type ReaderPlace } from './reader.js';
import { SymbolTable, type ImageSymbol } from './symbols.js';

/** A loadable segment of the image. */
export interface ImageSegment {
  /** Physical address for which it is linked. */
  readonly paddr: number;
  /** 48-bit virtual address, sign-extended; the per-CPU segment has 0. */
  readonly vaddr: number;
  /** Its bytes in the file; the rest of memsz is zero. */
  readonly bytes: Uint8Array;
  /** Size in memory in bytes, at least `bytes.length`. */
  readonly memsz: number;
  /** p_flags: 1 executable, 2 writable, 4 readable. */
  readonly flags: number;
}

/** The contents of an ELF kernel. */
export interface ElfImage {
  readonly segments: ImageSegment[];
  /** e_entry: for a kernel, a physical address. */
  readonly entry: number;
  /** The symbol table, or undefined if it was stripped. */
  readonly symbols?: SymbolTable;
}

/** Elf64_Ehdr: offsets of its fields (System V ABI, ELF header). */
export const ELF64_EHDR = {
  e_ident: 0,
  EI_CLASS: 4,
  EI_DATA: 5,
  e_type: 16,
  e_machine: 18,
  e_version: 20,
  e_entry: 24,
  e_phoff: 32,
  e_shoff: 40,
  e_flags: 48,
  e_ehsize: 52,
  e_phentsize: 54,
  e_phnum: 56,
  e_shentsize: 58,
  e_shnum: 60,
  e_shstrndx: 62,
  size: 64,
} as const;

/** Elf64_Phdr: offsets of its fields (System V ABI, program header). */
export const ELF64_PHDR = {
  p_type: 0,
  p_flags: 4,
  p_offset: 8,
  p_vaddr: 16,
  p_paddr: 24,
  p_filesz: 32,
  p_memsz: 40,
  p_align: 48,
  size: 56,
} as const;

/** Elf64_Shdr: offsets of its fields (System V ABI, sections). */
export const ELF64_SHDR = {
  sh_name: 0,
  sh_type: 4,
  sh_flags: 8,
  sh_addr: 16,
  sh_offset: 24,
  sh_size: 32,
  sh_link: 40,
  sh_info: 44,
  sh_addralign: 48,
  sh_entsize: 56,
  size: 64,
} as const;

/** Elf64_Sym: offsets of its fields (System V ABI, symbol table). */
export const ELF64_SYM = {
  st_name: 0,
  st_info: 4,
  st_other: 5,
  st_shndx: 6,
  st_value: 8,
  st_size: 16,
  size: 24,
} as const;

export const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46] as const;
const ELFCLASS32 = 1;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_INTERP = 3;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHF_WRITE = 1;
const SHF_EXECINSTR = 4;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const STB_LOCAL = 0;
const STB_WEAK = 2;
const STT_OBJECT = 1;
const STT_SECTION = 3;
const STT_FILE = 4;
/** Physical addresses have 52 bits, virtual ones 48 (APM 5.3). */
const PHYSICAL_END = 2 ** 52;
const CANONICAL_END = 2 ** 47;
/** e_type: a kernel is ET_EXEC or ET_DYN. */
const ET_EXEC = 2;
const ET_DYN = 3;
/** Other values of e_type, for errors. */
const ELF_TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'ET_REL, an object file or a module'],
  [4, 'ET_CORE, a memory dump'],
]);
/** Processors of Linux by e_machine (System V ABI, "ELF Header"). */
const ELF_MACHINES: ReadonlyMap<number, string> = new Map([
  [3, 'i386'],
  [8, 'MIPS'],
  [20, 'PowerPC'],
  [21, 'PowerPC 64'],
  [22, 'S/390'],
  [40, 'ARM'],
  [183, 'AArch64'],
  [243, 'RISC-V'],
  [258, 'LoongArch'],
]);

/** The longest symbol name; kallsyms omits those of KSYM_NAME_LEN and more (scripts/kallsyms.c, read_symbol). */
const LONGEST_NAME = 511;
const LARGEST_NAMES = LIMITS.symbolNames.most;
/**
 * The largest span of an image in memory. The kernel has 512 MiB or 1 GiB of address space for itself
 * (KERNEL_IMAGE_SIZE, arch/x86/include/asm/page_64_types.h).
 */
export const LARGEST_IMAGE = LIMITS.unpackedKernel.most;

/**
 * Reads an ELF64 x86-64 executable. Bytes after the ELF (a relocatable kernel's relocations) are ignored.
 *
 * @throws InputError E_NOT_A_KERNEL for another machine, class or type; E_TRUNCATED; E_BAD_FIELD; E_TOO_LARGE.
 */
export function readElf(bytes: Uint8Array, place: ReaderPlace): ElfImage {
  const reader = new Reader(bytes, place);
  checkHeader(reader);
  const symbols = readSymtab(reader);
  return {
    segments: readSegments(reader),
    entry: reader.i64(ELF64_EHDR.e_entry, 'e_entry'),
    ...(symbols !== undefined && { symbols }),
  };
}

function checkHeader(reader: Reader): void {
  const E = ELF64_EHDR;
  const notKernel = (offset: number, found: string, expected: string): InputError =>
    reader.error('E_NOT_A_KERNEL', offset, { expected, found });
  const magic = reader.slice(E.e_ident, ELF_MAGIC.length, 'ELF magic');
  if (!startsWith(magic, ELF_MAGIC)) {
    throw notKernel(E.e_ident, hexBytes(magic, ' '), `${hexBytes(ELF_MAGIC, ' ')} (ELF)`);
  }
  reader.slice(0, E.size, 'ELF header');
  const named = (value: number, names: ReadonlyMap<number, string>): string => {
    const name = names.get(value);
    return name === undefined ? `${value}` : `${value} (${name})`;
  };
  const elfClass = reader.u8(E.EI_CLASS, 'EI_CLASS');
  if (elfClass !== ELFCLASS64) {
    const machine = named(reader.u16(E.e_machine, 'e_machine'), ELF_MACHINES);
    const found = elfClass === ELFCLASS32 ? `1 (32-bit), e_machine ${machine}` : `${elfClass}`;
    throw notKernel(E.EI_CLASS, found, 'EI_CLASS 2 (64-bit)');
  }
  const data = reader.u8(E.EI_DATA, 'EI_DATA');
  if (data !== ELFDATA2LSB) throw notKernel(E.EI_DATA, `${data}`, 'EI_DATA 1 (little endian)');
  const type = reader.u16(E.e_type, 'e_type');
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw notKernel(E.e_type, named(type, ELF_TYPES), 'e_type 2 (ET_EXEC) or 3 (ET_DYN)');
  }
  const machine = reader.u16(E.e_machine, 'e_machine');
  if (machine !== EM_X86_64) {
    throw notKernel(E.e_machine, named(machine, ELF_MACHINES), 'e_machine 62 (x86-64)');
  }
}

/** Checks that a table is whole and has entries of `entry` bytes. Returns the offset of an entry by its index. */
function tableAt(
  reader: Reader,
  fields: { off: number; entsize: number; name: string },
  count: number,
  entry: number,
): (index: number) => number {
  const at = reader.u64(fields.off, `${fields.name}off`);
  const size = reader.u16(fields.entsize, `${fields.name}entsize`);
  if (size !== entry) {
    throw reader.error('E_BAD_FIELD', fields.entsize, {
      reason: `${fields.name}entsize`,
      expected: `${entry}`,
      found: `${size}`,
    });
  }
  reader.slice(at, count * entry, `table at ${fields.name}off`);
  return (index) => at + index * entry;
}

function readSegments(reader: Reader): ImageSegment[] {
  const P = ELF64_PHDR;
  const count = reader.u16(ELF64_EHDR.e_phnum, 'e_phnum');
  const segments: ImageSegment[] = [];
  if (count > 0) {
    const { e_phoff: off, e_phentsize: entsize } = ELF64_EHDR;
    const headerAt = tableAt(reader, { off, entsize, name: 'e_ph' }, count, P.size);
    for (let index = 0; index < count; index++) {
      const at = headerAt(index);
      const type = reader.u32(at + P.p_type, `program header ${index}`);
      if (type === PT_INTERP) {
        throw reader.error('E_NOT_A_KERNEL', at, {
          expected: 'a kernel',
          found: 'a program with an interpreter (PT_INTERP)',
        });
      }
      if (type !== PT_LOAD) continue;
      const memsz = reader.u64(at + P.p_memsz, 'p_memsz');
      if (memsz === 0) continue;
      const filesz = reader.u64(at + P.p_filesz, 'p_filesz');
      if (filesz > memsz) {
        throw reader.error('E_BAD_FIELD', at + P.p_filesz, {
          reason: `p_filesz of program header ${index}`,
          expected: `at most p_memsz, ${hex(memsz)}`,
          found: hex(filesz),
        });
      }
      const offset = reader.u64(at + P.p_offset, 'p_offset');
      const vaddr = reader.i64(at + P.p_vaddr, 'p_vaddr');
      if (vaddr < -CANONICAL_END || vaddr + memsz > CANONICAL_END) {
        throw reader.error('E_BAD_FIELD', at + P.p_vaddr, {
          reason: `p_vaddr of program header ${index}`,
          expected: 'a canonical address of 48 bits',
          found: hex(vaddr),
        });
      }
      segments.push({
        paddr: reader.u64(at + P.p_paddr, 'p_paddr'),
        vaddr,
        bytes: reader.slice(offset, filesz, `bytes of program header ${index}`),
        memsz,
        flags: reader.u32(at + P.p_flags, 'p_flags'),
      });
    }
  }
  checkSegments(reader, segments);
  return segments;
}

function checkSegments(reader: Reader, segments: readonly ImageSegment[]): void {
  const sorted = [...segments].sort((a, b) => a.paddr - b.paddr);
  const [first] = sorted;
  const at = ELF64_EHDR.e_phnum;
  if (first === undefined) {
    throw reader.error('E_NOT_A_KERNEL', at, { expected: 'a PT_LOAD segment', found: 'none' });
  }
  let end = first.paddr;
  for (const { paddr, memsz } of sorted) {
    if (paddr < end) {
      throw reader.error('E_BAD_FIELD', at, {
        reason: 'two segments overlap in physical memory',
        expected: `p_paddr at least ${hex(end)}`,
        found: hex(paddr),
      });
    }
    end = paddr + memsz;
  }
  if (end > PHYSICAL_END) {
    throw reader.error('E_BAD_FIELD', at, {
      reason: 'end of the segments in physical memory',
      expected: `at most ${hex(PHYSICAL_END)}`,
      found: hex(end),
    });
  }
  if (end - first.paddr > LARGEST_IMAGE) {
    throw reader.error('E_TOO_LARGE', at, {
      reason: 'memory that the segments span',
      expected: `at most ${hex(LARGEST_IMAGE)} bytes`,
      found: hex(end - first.paddr),
    });
  }
}

/** The nm letter of a symbol (nm(1)), by its binding and the type and flags of its section. */
function nmLetter(info: number, shndx: number, section: { type: number; flags: number }): string {
  const bind = info >>> 4;
  if (bind === STB_WEAK) return (info & 15) === STT_OBJECT ? 'V' : 'W';
  let letter = 'R';
  if (shndx === SHN_ABS) letter = 'A';
  else if ((section.flags & SHF_EXECINSTR) !== 0) letter = 'T';
  else if (section.type === SHT_NOBITS) letter = 'B';
  else if ((section.flags & SHF_WRITE) !== 0) letter = 'D';
  return bind === STB_LOCAL ? letter.toLowerCase() : letter;
}

function readSymtab(reader: Reader): SymbolTable | undefined {
  const S = ELF64_SHDR;
  const count = reader.u16(ELF64_EHDR.e_shnum, 'e_shnum');
  if (count === 0) return undefined;
  const { e_shoff: off, e_shentsize: entsize } = ELF64_EHDR;
  const headerAt = tableAt(reader, { off, entsize, name: 'e_sh' }, count, S.size);
  const sections = Array.from({ length: count }, (_, index) => ({
    type: reader.u32(headerAt(index) + S.sh_type, `section header ${index}`),
    flags: reader.u32(headerAt(index) + S.sh_flags, 'sh_flags'),
  }));
  const symtab = sections.findIndex(({ type }) => type === SHT_SYMTAB);
  if (symtab === -1) return undefined;

  const link = reader.u32(headerAt(symtab) + S.sh_link, 'sh_link');
  if (link >= count) {
    throw reader.error('E_BAD_FIELD', headerAt(symtab) + S.sh_link, {
      reason: 'section of the symbol names',
      expected: `below ${count}`,
      found: `${link}`,
    });
  }
  const strings = new Reader(sectionBytes(reader, headerAt(link)), reader.place);
  const table = new Reader(sectionBytes(reader, headerAt(symtab)), reader.place);
  const symbols: ImageSymbol[] = [];
  let characters = 0;
  for (let at = 0; at + ELF64_SYM.size <= table.bytes.length; at += ELF64_SYM.size) {
    const info = table.u8(at + ELF64_SYM.st_info, 'st_info');
    const shndx = table.u16(at + ELF64_SYM.st_shndx, 'st_shndx');
    const kind = info & 15;
    if (shndx === SHN_UNDEF || kind === STT_SECTION || kind === STT_FILE) continue;
    const nameAt = table.u32(at + ELF64_SYM.st_name, 'st_name');
    const limited = strings.bytes.subarray(nameAt, nameAt + LONGEST_NAME + 1);
    if (limited.length > LONGEST_NAME && !limited.includes(0)) continue;
    const name = strings.text(nameAt, LONGEST_NAME);
    if (name === '') continue;
    characters += name.length;
    if (characters > LARGEST_NAMES) {
      throw reader.error('E_TOO_LARGE', headerAt(symtab), {
        reason: 'names of the symbol table',
        expected: `at most ${LARGEST_NAMES} characters`,
        found: 'more',
      });
    }
    const address = table.i64(at + ELF64_SYM.st_value, `value of ${name}`);
    const section = sections[shndx] ?? { type: 0, flags: 0 };
    symbols.push({ name, address, type: nmLetter(info, shndx, section) });
  }
  return symbols.length === 0 ? undefined : new SymbolTable(symbols);
}

function sectionBytes(reader: Reader, header: number): Uint8Array {
  return reader.slice(
    reader.u64(header + ELF64_SHDR.sh_offset, 'sh_offset'),
    reader.u64(header + ELF64_SHDR.sh_size, 'sh_size'),
    'section',
  );
}
