/** Names, for errors, of files that are not a kernel for this machine: other kernels, and files mistaken for one. */
import { hasBytesAt, hexBytes, startsWith } from '../../base/bytes.js';
import { detectFormat } from '../../decompress/decompress.js';
import { isPe, MZ, PE_MACHINES, readPe } from './pe.js';
import { InputError } from '../../base/errors.js';

const SHOWN_BYTES = 4;

/** A kind of file, by the bytes at an offset; `name` may depend on further bytes. */
interface Kind {
  readonly at: number;
  readonly magic: readonly number[] | string;
  readonly name: string | ((bytes: Uint8Array) => string);
}

const textAt = (bytes: Uint8Array, at: number, length: number): string => {
  const limited = bytes.subarray(at, at + length);
  const end = limited.indexOf(0);
  const shown = end === -1 ? limited : limited.subarray(0, end);
  return String.fromCharCode(...shown.map((byte) => (byte < 0x20 || byte > 0x7e ? 0x2e : byte)));
};

/** ih_arch of a uImage (U-Boot include/image.h, IH_ARCH_*). */
const U_BOOT_ARCHITECTURES: ReadonlyMap<number, string> = new Map([
  [2, 'ARM'],
  [3, 'x86'],
  [5, 'MIPS'],
  [7, 'PowerPC'],
  [22, 'arm64'],
  [24, 'x86-64'],
  [26, 'RISC-V'],
]);

/** uImage: ih_arch, and ih_name of 32 bytes (U-Boot include/image.h, struct legacy_img_hdr). */
const U_IMAGE = { arch: 29, name: 32, nameLength: 32 } as const;
/** EFI zboot: the name of its compression (drivers/firmware/efi/libstub/zboot-header.S). */
const ZBOOT = { compression: 0x18, length: 8 } as const;

const KINDS: readonly Kind[] = [
  // Documentation/arch/arm64/booting.rst, "4. Call the kernel image": magic "ARM\x64" at 56.
  { at: 56, magic: 'ARM\x64', name: 'an arm64 Image' },
  // Documentation/arch/riscv/boot-image-header.rst: magic2 "RSC\x05" at 56.
  { at: 56, magic: 'RSC\x05', name: 'a RISC-V Image' },
  {
    at: 4,
    magic: 'zimg',
    name: (bytes) =>
      `an EFI zboot image (${textAt(bytes, ZBOOT.compression, ZBOOT.length)}) for ${machineOf(bytes)}`,
  },
  // arch/arm/boot/compressed/head.S: 0x016f2818 at 36.
  { at: 36, magic: [0x18, 0x28, 0x6f, 0x01], name: 'an ARM zImage' },
  {
    at: 0,
    magic: [0x27, 0x05, 0x19, 0x56],
    name: (bytes) => {
      const arch = bytes[U_IMAGE.arch] ?? 0;
      const processor = U_BOOT_ARCHITECTURES.get(arch) ?? `architecture ${arch}`;
      return `a uImage for ${processor}, ${JSON.stringify(textAt(bytes, U_IMAGE.name, U_IMAGE.nameLength))}`;
    },
  },
  { at: 0, magic: [0xd0, 0x0d, 0xfe, 0xed], name: 'a device tree or a FIT image' },
  { at: 0, magic: 'ANDROID!', name: 'an Android boot image' },
  { at: 0, magic: '070701', name: 'a cpio archive (an initrd)' },
  { at: 0, magic: '070702', name: 'a cpio archive (an initrd)' },
  { at: 0, magic: '!<arch>\n', name: 'an ar archive (a Debian package?)' },
  { at: 0, magic: [0xed, 0xab, 0xee, 0xdb], name: 'an RPM package' },
  { at: 0, magic: 'hsqs', name: 'a squashfs file system' },
  { at: 257, magic: 'ustar', name: 'a tar archive' },
  { at: 0x8001, magic: 'CD001', name: 'an ISO 9660 image' },
];

/** The processor of a PE file, by its Machine field. */
function machineOf(bytes: Uint8Array): string {
  if (!isPe(bytes)) return 'an unknown processor';
  try {
    const { machine } = readPe(bytes, { file: '' });
    return PE_MACHINES.get(machine) ?? `machine 0x${machine.toString(16)}`;
  } catch (error) {
    if (error instanceof InputError) return 'an unknown processor';
    throw error;
  }
}

/** The name of a file's kind, by its bytes. */
export function nameKind(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  for (const { at, magic, name } of KINDS) {
    const codes = typeof magic === 'string' ? [...magic].map((char) => char.charCodeAt(0)) : magic;
    if (!hasBytesAt(bytes, at, codes)) continue;
    return typeof name === 'string' ? name : name(bytes);
  }
  if (isPe(bytes)) return `a PE file for ${machineOf(bytes)} without a Linux kernel in it`;
  if (startsWith(bytes, MZ)) return 'a DOS program';
  const format = detectFormat(bytes);
  if (format !== undefined) return `${format} data`;
  return `a file that starts with ${hexBytes(bytes.subarray(0, SHOWN_BYTES), ' ')}`;
}
