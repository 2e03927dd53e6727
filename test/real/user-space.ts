/** Small user-space programs for executed boots: RAM disks whose /init is a static ELF of a few instructions, or a script. */
import { S_IFDIR, S_IFREG, writeCpio, type CpioEntry } from '../../src/firmware/cpio.js';

/** Where the ELF is loaded: Linux's usual address of a static x86-64 program. */
const BASE = 0x40_0000;
const HEADERS = 64 + 56;

/** An instruction that loads a 32-bit register with a constant: opcode B8 + register. */
const load = (register: number, value: number): number[] => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return [0xb8 + register, ...bytes];
};
const [EAX, EDX, ESI, EDI] = [0, 2, 6, 7];
const SYSCALL = [0x0f, 0x05];
/** System calls of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). */
const SYS = { write: 1, reboot: 169 } as const;
/** The magic numbers of reboot(2), and its command to power off. */
const REBOOT = { MAGIC1: 0xfee1_dead, MAGIC2: 0x2812_1969, POWER_OFF: 0x4321_fedc } as const;

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

/** A program that writes a line to its standard output and powers off by reboot(2). */
export function writeAndPowerOff(line: string): Uint8Array {
  const text = [...new TextEncoder().encode(`${line}\n`)];
  const code = (message: number): number[] => [
    ...load(EDI, 1),
    ...load(ESI, message),
    ...load(EDX, text.length),
    ...load(EAX, SYS.write),
    ...SYSCALL,
    ...load(EDI, REBOOT.MAGIC1),
    ...load(ESI, REBOOT.MAGIC2),
    ...load(EDX, REBOOT.POWER_OFF),
    ...load(EAX, SYS.reboot),
    ...SYSCALL,
    // JMP to itself: not reached.
    0xeb,
    0xfe,
  ];
  const { length } = code(0);
  return elf([...code(BASE + HEADERS + length), ...text]);
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
