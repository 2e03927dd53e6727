/** Kernel images: bzImage, ELF with a symbol table, kallsyms; and System.map. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { decodeUtf8 } from '../../../src/base/utf8.js';
import { SETUP_HEADER } from '../../../src/firmware/image/bzimage.js';
import {
  ELF64_EHDR,
  ELF64_PHDR,
  ELF64_SYM,
  type ImageSegment,
} from '../../../src/firmware/image/elf.js';
import { readKallsyms } from '../../../src/firmware/image/kallsyms.js';
import { readKernelImage, type SymbolTable } from '../../../src/firmware/image/kernel-image.js';
import { readSystemMap } from '../../../src/firmware/image/system-map.js';
import {
  buildBzImage,
  buildElf,
  buildKallsyms,
  concat,
  KALLSYMS_AT,
  lz4Legacy,
  noise,
  le32,
  type KallsymsLayout,
} from '../../firmware/image/build.js';
import { mutated, type Field } from '../bytes.js';
import { verify, verifySame, type Kind } from '../kind.js';
import { mutatedText } from '../text.js';

const TEXT = -0x7f00_0000;
const LOAD = 0x100_0000;

const name = fc.constantFrom(
  '_text',
  '_end',
  'startup_64',
  'init_level4_pgt',
  'sme_me_mask',
  '__proto__',
  'constructor',
  'toString',
  'a',
  'a.b$c',
  '',
);

/** ELF files with one to three segments, and symbols. */
const elfs = fc
  .record({
    segments: fc.integer({ min: 1, max: 3 }),
    length: fc.constantFrom(0, 1, 64, 300, 4096),
    bss: fc.constantFrom(0, 16, 0x1000, 0x10_0000),
    symbols: fc.array(
      fc.tuple(name, fc.nat(0x2000), fc.constantFrom(0x12, 0x11, 0x02, 0x10, 0x03)),
      { maxLength: 12 },
    ),
  })
  .map(({ segments, length, bss, symbols }) =>
    buildElf({
      segments: Array.from({ length: segments }, (_, i) => ({
        vaddr: TEXT + i * 0x20_0000,
        paddr: LOAD + i * 0x20_0000,
        bytes: noise(length, i + 1),
        memsz: length + bss,
        flags: [5, 6, 4][i] ?? 4,
      })),
      symbols: [
        { name: '_text', value: TEXT },
        ...symbols.map(([text, at, info]) => ({ name: text, value: TEXT + at, info })),
      ],
    }),
  );

/** The fields of an ELF file: its headers', and those of the tables where they are. */
function elfFields(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { e_phoff, e_shoff, e_phnum, e_shnum, e_entry, e_phentsize, e_shentsize } = ELF64_EHDR;
  const fields: Field[] = [
    ...[e_phoff, e_shoff, e_entry].map((at) => ({ at, width: 8 }) as const),
    ...[e_phnum, e_shnum, e_phentsize, e_shentsize].map((at) => ({ at, width: 2 }) as const),
  ];
  const { p_offset, p_vaddr, p_paddr, p_filesz, p_memsz } = ELF64_PHDR;
  for (const at of [p_offset, p_vaddr, p_paddr, p_filesz, p_memsz]) {
    fields.push({ at: ELF64_EHDR.size + at, width: 8 });
  }
  const sections = Number(view.getBigUint64(e_shoff, true));
  // The offset, size, link and entry size of .symtab and .strtab, sections 5 and 6 of the files built here.
  for (const section of [5, 6]) {
    for (const at of [24, 32, 40, 56]) fields.push({ at: sections + section * 64 + at, width: 4 });
  }
  const symtab = Number(view.getBigUint64(sections + 5 * 64 + 24, true));
  fields.push({ at: symtab + ELF64_SYM.size, width: 4 });
  return fields;
}

/** Verifies that the names of a table are found by it, and their addresses by their names. */
function checkSymbols(symbols: SymbolTable): void {
  let left = 50;
  for (const each of symbols.names()) {
    const found = symbols.get(each);
    verify(found !== undefined, `the table names ${JSON.stringify(each)} and does not find it`);
    if (left-- === 0) break;
  }
}

function readImage(bytes: Uint8Array): boolean {
  const image = readKernelImage(bytes, { file: 'vmlinux' });
  for (const { memsz, bytes: content } of image.segments) {
    verify(content.length <= memsz, 'a segment has more bytes than memory');
  }
  checkSymbols(image.symbols);
  return true;
}

export const elf: Kind = {
  name: 'elf',
  what: 'vmlinux: ELF with a symbol table',
  ext: 'bin',
  inputs: 5000,
  share: 3,
  arbitrary: mutated(elfs, { fields: elfFields }),
  read: readImage,
};

const SETUP_FIELDS: readonly Field[] = [
  { at: SETUP_HEADER.setup_sects, width: 1 },
  { at: SETUP_HEADER.version, width: 2 },
  { at: SETUP_HEADER.jump, width: 1 },
  { at: SETUP_HEADER.kernel_version, width: 2 },
  { at: SETUP_HEADER.xloadflags, width: 2 },
  { at: SETUP_HEADER.payload_offset, width: 4 },
  { at: SETUP_HEADER.payload_length, width: 4 },
  { at: SETUP_HEADER.pref_address, width: 8 },
  { at: SETUP_HEADER.init_size, width: 4 },
];

