import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ELF64_EHDR,
  ELF64_PHDR,
  ELF64_SHDR,
  ELF64_SYM,
  LARGEST_IMAGE,
  readElf,
} from '../../../src/firmware/image/elf.js';
import { buildElf, noise, refusal, SECTIONS, viewOf, type ElfPlan } from './build.js';

const TEXT = -0x7f00_0000;
const place = { file: 'vmlinux' };
const text = { vaddr: TEXT, paddr: 0x100_0000, bytes: noise(100) };
const percpu = { vaddr: 0, paddr: 0x120_0000, bytes: noise(32), memsz: 0x1000, flags: 6 };
const plan: ElfPlan = { segments: [text, percpu], entry: 0x100_0000 };

/** The file of `plan` with one field changed. */
function changed(at: number, width: 1 | 2 | 4 | 8, value: number): Uint8Array {
  const bytes = buildElf(plan);
  const view = viewOf(bytes);
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value, true);
  else if (width === 4) view.setUint32(at, value, true);
  else view.setBigInt64(at, BigInt(value), true);
  return bytes;
}
/** Offset of a field of program header `index`. */
const phdr = (index: number, field: keyof typeof ELF64_PHDR): number =>
  ELF64_EHDR.size + index * ELF64_PHDR.size + ELF64_PHDR[field];

describe('the layouts equal those of the ABI', () => {
  test('Elf64_Ehdr', () => {
    expect(ELF64_EHDR).toEqual({
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
    });
  });
  test('Elf64_Phdr', () => {
    expect(ELF64_PHDR).toEqual({
      p_type: 0,
      p_flags: 4,
      p_offset: 8,
      p_vaddr: 16,
      p_paddr: 24,
      p_filesz: 32,
      p_memsz: 40,
      p_align: 48,
      size: 56,
    });
  });
  test('Elf64_Shdr', () => {
    expect(ELF64_SHDR).toEqual({
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
    });
  });
  test('Elf64_Sym', () => {
    expect(ELF64_SYM).toEqual({
      st_name: 0,
      st_info: 4,
      st_other: 5,
      st_shndx: 6,
      st_value: 8,
      st_size: 16,
      size: 24,
    });
  });
});

