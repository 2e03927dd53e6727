/** RDMSR, WRMSR, IN and OUT of a guest, which the permission maps intercept (APM 15.10, 15.11). */
import { MSR } from '../cpu/msr.js';
import { generalProtection, isFault } from '../cpu/fault.js';
import { UnmodelledError } from '../unmodelled.js';
import type { GuestStop, Guest } from './guest.js';
import { exit, type Decoder, type Instruction } from './guest-decoder.js';
import { INTERCEPT, IOIO, VMEXIT } from './vmcb.js';

/** General registers by number. */
const RAX = 0;
const RCX = 1;
const RDX = 2;
const HALF = 32n;

/** Second bytes of the instructions that begin with 0F. */
export const TWO_BYTE = { WRMSR: 0x30, RDMSR: 0x32 } as const;

/** RDMSR (0F 32) or WRMSR (0F 30): CPL is checked before the intercept (APM 15.11). */
export function msrAccess(guest: Guest, write: boolean): GuestStop | null {
  if (guest.cpl !== 0) return generalProtection('CPL is not 0');
  const msr = Number(guest.general(RCX, 4));
  if (guest.intercepted(INTERCEPT.MSR_PROT) && guest.maps.interceptsMsr(msr, write)) {
    // APM 15.11: EXITINFO1 is 1 for WRMSR.
    return exit(VMEXIT.MSR, write ? 1n : 0n);
  }
  return write ? wrmsr(guest, msr) : rdmsr(guest, msr);
}

function rdmsr(guest: Guest, msr: number): GuestStop | null {
  const value = guest.readMsr(msr);
  if (isFault(value)) return value;
  guest.setGeneral(RAX, 4, BigInt.asUintN(32, value));
  guest.setGeneral(RDX, 4, value >> HALF);
  return null;
}

function wrmsr(guest: Guest, msr: number): GuestStop | null {
  if (msr === MSR.EFER || msr === MSR.PAT) {
    throw new UnmodelledError(`WRMSR 0x${msr.toString(16)} of a guest without an intercept`);
  }
  return guest.writeMsr(msr, (guest.general(RDX, 4) << HALF) | guest.general(RAX, 4));
}

/** IN or OUT of 1, 2 or 4 bytes. */
function portAccess(
  guest: Guest,
  decoder: Decoder,
  port: number,
  bytes: 1 | 2 | 4,
  input: boolean,
): GuestStop {
  // APM 15.10.2: the legacy checks come first; those of CPL 0 pass.
  if (guest.cpl !== 0) throw new UnmodelledError('I/O of a guest at a CPL other than 0');
  const name = `0x${port.toString(16)}`;
  if (!guest.intercepted(INTERCEPT.IOIO_PROT) || !guest.maps.interceptsPorts(port, bytes)) {
    throw new UnmodelledError(`port ${name} of a guest without an intercept`);
  }
  const size = { 1: IOIO.SZ8, 2: IOIO.SZ16, 4: IOIO.SZ32 }[bytes];
  const address = { 2: IOIO.A16, 4: IOIO.A32, 8: IOIO.A64 }[guest.addressBytes];
  const info = (input ? IOIO.IN : 0n) | size | address | (BigInt(port) << IOIO.PORT_SHIFT);
  // APM 15.10.2: EXITINFO2 is the rIP of the next instruction.
  return exit(VMEXIT.IOIO, info, guest.get('RIP') + BigInt(decoder.length));
}

/** IN and OUT, E4 to E7 with the port in a byte, EC to EF with it in DX: bit 0 is the width, bit 1 the direction. */
const io: Instruction = (guest, decoder, opcode) => {
  let port = Number(guest.general(RDX, 2));
  if ((opcode & IN_DX) === 0) {
    const byte = decoder.byte();
    if (typeof byte !== 'number') return byte;
    port = byte;
  }
  const bytes = (opcode & 1) === 0 ? 1 : guest.operandBytes;
  return portAccess(guest, decoder, port, bytes, (opcode & 2) === 0);
};
const IN_DX = 8;
const IO_OPCODES = [0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef];

export const IO_INSTRUCTIONS: readonly (readonly [number, Instruction])[] = IO_OPCODES.map(
  (opcode) => [opcode, io],
);