/** bzImages with payloads that are mutated themselves in some, so that the image's own decoder is reached. */
const bzImages = fc
  .record({
    payload: mutated(elfs, { fields: elfFields, mutated: 3, most: 1 }),
    how: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('gzip', 'gzip', 'lz4') },
      { weight: 1, arbitrary: fc.constant('plain') },
    ),
    setupSects: fc.constantFrom(0, 1, 3, 4, 31),
    protocol: fc.constantFrom(0x020d, 0x020d, 0x020c, 0x020f, 0x0208),
    version: fc.constantFrom('4.6.5 (x) #1', '', 'x', '\u001b[2J'),
  })
  .map(({ payload, how, ...plan }) => {
    // gzip's own last field is the size; the build appends it to the other formats.
    const size = le32(payload.length);
    const packed =
      how === 'gzip'
        ? new Uint8Array(gzipSync(payload))
        : concat(how === 'lz4' ? lz4Legacy(payload) : payload, size);
    return buildBzImage({ ...plan, payload: packed });
  });

export const bzimage: Kind = {
  name: 'bzimage',
  what: 'bzImages with compressed payloads',
  ext: 'bin',
  inputs: 3000,
  share: 2,
  arbitrary: mutated(bzImages, { fields: SETUP_FIELDS, mutated: 5 }),
  read: readImage,
};

const LAYOUTS: readonly KallsymsLayout[] = [
  { word: 8, addresses: 'absolute', order: 'classic' },
  { word: 8, addresses: 'relative', order: 'classic' },
  { word: 8, addresses: 'relative-percpu', order: 'classic' },
  { word: 4, addresses: 'relative-percpu', order: 'seqs' },
  { word: 4, addresses: 'relative-percpu', order: 'addresses-last' },
  { word: 4, addresses: 'place-relative', order: 'addresses-last', align: 4 },
];
const WORDS = ['init', 'sys_open', 'level2_kernel_pgt', 'early_top_pgt', 'symbol', '__boot_x'];

/** Bytes before the tables: KALLSYMS_AT is where they are then. */
const BEFORE = 8192;

const tables = fc
  .tuple(fc.constantFrom(...LAYOUTS), fc.integer({ min: 1, max: 600 }))
  .map(([layout, count]) => {
    const symbols = Array.from({ length: count }, (_, index) => ({
      name: `${WORDS[index % WORDS.length] ?? ''}_${String(index)}`,
      type: index % 3 === 0 ? 'T' : 'd',
      address: KALLSYMS_AT - BEFORE + index * 0x30,
    }));
    return buildKallsyms(symbols, layout);
  });

export const kallsyms: Kind = {
  name: 'kallsyms',
  what: 'kallsyms of kernels of six layouts',
  ext: 'bin',
  inputs: 2000,
  share: 1,
  arbitrary: mutated(tables, { mutated: 6, most: 2 }),
  read(bytes) {
    const whole = concat(new Uint8Array(BEFORE), bytes, new Uint8Array(64));
    const segment: ImageSegment = {
      vaddr: KALLSYMS_AT - BEFORE,
      paddr: LOAD,
      bytes: whole,
      memsz: whole.length,
      flags: 5,
    };
    const found = readKallsyms([segment]);
    if (found === undefined) return false;
    checkSymbols(found);
    return true;
  },
};

const address = fc.constantFrom(
  'ffffffff81000000',
  'ffffffff81000000',
  'ffffffff8100f000',
  '0000000000000000',
  '000000000001f300',
  'ffff0000ffff0000',
  '8000000000000000',
);
const line = fc
  .tuple(address, fc.constantFrom('T', 't', 'D', 'A', 'W', '?'), name)
  .map(([at, type, text]) => `${at} ${type} ${text === '' ? 'x' : text}`);
const maps = fc
  .array(line, { maxLength: 20 })
  .map((lines) => ['ffffffff81000000 T _text', ...lines, ''].join('\n'));

export const systemMap: Kind = {
  name: 'system-map',
  what: 'System.map',
  ext: 'txt',
  inputs: 5000,
  share: 3,
  arbitrary: mutatedText(maps, { mutated: 6 }),
  read(bytes) {
    const table = readSystemMap(decodeUtf8('System.map', bytes), 'System.map');
    checkSymbols(table);
    const printed = [...table.names()].flatMap((each) => {
      const symbol = table.get(each);
      if (symbol === undefined) return [];
      const digits = BigInt.asUintN(64, BigInt(symbol.address)).toString(16).padStart(16, '0');
      return [`${digits} ${symbol.type} ${each}`];
    });
    const again = readSystemMap(`${printed.join('\n')}\n`, 'System.map');
    verifySame(
      [...again.names()].sort(),
      [...table.names()].sort(),
      'the names of the map printed and read again',
    );
    return true;
  },
};
