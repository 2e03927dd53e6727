/**
 * The relocations of a bzImage's payload, which follow its ELF file: lists of addresses, read from the end backwards, each
 * ended by a zero (arch/x86/tools/relocs.c; arch/x86/boot/compressed/misc.c, handle_relocations). The first is of words of 32
 * bits.
 */
import { ELF64_EHDR, ELF64_PHDR } from './elf.js';

const WORD = 4;

/** The end of an ELF file's contents: of its segments and of its tables. @param payload an ELF file that was read. */
function elfEnd(payload: Uint8Array): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const { e_shoff, e_shentsize, e_shnum, e_phoff, e_phentsize, e_phnum } = ELF64_EHDR;
  const table = (offset: number, size: number, count: number): number =>
    u64(offset) + view.getUint16(size, true) * view.getUint16(count, true);
  const headers = u64(e_phoff);
  const segments = Array.from({ length: view.getUint16(e_phnum, true) }, (_, index) => {
    const at = headers + index * view.getUint16(e_phentsize, true);
    return u64(at + ELF64_PHDR.p_offset) + u64(at + ELF64_PHDR.p_filesz);
  });
  const tables = [table(e_shoff, e_shentsize, e_shnum), table(e_phoff, e_phentsize, e_phnum)];
  return Math.max(...tables, ...segments);
}

/**
 * Link addresses of at most `most` words of 32 bits that hold an address of the image; none if the kernel is not relocatable.
 */
export function relocated32(payload: Uint8Array, most: number): number[] {
  const first = elfEnd(payload);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const found: number[] = [];
  for (let at = payload.length - WORD; at >= first && found.length < most; at -= WORD) {
    const address = view.getInt32(at, true);
    if (address === 0) break;
    found.push(address);
  }
  return found;
}