describe('an ELF kernel', () => {
  test('has its segments, including the per-CPU one at virtual address 0, and its entry', () => {
    const { segments, entry, symbols } = readElf(buildElf(plan), place);
    expect(entry).toBe(0x100_0000);
    expect(symbols).toBeUndefined();
    expect(segments).toEqual([
      { vaddr: TEXT, paddr: 0x100_0000, bytes: text.bytes, memsz: 100, flags: 5 },
      { vaddr: 0, paddr: 0x120_0000, bytes: percpu.bytes, memsz: 0x1000, flags: 6 },
    ]);
  });

  test('ignores notes, empty segments and bytes after the file', () => {
    const note = { ...text, type: 4 };
    const empty = { ...percpu, bytes: new Uint8Array(0), memsz: 0 };
    const bytes = buildElf({ segments: [note, text, empty] });
    const longer = new Uint8Array(bytes.length + 100);
    longer.set(bytes);
    expect(readElf(longer, place).segments.map(({ vaddr }) => vaddr)).toEqual([TEXT]);
  });

  test('may be ET_DYN', () => {
    expect(readElf(changed(ELF64_EHDR.e_type, 2, 3), place).segments).toHaveLength(2);
  });

  test.each([
    ['another magic', 0, 1, 0x7e, 0, '7e 45 4c 46'],
    ['32 bits', ELF64_EHDR.EI_CLASS, 1, 1, 4, '1 (32-bit), e_machine 62'],
    ['big endian', ELF64_EHDR.EI_DATA, 1, 2, 5, '2'],
    ['type ET_REL', ELF64_EHDR.e_type, 2, 1, 16, '1 (ET_REL, an object file or a module)'],
    ['type ET_CORE', ELF64_EHDR.e_type, 2, 4, 16, '4 (ET_CORE, a memory dump)'],
    ['machine AArch64', ELF64_EHDR.e_machine, 2, 183, 18, '183 (AArch64)'],
    ['no program headers', ELF64_EHDR.e_phnum, 2, 0, 56, 'none'],
  ] as const)('with %s is not a kernel', (_title, at, width, value, offset, found) => {
    const error = refusal(() => readElf(changed(at, width, value), place));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code: 'E_NOT_A_KERNEL',
      place: { file: 'vmlinux', offset },
      found,
    });
  });

  test.each([
    ['program headers of another size', ELF64_EHDR.e_phentsize, 2, 32, ELF64_EHDR.e_phentsize],
    ['more file than memory', phdr(0, 'p_memsz'), 8, 99, phdr(0, 'p_filesz')],
    ['a negative offset', phdr(0, 'p_offset'), 8, -1, phdr(0, 'p_offset')],
    ['a virtual address of 49 bits', phdr(0, 'p_vaddr'), 8, 2 ** 48, phdr(0, 'p_vaddr')],
    ['a virtual address that ends beyond', phdr(0, 'p_vaddr'), 8, 2 ** 47 - 99, phdr(0, 'p_vaddr')],
    ['a physical address beyond 52 bits', phdr(1, 'p_paddr'), 8, 2 ** 52 - 1, ELF64_EHDR.e_phnum],
    ['segments that overlap', phdr(1, 'p_paddr'), 8, 0x100_0063, ELF64_EHDR.e_phnum],
  ] as const)('with %s is refused', (_title, at, width, value, offset) => {
    const error = refusal(() => readElf(changed(at, width, value), place));
    expect({ code: error.code, offset: error.place.offset }).toEqual({
      code: 'E_BAD_FIELD',
      offset,
    });
  });

  test('may have segments that touch', () => {
    const bytes = changed(phdr(1, 'p_paddr'), 8, 0x100_0064);
    expect(readElf(bytes, place).segments).toHaveLength(2);
  });

  test('may span 1 GiB of memory and no byte more', () => {
    const last = 0x100_0000 + LARGEST_IMAGE - 0x1000;
    expect(readElf(changed(phdr(1, 'p_paddr'), 8, last), place).segments).toHaveLength(2);
    const error = refusal(() => readElf(changed(phdr(1, 'p_paddr'), 8, last + 1), place));
    expect(error.code).toBe('E_TOO_LARGE');
  });

  test('with a segment past its end is refused with the offset of the segment', () => {
    const bytes = buildElf(plan);
    const error = refusal(() => readElf(bytes.subarray(0, -1), place));
    expect({ code: error.code, offset: error.place.offset }).toEqual({
      code: 'E_TRUNCATED',
      offset: bytes.length - percpu.bytes.length,
    });
  });

  test('truncated anywhere throws an InputError', () => {
    const bytes = buildElf({ ...plan, symbols: [{ name: '_text', value: TEXT }] });
    for (let length = 0; length < bytes.length; length++) {
      const { code } = refusal(() => readElf(bytes.subarray(0, length), place));
      expect(code).toBe('E_TRUNCATED');
    }
  });

  test('corrupted in any byte is read or refused with an InputError', () => {
    const bytes = buildElf({ ...plan, symbols: [{ name: '_text', value: TEXT }] });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        try {
          expect(readElf(bytes.with(at, byte), place).segments.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ name: 'InputError' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the ELF symbol table', () => {
  const read = (symbols: ElfPlan['symbols'] & object) =>
    readElf(buildElf({ ...plan, symbols }), place).symbols;

  test('has names, sign-extended addresses and nm letters', () => {
    const symbols = read([
      { name: '_text', value: TEXT },
      { name: 'helper', value: TEXT + 1, info: 0x02 },
      { name: 'weak_function', value: TEXT + 2, info: 0x22 },
      { name: 'weak_object', value: TEXT + 3, info: 0x21 },
      { name: 'table', value: TEXT + 4, info: 0x11, shndx: SECTIONS.rodata },
      { name: 'counter', value: TEXT + 5, info: 0x01, shndx: SECTIONS.data },
      { name: '__bss_start', value: TEXT + 6, info: 0x10, shndx: SECTIONS.bss },
      { name: '__per_cpu_end', value: 0x3_4000, info: 0x10, shndx: 0xfff1 },
    ]);
    const letters = [...(symbols?.names() ?? [])].map((name) => symbols?.get(name));
    expect(letters).toEqual([
      { name: '__per_cpu_end', address: 0x3_4000, type: 'A' },
      { name: '_text', address: TEXT, type: 'T' },
      { name: 'helper', address: TEXT + 1, type: 't' },
      { name: 'weak_function', address: TEXT + 2, type: 'W' },
      { name: 'weak_object', address: TEXT + 3, type: 'V' },
      { name: 'table', address: TEXT + 4, type: 'R' },
      { name: 'counter', address: TEXT + 5, type: 'd' },
      { name: '__bss_start', address: TEXT + 6, type: 'B' },
    ]);
  });

  test('omits sections, files, undefined and unnamed symbols', () => {
    const symbols = read([
      { name: 'section', value: TEXT, info: 0x03 },
      { name: 'head_64.c', value: 0, info: 0x04 },
      { name: 'undefined', value: 0, shndx: 0 },
      { name: '', value: TEXT },
      { name: '_text', value: TEXT },
    ]);
    expect([...(symbols?.names() ?? [])]).toEqual(['_text']);
  });

  test('without symbols counts as stripped', () => {
    expect(read([])).toBeUndefined();
  });
});
