/** A small kernel image whose instructions set the C-bit of a large page and store to it, for tests of the debugger. */
import { ELF64_EHDR, ELF64_PHDR, ELF64_SHDR, ELF64_SYM } from '../../src/firmware/image/elf.js';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { ascii, buildElf, SECTIONS, viewOf } from '../firmware/image/build.js';
import { scenario } from '../helpers.js';

/** Where the image is linked, and where it is loaded and runs: under its physical addresses. */
export const TEXT = -0x7f00_0000;
export const ENTRY = 0x100_0000;
/** The large page that gets the C-bit, and what is stored there. */
export const SECRET = 0x180_0000;
export const VALUE = 0x1122_3344_5566_7788n;
const BANNER = 0x800;
export const BANNER_TEXT = 'a small kernel, version 1';

/** The top of the stack. */
export const STACK = 0x1a0_0000;

/** The instructions by symbol, in order. */
const PROGRAM = {
  // mov rax, cr3; mov rax, [rax]; and rax, -4096; mov rax, [rax]; and rax, -4096
  _text: '0f20d8 488b00 482500f0ffff 488b00 482500f0ffff',
  // bts qword [rax + 12 * 8], 47; invlpg [SECRET]
  set_c_bit: '480fba68602f 0f013c2500008001',
  // movabs rbx, VALUE; mov [SECRET], rbx
  store_value: '48bb8877665544332211 48891c2500008001',
  // mov esp, STACK; mov edx, 0x3f8; mov al, 'k'; out dx, al; call count; call count; hlt
  finish: 'bc0000a001 baf8030000 b06b ee e806000000 e801000000 f4',
  // inc rcx; ret
  count: '48ffc1 c3',
  // a loop without an end: jmp spin
  spin: 'ebfe',
  // fsin, which is not modelled
  unknown: 'd9fe ebfe',
  // lidt [an IDT of 0 bytes]; ud2
  triple: '0f011c2500090001 0f0b',
} as const;
export type Symbol = keyof typeof PROGRAM | 'linux_banner';

const bytesOf = (code: string): number[] => [...Buffer.from(code.replaceAll(' ', ''), 'hex')];

const offsets = new Map<Symbol, number>();
const code: number[] = [];
for (const [name, text] of Object.entries(PROGRAM)) {
  offsets.set(name as Symbol, code.length);
  code.push(...bytesOf(text));
}
offsets.set('linux_banner', BANNER);

/** The physical address of a symbol, under which it runs. */
export function at(name: Symbol): number {
  return ENTRY + (offsets.get(name) ?? Number.NaN);
}

/** The image as an ELF file with symbols. */
export function guestElf(): Uint8Array {
  const bytes = new Uint8Array(0x1000);
  bytes.set(code);
  bytes.set(ascii(`${BANNER_TEXT}\0`), BANNER);
  // STB_GLOBAL with STT_FUNC, and STT_OBJECT for the data.
  const symbols = [...offsets].map(([name, offset]) => ({
    name,
    value: TEXT + offset,
    info: name === 'linux_banner' ? 0x11 : 0x12,
    shndx: SECTIONS.text,
  }));
  const segments = [{ vaddr: TEXT, paddr: ENTRY, bytes }];
  const elf = buildElf({ segments, entry: ENTRY, symbols });
  completeSections(elf);
  return elf;
}

/** What gdb wants of the table of sections besides: names, the place of .text, the size of symbols and the first global. */
function completeSections(elf: Uint8Array): void {
  const view = viewOf(elf);
  view.setUint16(ELF64_EHDR.e_shstrndx, SECTIONS.strtab, true);
  const table = Number(view.getBigUint64(ELF64_EHDR.e_shoff, true));
  const text = table + SECTIONS.text * ELF64_SHDR.size;
  const offset = view.getBigUint64(ELF64_EHDR.size + ELF64_PHDR.p_offset, true);
  view.setBigInt64(text + ELF64_SHDR.sh_addr, BigInt(TEXT), true);
  view.setBigUint64(text + ELF64_SHDR.sh_offset, offset, true);
  view.setBigUint64(text + ELF64_SHDR.sh_size, 0x1000n, true);
  const symtab = table + SECTIONS.symtab * ELF64_SHDR.size;
  view.setUint32(symtab + ELF64_SHDR.sh_info, 1, true);
  view.setBigUint64(symtab + ELF64_SHDR.sh_entsize, BigInt(ELF64_SYM.size), true);
}

/** The image in a machine with SYSCFG[23] set, before its first instruction. */
export function guest(...settings: string[]): ExecutedBoot {
  const image = readKernelImage(guestElf(), { file: 'guest.elf' });
  return new ExecutedBoot({
    scenario: scenario('firmware-syscfg', 'machine.ram=128MiB', ...settings),
    image,
    cipher: nodeCipher,
  });
}
