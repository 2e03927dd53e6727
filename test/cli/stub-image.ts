/** A bzImage with a stub of a few instructions: it copies the kernel to another address, relocates a word of it, and enters it. */
import { buildBzImage, concat, le32, lz4Legacy } from '../firmware/image/build.js';
import { elf, ENTRY, program, TEXT } from './code-image.js';

/** Where the stub puts the kernel, and what it adds to the word at RELOCATED. */
export const KERNEL_AT = 0x140_0000;
export const OFFSET = 0x1a0_0000;
const RELOCATED = 0x100;
/** The kernel's bytes in the stub, and their number. */
const RAW = 0x300;
const SIZE = 0x2000;
const ENTRY_64 = 0x200;
/** The address of the stub that the header prefers. */
export const STUB_AT = ENTRY;

const hex = (value: number): string => Buffer.from(le32(value)).toString('hex');
const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const size = (text: string): number => bytesOf(text).length;
/** mov edx, COM1; mov al, character; out dx, al */
const print = (char: string): string => `baf8030000 b0${char.charCodeAt(0).toString(16)} ee`;
/** mov edi, KERNEL_AT; mov ecx, SIZE; rep movsb; mov eax, …; add dword [rax], OFFSET; mov eax, KERNEL_AT; jmp rax */
const COPY =
  `bf${hex(KERNEL_AT)} b9${hex(SIZE)} f3a4` +
  `b8${hex(KERNEL_AT + RELOCATED)} 8100${hex(OFFSET)} b8${hex(KERNEL_AT)} ffe0`;

/** At 0: mov esp, 0x50000; call next; next: pop esi; add esi, RAW − next. It prints `D`. */
const CALL = `${print('D')} bc00000500 e800000000`;
const CODE_32 = `${CALL} 5e 81c6${hex(RAW - size(CALL))} ${COPY}`;
/** At 0x200: lea rsi, [rip + …]. It prints `d`. */
const LEA_END = ENTRY_64 + size(print('d')) + 7;
const CODE_64 = `${print('d')} 488d35${hex(RAW - LEA_END)} ${COPY}`;

/**
 * The file. The kernel is that of `program()`, which prints `ok`. `copied`: the bytes that the stub copies, if they are not the
 * kernel's.
 */
export function stubImage({ copied }: { copied?: string } = {}): Uint8Array {
  const { code, symbols } = program();
  const kernel = new Uint8Array(SIZE);
  kernel.set(copied === undefined ? code : bytesOf(copied));
  const stub = new Uint8Array(RAW + SIZE);
  stub.set(bytesOf(CODE_32));
  stub.set(bytesOf(CODE_64), ENTRY_64);
  stub.set(kernel, RAW);
  // The payload's ELF file, then its relocations: lists of 64 and 32 bits, each ended by a zero before it.
  const vmlinux = concat(elf(code, symbols), le32(0), le32(0), le32((TEXT + RELOCATED) >>> 0));
  const payload = concat(lz4Legacy(vmlinux), le32(vmlinux.length));
  return buildBzImage({ payload, stub });
}
