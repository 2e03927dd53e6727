/** Images of a few instructions, as files of the formats that --kernel reads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBzImage, buildElf, concat, le32, lz4Legacy } from '../firmware/image/build.js';

/** The link address of the first instruction, and its physical address. */
export const TEXT = -0x7f00_0000;
export const ENTRY = 0x100_0000;
/** mov rsp, STACK; mov edx, COM1 */
const BEGIN = '48c7c4f01f0001 baf8030000';
const HLT = 'f4';
const SIZE = 0x2000;

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
/** mov al, character; out dx, al, for each character. */
const print = (text: string): string =>
  [...text].map((char) => `b0${char.charCodeAt(0).toString(16).padStart(2, '0')}ee`).join('');
/** call, with the distance from the next instruction. */
const call = (distance: number): string => {
  const rel = Buffer.alloc(4);
  rel.writeInt32LE(distance);
  return `e8${rel.toString('hex')}`;
};
const length = (hex: string): number => bytesOf(hex).length;

/**
 * Calls `put_o`, which prints `o`, then prints `k` and a new line, runs `last`, and halts. `never` is a function that is
 * not called; `forever` is called by `last` with `calling`, as the last instruction of its caller, and does not return.
 */
export function program(
  last = '',
  { calling = false } = {},
): {
  code: Uint8Array;
  symbols: Record<string, number>;
} {
  const putO = `${print('o')}c3`;
  const rest = `${print('k\n')}${last}`;
  const forever = 'ebfe';
  const tail = calling ? call(length(putO)) : HLT;
  const main = `${BEGIN}${call(length(rest + tail))}${rest}${tail}`;
  const at = length(main);
  return {
    code: bytesOf(main + putO + forever + 'c3'),
    symbols: {
      _text: 0,
      put_o: at,
      forever: at + length(putO),
      never: at + length(putO) + length(forever),
      _end: SIZE,
    },
  };
}

/** Prints the first byte of the command line and of the initrd, by the zero page in RSI, and halts. */
export const LOOKS_AT_LOADER = `${BEGIN} 8b8628020000 8a00ee 8b8618020000 8a00ee ${HLT}`;

export function elf(code: Uint8Array, symbols: Readonly<Record<string, number>>): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  bytes.set(code);
  return buildElf({
    entry: ENTRY,
    segments: [{ vaddr: TEXT, paddr: ENTRY, bytes }],
    symbols: Object.entries(symbols).map(([name, offset]) => ({ name, value: TEXT + offset })),
  });
}

/** Writes an ELF file of a program into a folder; returns its path. */
export function writeProgram(
  dir: string,
  name: string,
  ...made: Parameters<typeof program>
): string {
  const { code, symbols } = program(...made);
  return write(dir, name, elf(code, symbols));
}

export function write(dir: string, name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

export const elfOf = (hex: string): Uint8Array => elf(bytesOf(hex), { _text: 0, _end: SIZE });

/** The same file as the payload of a bzImage. */
export const bzImageOf = (vmlinux: Uint8Array): Uint8Array =>
  buildBzImage({ payload: concat(lz4Legacy(vmlinux), le32(vmlinux.length)) });
