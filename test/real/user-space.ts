/** Small user-space programs for executed boots: RAM disks whose /init is a static ELF of a few instructions, or a script. */
import { S_IFDIR, S_IFREG, writeCpio, type CpioEntry } from '../../src/firmware/cpio.js';

/** Where the ELF is loaded: Linux's usual address of a static x86-64 program. */
const BASE = 0x40_0000;
const HEADERS = 64 + 56;

/** A value as 4 bytes. */
const word = (value: number): number[] => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return [...bytes];
};
/** Opcodes that load a register with a constant of 32 bits: EAX, then those of a system call's arguments, in their order. */
const NUMBER = [0xb8];
const ARGUMENTS = [[0xbf], [0xbe], [0xba], [0x41, 0xba], [0x41, 0xb8]];
const SYSCALL = [0x0f, 0x05];
/** System calls of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). */
const SYS = { write: 1, open: 2, reboot: 169, kexec_file_load: 320 } as const;
/** The magic numbers of reboot(2), and its commands. */
const REBOOT = {
  ...{ MAGIC1: 0xfee1_dead, MAGIC2: 0x2812_1969 },
  ...{ POWER_OFF: 0x4321_fedc, KEXEC: 0x4558_4543 },
} as const;

/** The instructions of a system call. */
const call = (name: keyof typeof SYS, ...values: number[]): number[] => [
  ...values.flatMap((value, i) => [...(ARGUMENTS[i] ?? []), ...word(value)]),
  ...NUMBER,
  ...word(SYS[name]),
  ...SYSCALL,
];
const reboot = (command: number): number[] => call('reboot', REBOOT.MAGIC1, REBOOT.MAGIC2, command);

/** A static x86-64 ELF of one segment (System V ABI, gABI chapters 4 and 5). */
function elf(code: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(HEADERS + code.length);
  const view = new DataView(bytes.buffer);
  // e_ident: magic, 64 bits, little-endian, version 1.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // ET_EXEC, EM_X86_64, EV_CURRENT, e_entry, e_phoff, sizes of headers, one program header.
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, BASE + HEADERS, true);
  view.setUint32(32, 64, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  // PT_LOAD, readable and executable, the whole file, aligned to a page.
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setUint32(80, BASE, true);
  view.setUint32(88, BASE, true);
  view.setUint32(96, bytes.length, true);
  view.setUint32(104, bytes.length, true);
  view.setUint32(112, 0x1000, true);
  bytes.set(code, HEADERS);
  return bytes;
}

/** A program and its strings behind it. @param code makes the instructions, with the strings' addresses */
function programOf(strings: readonly string[], code: (...at: number[]) => number[]): Uint8Array {
  const bytes = strings.map((text) => [...new TextEncoder().encode(text), 0]);
  const { length } = code(...strings.map(() => 0));
  let next = BASE + HEADERS + length;
  const at = bytes.map((each) => (next += each.length) - each.length);
  return elf([...code(...at), ...bytes.flat()]);
}

/** A program that writes a line to its standard output and powers off by reboot(2). */
export function writeAndPowerOff(line: string): Uint8Array {
  const text = `${line}\n`;
  return programOf([text], (at = 0) => [
    ...call('write', 1, at, new TextEncoder().encode(text).length),
    ...reboot(REBOOT.POWER_OFF),
    // JMP to itself: not reached.
    ...[0xeb, 0xfe],
  ]);
}

/** The first file that a program opens: 0 to 2 are the console. */
const OPENED = 3;
/** KEXEC_FILE_NO_INITRAMFS (include/uapi/linux/kexec.h). */
const NO_INITRAMFS = 4;

/** A program that loads a kernel file without a RAM disk by kexec_file_load(2) and enters it; it powers off if that fails. */
export function kexecInto(path: string, cmdline: string): Uint8Array {
  const NO_DISK = -1;
  return programOf([path, cmdline], (pathAt = 0, cmdlineAt = 0) => {
    const powerOff = reboot(REBOOT.POWER_OFF);
    return [
      ...call('open', pathAt, 0),
      ...call('kexec_file_load', OPENED, NO_DISK, cmdline.length + 1, cmdlineAt, NO_INITRAMFS),
      // TEST EAX,EAX; JZ over the power-off.
      ...[0x85, 0xc0, 0x74, powerOff.length, ...powerOff],
      ...reboot(REBOOT.KEXEC),
    ];
  });
}

export const executable = (name: string, body: Uint8Array | string): CpioEntry => ({
  name,
  mode: S_IFREG | 0o755,
  body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
});
export const directory = (name: string): CpioEntry => ({
  name,
  mode: S_IFDIR | 0o755,
  body: new Uint8Array(0),
});

/** A RAM disk with these entries. */
export function ramDisk(...entries: CpioEntry[]): Uint8Array {
  return writeCpio(entries);
}
