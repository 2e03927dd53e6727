/** Sections of a PE file, as far as a unified kernel image needs them (Microsoft PE Format; UEFI 2.1.1). */
import { startsWith } from '../../base/bytes.js';
import { Reader, type ReaderPlace } from './reader.js';

/** A section's name and its bytes in the file. */
export interface PeSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Offset of its bytes in the file. */
  readonly offset: number;
}

/** Machine and sections of a PE file. */
export interface PeFile {
  /** IMAGE_FILE_MACHINE_*. */
  readonly machine: number;
  readonly sections: readonly PeSection[];
}

/** "MZ" (PE Format, "MS-DOS Stub"). */
export const MZ = [0x4d, 0x5a] as const;
/** Offset in the DOS header of the field with the offset of the PE signature. */
export const E_LFANEW = 0x3c;
const SIGNATURE = 0x0000_4550;
/** COFF file header, from the signature on (PE Format, "COFF File Header"). */
const COFF = { Machine: 4, NumberOfSections: 6, SizeOfOptionalHeader: 20, end: 24 } as const;
/** Section header (PE Format, "Section Table"). */
const SECTION = {
  Name: 0,
  VirtualSize: 8,
  SizeOfRawData: 16,
  PointerToRawData: 20,
  size: 40,
} as const;
const NAME_LENGTH = 8;

/** Processors whose kernels can be PE files, by IMAGE_FILE_MACHINE_* number. */
export const PE_MACHINES: ReadonlyMap<number, string> = new Map([
  [0x14c, 'i386'],
  [0x1c2, 'ARM'],
  [0x8664, 'x86-64'],
  [0xaa64, 'arm64'],
  [0x5064, 'RISC-V 64'],
  [0x6264, 'LoongArch 64'],
]);

/** Whether a file has the signatures of a PE file. */
export function isPe(bytes: Uint8Array): boolean {
  if (!startsWith(bytes, MZ) || bytes.length < E_LFANEW + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = view.getUint32(E_LFANEW, true);
  return at + COFF.end <= bytes.length && view.getUint32(at, true) === SIGNATURE;
}

/**
 * Reads the section table. A section's bytes are the smaller of its sizes in the file and in memory; a section without
 * data in the file is empty.
 *
 * @throws InputError E_TRUNCATED if the table or a section is past the end.
 */
export function readPe(bytes: Uint8Array, place: ReaderPlace): PeFile {
  const reader = new Reader(bytes, place);
  const at = reader.u32(E_LFANEW, 'offset of the PE signature');
  const count = reader.u16(at + COFF.NumberOfSections, 'NumberOfSections');
  const table = at + COFF.end + reader.u16(at + COFF.SizeOfOptionalHeader, 'SizeOfOptionalHeader');
  const sections: PeSection[] = [];
  for (let index = 0; index < count; index++) {
    const header = table + index * SECTION.size;
    reader.slice(header, SECTION.size, `section header ${index}`);
    const name = reader.text(header + SECTION.Name, NAME_LENGTH);
    const offset = reader.u32(header + SECTION.PointerToRawData, 'PointerToRawData');
    const inFile = reader.u32(header + SECTION.SizeOfRawData, 'SizeOfRawData');
    const size = Math.min(inFile, reader.u32(header + SECTION.VirtualSize, 'VirtualSize'));
    sections.push({ name, offset, bytes: reader.slice(offset, size, `section ${name}`) });
  }
  return { machine: reader.u16(at + COFF.Machine, 'Machine'), sections };
}
