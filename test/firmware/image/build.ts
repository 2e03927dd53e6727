/** Builds the inputs of the image readers: ELF files, kallsyms tables, LZ4 frames and bzImages, each from its description. */
import { ELF64_EHDR, ELF64_PHDR, ELF64_SHDR, ELF64_SYM } from '../../../src/firmware/image/elf.js';
import { BOOT_PARAMS } from '../../../src/firmware/boot-params.js';
import { SETUP_HEADER } from '../../../src/firmware/image/bzimage.js';
import { InputError } from '../../../src/base/errors.js';

/** The InputError that a call throws; anything else fails the test. */
export function refusal(call: () => unknown): InputError {
  try {
    call();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Pseudo-random bytes, the same for each call. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

export interface SegmentPlan {
  vaddr: number;
  paddr: number;
  bytes: Uint8Array;
  memsz?: number;
  flags?: number;
  type?: number;
}

export interface SymbolPlan {
  name: string;
  value: number;
  /** st_info: bind · 16 + type. */
  info?: number;
  shndx?: number;
}

export interface ElfPlan {
  segments: SegmentPlan[];
  entry?: number;
  /** Makes a section table: none, .text, .rodata, .data, .bss, .symtab, .strtab, numbered in that order. */
  symbols?: SymbolPlan[];
}

const put64 = (view: DataView, at: number, value: number): void =>
  view.setBigInt64(at, BigInt(value), true);

/** Sections of the files built here: index, type and flags as the ABI numbers them. */
export const SECTIONS = { text: 1, rodata: 2, data: 3, bss: 4, symtab: 5, strtab: 6 } as const;
const SECTION_HEADERS: readonly (readonly [type: number, flags: number])[] = [
  [0, 0],
  [1, 2 + 4],
  [1, 2],
  [1, 2 + 1],
  [8, 2 + 1],
  [2, 0],
  [3, 0],
];

/** An ELF64 executable for x86-64. */
export function buildElf({ segments, entry = 0x100_0000, symbols }: ElfPlan): Uint8Array {
  const ehdr = new Uint8Array(ELF64_EHDR.size);
  const phdrs = new Uint8Array(segments.length * ELF64_PHDR.size);
  const parts: Uint8Array[] = [ehdr, phdrs];
  let end = ehdr.length + phdrs.length;
  const append = (bytes: Uint8Array): number => {
    const at = Math.ceil(end / 16) * 16;
    parts.push(new Uint8Array(at - end), bytes);
    end = at + bytes.length;
    return at;
  };

  const head = viewOf(ehdr);
  ehdr.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.setUint16(ELF64_EHDR.e_type, 2, true);
  head.setUint16(ELF64_EHDR.e_machine, 62, true);
  head.setUint32(ELF64_EHDR.e_version, 1, true);
  put64(head, ELF64_EHDR.e_entry, entry);
  put64(head, ELF64_EHDR.e_phoff, ELF64_EHDR.size);
  head.setUint16(ELF64_EHDR.e_ehsize, ELF64_EHDR.size, true);
  head.setUint16(ELF64_EHDR.e_phentsize, ELF64_PHDR.size, true);
  head.setUint16(ELF64_EHDR.e_phnum, segments.length, true);

  const program = viewOf(phdrs);
  for (const [index, { vaddr, paddr, bytes, memsz, flags, type }] of segments.entries()) {
    const at = index * ELF64_PHDR.size;
    program.setUint32(at + ELF64_PHDR.p_type, type ?? 1, true);
    program.setUint32(at + ELF64_PHDR.p_flags, flags ?? 5, true);
    put64(program, at + ELF64_PHDR.p_offset, append(bytes));
    put64(program, at + ELF64_PHDR.p_vaddr, vaddr);
    put64(program, at + ELF64_PHDR.p_paddr, paddr);
    put64(program, at + ELF64_PHDR.p_filesz, bytes.length);
    put64(program, at + ELF64_PHDR.p_memsz, memsz ?? bytes.length);
  }

  if (symbols !== undefined) {
    let names = '\0';
    const symtab = new Uint8Array((symbols.length + 1) * ELF64_SYM.size);
    const table = viewOf(symtab);
    for (const [index, { name, value, info, shndx }] of symbols.entries()) {
      const at = (index + 1) * ELF64_SYM.size;
      table.setUint32(at + ELF64_SYM.st_name, name === '' ? 0 : names.length, true);
      table.setUint8(at + ELF64_SYM.st_info, info ?? 0x12);
      table.setUint16(at + ELF64_SYM.st_shndx, shndx ?? SECTIONS.text, true);
      put64(table, at + ELF64_SYM.st_value, value);
      names += `${name}\0`;
    }
    const contents = new Map<number, { at: number; size: number }>([
      [SECTIONS.symtab, { at: append(symtab), size: symtab.length }],
      [SECTIONS.strtab, { at: append(ascii(names)), size: names.length }],
    ]);
    const shdrs = new Uint8Array(SECTION_HEADERS.length * ELF64_SHDR.size);
    const sections = viewOf(shdrs);
    for (const [index, [type, flags]] of SECTION_HEADERS.entries()) {
      const at = index * ELF64_SHDR.size;
      sections.setUint32(at + ELF64_SHDR.sh_type, type, true);
      put64(sections, at + ELF64_SHDR.sh_flags, flags);
      put64(sections, at + ELF64_SHDR.sh_offset, contents.get(index)?.at ?? 0);
      put64(sections, at + ELF64_SHDR.sh_size, contents.get(index)?.size ?? 0);
      if (index === SECTIONS.symtab) {
        sections.setUint32(at + ELF64_SHDR.sh_link, SECTIONS.strtab, true);
      }
    }
    put64(head, ELF64_EHDR.e_shoff, append(shdrs));
    head.setUint16(ELF64_EHDR.e_shentsize, ELF64_SHDR.size, true);
    head.setUint16(ELF64_EHDR.e_shnum, SECTION_HEADERS.length, true);
  }
  return concat(...parts);
}

export interface KallsymsSymbol {
  name: string;
  type: string;
  address: number;
}

/** The layout of kallsyms' tables in a kernel version. */
export interface KallsymsLayout {
  /** Width of markers and num_syms in bytes: 8 until 4.19, 4 from 4.20. */
  word: 4 | 8;
  addresses: 'absolute' | 'relative' | 'relative-percpu' | 'place-relative';
  /** 6.2 to 6.4 have seqs_of_names after the markers; 6.5 has it and the addresses after token_index. */
  order: 'classic' | 'seqs' | 'addresses-last';
  /** Alignment of the tables: 8, from 7.0 on 4. */
  align?: 4 | 8;
}

/** Address of the tables with place-relative addresses. */
export const KALLSYMS_AT = -0x7f00_0000 + 8192;

/** Texts of the tokens whose codes are not characters of names. */
const FRAGMENTS = ['Tinit_', 'sys_', 'level', '_pgt', 'early_', 'boot_', 'ab', 'ymb', 'ol', '__'];

/** Tables for symbols in kallsyms' order (ascending, unsigned). They start on a multiple of 8. */
export function buildKallsyms(
  symbols: readonly KallsymsSymbol[],
  { word, addresses, order, align: alignment = 8 }: KallsymsLayout,
): Uint8Array {
  const texts = symbols.map(({ name, type }) => `${type}${name}`);
  const used = new Set(`${texts.join('')}0123456789`);
  let fragment = 0;
  const tokens = Array.from({ length: 256 }, (_, code) => {
    const char = String.fromCharCode(code);
    return used.has(char) ? char : (FRAGMENTS[fragment++] ?? '');
  });
  const byLength = tokens
    .map((token, code) => ({ token, code }))
    .filter(({ token }) => token !== '')
    .sort((a, b) => b.token.length - a.token.length);

  const bytes: number[] = [];
  const align = (): void => {
    while (bytes.length % alignment !== 0) bytes.push(0);
  };
  const put = (value: number, width: number): void => {
    const bits = BigInt.asUintN(8 * width, BigInt(value));
    for (let i = 0; i < width; i++) bytes.push(Number((bits >> BigInt(8 * i)) & 0xffn));
  };
  const base = symbols.find(({ address }) => address < 0)?.address ?? 0;
  const putAddresses = (): void => {
    align();
    for (const { address } of symbols) {
      if (addresses === 'absolute') put(address, 8);
      else if (addresses === 'relative') put(address - base, 4);
      else if (addresses === 'place-relative') put(address - (KALLSYMS_AT + bytes.length), 4);
      else put(address >= 0 ? address : base - 1 - address, 4);
    }
    if (addresses === 'absolute' || addresses === 'place-relative') return;
    align();
    put(base, 8);
  };
  const putSeqs = (): void => {
    align();
    for (let index = 0; index < symbols.length; index++) {
      bytes.push(index >>> 16, (index >>> 8) & 0xff, index & 0xff);
    }
  };

  if (order !== 'addresses-last') putAddresses();
  align();
  put(symbols.length, word);
  align();
  const markers: number[] = [];
  const names = bytes.length;
  for (const [index, text] of texts.entries()) {
    if (index % 256 === 0) markers.push(bytes.length - names);
    const codes: number[] = [];
    for (let at = 0; at < text.length;) {
      const found = byLength.find(({ token }) => text.startsWith(token, at));
      if (found === undefined) throw new Error(`no token for ${text}`);
      codes.push(found.code);
      at += found.token.length;
    }
    if (codes.length > 0x7f) bytes.push(0x80 | (codes.length & 0x7f), codes.length >>> 7);
    else bytes.push(codes.length);
    bytes.push(...codes);
  }
  align();
  for (const marker of markers) put(marker, word);
  if (order === 'seqs') putSeqs();
  align();
  const offsets: number[] = [];
  const tokenTable = bytes.length;
  for (const token of tokens) {
    offsets.push(bytes.length - tokenTable);
    bytes.push(...ascii(`${token}\0`));
  }
  align();
  for (const offset of offsets) put(offset, 2);
  if (order === 'addresses-last') {
    putAddresses();
    putSeqs();
  }
  align();
  return Uint8Array.from(bytes);
}

/** One LZ4 block, greedily: matches of at least four bytes at the last offset with the same four bytes. */
export function lz4Block(src: Uint8Array): Uint8Array {
  const out: number[] = [];
  const seen = new Map<number, number>();
  const view = viewOf(src);
  const length = (value: number): void => {
    for (let left = value - 15; left >= 0; left -= 255) out.push(Math.min(left, 255));
  };
  const sequence = (literals: Uint8Array, match?: { offset: number; length: number }): void => {
    const extra = match === undefined ? 0 : match.length - 4;
    out.push((Math.min(literals.length, 15) << 4) | Math.min(extra, 15));
    if (literals.length >= 15) length(literals.length);
    out.push(...literals);
    if (match === undefined) return;
    out.push(match.offset & 0xff, match.offset >>> 8);
    if (extra >= 15) length(extra);
  };
  let from = 0;
  for (let at = 0; at + 4 < src.length;) {
    const word = view.getUint32(at, true);
    const before = seen.get(word);
    seen.set(word, at);
    if (before === undefined || at - before > 0xffff) {
      at++;
      continue;
    }
    let same = 4;
    while (at + same < src.length - 1 && src[before + same] === src[at + same]) same++;
    sequence(src.subarray(from, at), { offset: at - before, length: same });
    at += same;
    from = at;
  }
  sequence(src.subarray(from));
  return Uint8Array.from(out);
}

/** 32 bits, little endian. */
export function le32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

/** A legacy frame of blocks of 8 MiB. */
export function lz4Legacy(src: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [le32(0x184c_2102)];
  for (let at = 0; at < src.length; at += 8 << 20) {
    const block = lz4Block(src.subarray(at, at + (8 << 20)));
    parts.push(le32(block.length), block);
  }
  return concat(...parts);
}

export interface BzImagePlan {
  payload: Uint8Array;
  version?: string;
  protocol?: number;
  setupSects?: number;
  headerSize?: number;
  /** The protected-mode code before the payload. */
  stub?: Uint8Array;
}

/** A bzImage with a payload as in the file: compressed, followed by its size. */
export function buildBzImage(plan: BzImagePlan): Uint8Array {
  const { payload, version = '4.6.0 (built) #1', protocol = 0x020d, setupSects = 3 } = plan;
  const code = ((setupSects === 0 ? 4 : setupSects) + 1) * 512;
  const payloadOffset = Math.max(0x40, plan.stub?.length ?? 0);
  const bytes = new Uint8Array(code + payloadOffset + payload.length + 0x20);
  const view = viewOf(bytes);
  bytes[SETUP_HEADER.setup_sects] = setupSects;
  view.setUint16(SETUP_HEADER.boot_flag, 0xaa55, true);
  bytes[SETUP_HEADER.jump] = plan.headerSize ?? 0x264 - 0x202;
  bytes.set(ascii('HdrS'), SETUP_HEADER.header);
  view.setUint16(SETUP_HEADER.version, protocol, true);
  if (version !== '') {
    view.setUint16(SETUP_HEADER.kernel_version, 0x300 - 0x200, true);
    bytes.set(ascii(version), 0x300);
  }
  view.setUint16(SETUP_HEADER.xloadflags, 1, true);
  view.setUint32(SETUP_HEADER.payload_offset, payloadOffset, true);
  view.setUint32(SETUP_HEADER.payload_length, payload.length, true);
  view.setBigUint64(SETUP_HEADER.pref_address, 0x100_0000n, true);
  view.setUint32(SETUP_HEADER.init_size, 0x100_0000, true);
  bytes.set(payload, code + payloadOffset);
  if (plan.stub !== undefined) {
    bytes.set(plan.stub, code);
    view.setUint32(BOOT_PARAMS.syssize, Math.floor((bytes.length - code) / 16), true);
    view.setUint32(BOOT_PARAMS.kernel_alignment, 0x20_0000, true);
    bytes[BOOT_PARAMS.relocatable_kernel] = 1;
    bytes[BOOT_PARAMS.min_alignment] = 21;
  }
  return bytes;
}
