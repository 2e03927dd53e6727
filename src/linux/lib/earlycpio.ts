/** lib/earlycpio.c: finds a file in an uncompressed cpio archive, before the initramfs is unpacked. */
import { latin1 } from '../../base/bytes.js';
import { va, type Va } from '../../machine/address.js';
import { search } from '../../kernel/searched.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    find_cpio_data(k: Kernel, path: string, data: Va, length: number): CpioData | undefined;
  }
}

/** A file inside a cpio archive: offset from its start, size in bytes. */
export interface CpioData {
  offset: number;
  size: number;
}

/** Size of a newc header in bytes: a magic of 6 and 13 fields of 8. */
const CPIO_HEADER = 110;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** Of the files in an early archive the boot asks for this one only. */
const SEARCH = { what: 'microcode', by: 'find_cpio_data', step: 1 } as const;
const FIELD = { mode: 1, filesize: 6, namesize: 11 } as const;

const align4 = (n: number): number => Math.ceil(n / 4) * 4;

/** Reads a header one character at a time, up to and with the first that is not a hexadecimal digit. */
function readHeader(k: Kernel, from: Va): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < CPIO_HEADER) {
    const byte = k.readU8(va(from + bytes.length));
    bytes.push(byte);
    if (!/[0-9a-fA-F]/.test(String.fromCharCode(byte))) break;
  }
  return Uint8Array.from(bytes);
}

/** The fields of a newc header that the search needs; undefined if `bytes` is not a newc header. */
function parseHeader(
  bytes: Uint8Array,
): { mode: number; filesize: number; namesize: number } | undefined {
  const text = latin1(bytes);
  if (!/^[0-9a-fA-F]{110}$/.test(text)) return undefined;
  const magic = parseInt(text.slice(0, 6), 16);
  if (magic !== 0x070701 && magic !== 0x070702) return undefined;
  const field = (index: number): number => parseInt(text.slice(6 + index * 8, 14 + index * 8), 16);
  return {
    mode: field(FIELD.mode),
    filesize: field(FIELD.filesize),
    namesize: field(FIELD.namesize),
  };
}

export const earlycpio = bodies({
  find_cpio_data: inline((k: Kernel, path: string, data: Va, length: number) => {
    let at = 0;
    const ended = search(k, { ...SEARCH, at: data, length, signature: path });
    // PTR_ALIGN() aligns addresses, not offsets in the archive.
    const align = (offset: number): number => align4(data + offset) - data;
    while (length - at > CPIO_HEADER) {
      if (k.readU8(va(data + at)) === 0) {
        at += 4;
        continue;
      }
      const bytes = readHeader(k, va(data + at));
      if (at === 0) k.trace.recorder.consumedPart('initrd', 'find_cpio_data', 0, bytes);
      const header = parseHeader(bytes);
      if (header === undefined) break;
      const body = align(at + CPIO_HEADER + header.namesize);
      const next = align(body + header.filesize);
      if (next > length) break;
      if ((header.mode & S_IFMT) === S_IFREG && header.namesize >= path.length) {
        const name = k.readBytes(va(data + at + CPIO_HEADER), path.length);
        if (latin1(name) === path) {
          ended(true);
          return { offset: body, size: header.filesize };
        }
      }
      at = next;
    }
    ended(false);
    k.trace.emit('read', {
      what: 'early cpio in the initrd',
      result: at === 0 ? 'no archive' : 'not found',
    });
    return undefined;
  }),
});
