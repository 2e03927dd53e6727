/** Signatures of formats that are found in memory. */
import { ascii, hasBytesAt } from '../../base/bytes.js';

/** Bytes after an offset that a signature may be checked against. */
export const SIGNATURE_ROOM = 4096;

interface Signature {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Whether the bytes around it fit too. */
  readonly fits?: (bytes: Uint8Array, at: number, address: number) => boolean;
}

const text = (name: string, chars: string, fits?: Signature['fits']): Signature => ({
  name,
  bytes: ascii(chars),
  ...(fits !== undefined && { fits }),
});
const raw = (name: string, bytes: readonly number[], fits?: Signature['fits']): Signature => ({
  name,
  bytes: Uint8Array.from(bytes),
  ...(fits !== undefined && { fits }),
});

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
const long = (bytes: Uint8Array, at: number): number =>
  word(bytes, at) + word(bytes, at + 2) * 2 ** 16;

const SECTOR = 512;
/** Offset of PE header's address in an MZ header (PE format specification). */
const E_LFANEW = 0x3c;
/** Flags of a gzip header: the upper three bits are reserved (RFC 1952). */
const GZIP_FLAGS = 0x20;

const SIGNATURES: readonly Signature[] = [
  // System V ABI, ELF header.
  raw('ELF file', [0x7f, 0x45, 0x4c, 0x46], (b, at) => (b[at + 4] ?? 0) === 1 || b[at + 4] === 2),
  // RFC 1952 2.3.1.
  raw('gzip data', [0x1f, 0x8b, 8], (b, at) => (b[at + 3] ?? 0xff) < GZIP_FLAGS),
  // The .xz file format 2.1.1.1.
  raw('xz data', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
  // RFC 8878 3.1.1.
  raw('zstd data', [0x28, 0xb5, 0x2f, 0xfd]),
  // Documentation of lz4: the legacy frame, which kernels use.
  raw('lz4 data', [0x02, 0x21, 0x4c, 0x18]),
  text('bzip2 data', 'BZh', (b, at) => hasBytesAt(b, at + 4, [0x31, 0x41, 0x59, 0x26, 0x53, 0x59])),
  // Documentation/early-userspace/buffer-format.txt.
  text('cpio entry', '070701'),
  text('cpio entry', '070702'),
  // Documentation/x86/boot.txt: the setup header follows the boot flag AA55h and a jump.
  text('boot setup header (HdrS)', 'HdrS', (b, at) => at < 4 || word(b, at - 4) === 0xaa55),
  text('ACPI RSDP', 'RSD PTR '),
  // SMBIOS 5.2; MP specification 4.
  text('SMBIOS entry point', '_SM_'),
  text('SMBIOS entry point', '_SM3_'),
  text('MP floating pointer', '_MP_'),
  text('MP configuration table', 'PCMP'),
  // UEFI 4.3, 4.4, 8.
  text('EFI system table', 'IBI SYST'),
  text('EFI boot services table', 'BOOTSERV'),
  text('EFI runtime services table', 'RUNTSERV'),
  // Devicetree specification 5.2.
  raw('device tree', [0xd0, 0x0d, 0xfe, 0xed]),
  // PCI firmware specification 5.1: an option ROM is at a multiple of 2 KiB (512 bytes in it).
  raw(
    'option ROM',
    [0x55, 0xaa],
    (b, at, address) => address % SECTOR === 0 && (b[at + 2] ?? 0) > 0,
  ),
  text('PE file', 'MZ', (b, at) => hasBytesAt(b, at + long(b, at + E_LFANEW), ascii('PE\0\0'))),
  // RFC 7468.
  text('PEM text', '-----BEGIN '),
];

const BY_FIRST = new Map<number, Signature[]>();
for (const signature of SIGNATURES) {
  const first = signature.bytes[0] ?? 0;
  BY_FIRST.set(first, [...(BY_FIRST.get(first) ?? []), signature]);
}

/** ACPI 5.2.6: signature, length, revision, and a checksum over the table. */
const ACPI_HEADER = 36;
const LONGEST_TABLE = SIGNATURE_ROOM;

/** The signature of an ACPI table with a right checksum; undefined if there is none. */
function acpiTableAt(bytes: Uint8Array, at: number): string | undefined {
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i] ?? 0;
    const isName = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39);
    if (!isName) return undefined;
  }
  const length = long(bytes, at + 4);
  if (length < ACPI_HEADER || length > LONGEST_TABLE || at + length > bytes.length) {
    return undefined;
  }
  let sum = 0;
  for (let i = 0; i < length; i++) sum += bytes[at + i] ?? 0;
  if (sum % 256 !== 0) return undefined;
  return `ACPI table ${String.fromCharCode(...bytes.subarray(at, at + 4))}`;
}

/** The format that bytes at an offset look like the start of; `address` is that of the offset. */
export function formatAt(bytes: Uint8Array, at: number, address: number): string | undefined {
  const byte = bytes[at] ?? 0;
  for (const signature of BY_FIRST.get(byte) ?? []) {
    if (!hasBytesAt(bytes, at, signature.bytes)) continue;
    if (signature.fits?.(bytes, at, address) ?? true) return signature.name;
  }
  return byte >= 0x41 && byte <= 0x5a ? acpiTableAt(bytes, at) : undefined;
}

const ENTRIES = 512;
/** Bits of an entry (APM 5.4.1): P, and RW or A, which every entry of these tables has. */
const PRESENT = 1;
const WRITABLE_OR_ACCESSED = 0x22;
/** Above the address, bits 51 down, in the entry's high half: bits 52 to 62 are free for software, 63 is NX. */
const ADDRESS_HIGH_BITS = 20;

/** Whether 4 KiB look like a page table: some present entries with addresses that the machine can have, the rest 0. */
export function isPageTable(bytes: Uint8Array, at: number, physicalBits: number): boolean {
  let present = 0;
  for (let i = 0; i < ENTRIES; i++) {
    const low = long(bytes, at + i * 8);
    const high = long(bytes, at + i * 8 + 4);
    if (low === 0 && high === 0) continue;
    if (low % 2 !== PRESENT || (low & WRITABLE_OR_ACCESSED) === 0) return false;
    if (high % 2 ** ADDRESS_HIGH_BITS >= 2 ** (physicalBits - 32)) return false;
    if (low < 0x1000 && high === 0 && (low & 0x80) === 0) return false;
    present++;
  }
  return present > 0;
}
