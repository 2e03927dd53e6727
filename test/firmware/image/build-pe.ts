/** Builds PE files from their sections. */
import { ascii, concat, viewOf } from './build.js';

export interface PePlan {
  sections: readonly (readonly [name: string, bytes: Uint8Array])[];
  machine?: number;
  /** Bytes of a section in the file beyond its size in memory. */
  padding?: number;
}

const HEADER_AT = 0x80;
const OPTIONAL_HEADER = 0xf0;

/** A PE file: a DOS header, the COFF header with an empty optional header, the section table and the sections. */
export function buildPe({ sections, machine = 0x8664, padding = 5 }: PePlan): Uint8Array {
  const table = HEADER_AT + 24 + OPTIONAL_HEADER;
  const head = new Uint8Array(table + 40 * sections.length);
  const view = viewOf(head);
  head.set(ascii('MZ'));
  view.setUint32(0x3c, HEADER_AT, true);
  head.set(ascii('PE\0\0'), HEADER_AT);
  view.setUint16(HEADER_AT + 4, machine, true);
  view.setUint16(HEADER_AT + 6, sections.length, true);
  view.setUint16(HEADER_AT + 20, OPTIONAL_HEADER, true);
  const parts: Uint8Array[] = [head];
  let at = head.length;
  for (const [index, [name, bytes]] of sections.entries()) {
    const header = table + 40 * index;
    head.set(ascii(name), header);
    view.setUint32(header + 8, bytes.length, true);
    view.setUint32(header + 16, bytes.length + padding, true);
    view.setUint32(header + 20, at, true);
    parts.push(bytes, new Uint8Array(padding));
    at += bytes.length + padding;
  }
  return concat(...parts);
}
