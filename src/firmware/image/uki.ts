/**
 * Unified kernel images (UAPI.5 "Unified Kernel Image (UKI)"; systemd-stub(7)): a PE file for UEFI with the kernel, its
 * initrd and its command line in sections.
 */
import { isPe, PE_MACHINES, readPe, type PeSection } from './pe.js';
import { InputError } from '../../base/errors.js';

/** The parts of a UKI that a boot uses. */
export interface Uki {
  /** The kernel: its bytes, and their offset in the file. */
  readonly linux: PeSection;
  /** .ucode and .initrd, concatenated as the stub passes them; absent without either. */
  readonly initrd?: Uint8Array;
  /** .cmdline as the stub passes it to the kernel. */
  readonly cmdline?: string;
  /** PRETTY_NAME of .osrel, the kernel release of .uname. */
  readonly system?: string;
  readonly release?: string;
  /** Names of the sections that the boot does not use. */
  readonly unused: readonly string[];
}

const LINUX = '.linux';
/** cpio archives are padded to four bytes, so that one may follow another. */
const CPIO_ALIGN = 4;
const X86_64 = 0x8664;
/** Sections of the stub's own program, which do not matter for a boot. */
const STUB = [
  '.text',
  '.rodata',
  '.data',
  '.reloc',
  '.sdmagic',
  '.dynamic',
  '.dynsym',
  '.rela',
  '.eh_frame',
];
const USED = [LINUX, '.initrd', '.ucode', '.cmdline', '.osrel', '.uname'];

/** Whether a file is a PE file with a section for the kernel. */
export function isUki(bytes: Uint8Array): boolean {
  if (!isPe(bytes)) return false;
  try {
    return readPe(bytes, { file: '' }).sections.some(({ name }) => name === LINUX);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/**
 * Reads a UKI for x86-64. Of several sections of one name the first is used, as in a UKI of one profile.
 *
 * @throws InputError E_NOT_A_KERNEL for another processor; E_TRUNCATED.
 */
export function readUki(bytes: Uint8Array, file: string): Uki {
  const { machine, sections } = readPe(bytes, { file });
  const linux = sections.find(({ name }) => name === LINUX);
  if (machine !== X86_64 || linux === undefined) {
    throw new InputError({
      code: 'E_NOT_A_KERNEL',
      place: { file, offset: 0 },
      expected: 'a UKI for x86-64',
      found: `a UKI for ${PE_MACHINES.get(machine) ?? `machine 0x${machine.toString(16)}`}`,
    });
  }
  const section = (sectionName: string): Uint8Array | undefined =>
    sections.find(({ name }) => name === sectionName)?.bytes;
  const archives = [section('.ucode'), section('.initrd')].filter((each) => each !== undefined);
  const cmdline = section('.cmdline');
  const system = /^PRETTY_NAME="?(.*?)"?$/m.exec(text(section('.osrel')))?.[1];
  const release = text(section('.uname'));
  return {
    linux,
    ...(archives.length > 0 && { initrd: joined(archives) }),
    // systemd-stub replaces control characters by blanks and trims the end (src/boot/efi/stub.c).
    ...(cmdline !== undefined && {
      cmdline: text(cmdline)
        .replace(/\p{Cc}/gu, ' ')
        .trimEnd(),
    }),
    ...(system !== undefined && { system }),
    ...(release !== '' && { release }),
    unused: sections
      .map(({ name }) => name)
      .filter((name) => !USED.includes(name) && !STUB.includes(name)),
  };
}

/** A section as text, up to the first NUL. */
function text(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return '';
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end)).trimEnd();
}

function joined(archives: readonly Uint8Array[]): Uint8Array {
  const [only] = archives;
  if (only !== undefined && archives.length === 1) return only;
  const padded = (length: number): number => Math.ceil(length / CPIO_ALIGN) * CPIO_ALIGN;
  const bytes = new Uint8Array(archives.reduce((sum, { length }) => sum + padded(length), 0));
  let at = 0;
  for (const archive of archives) {
    bytes.set(archive, at);
    at += padded(archive.length);
  }
  return bytes;
}
