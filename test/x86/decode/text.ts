/** A decoded instruction as a line of text: mnemonic, operands with their sizes, length. */
import {
  BASE_RIP,
  isUndecoded,
  NO_REGISTER,
  type Instruction,
  type MemoryOperand,
  type Operand,
  type RegisterOperand,
  type Undecoded,
} from '../../../src/x86/decode/instruction.js';

const NAMES_16 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const HIGH = ['ah', 'ch', 'dh', 'bh'];
const LOW = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

function general(size: number, number: number, high: boolean): string {
  if (high) return HIGH[number] ?? '?';
  const name = NAMES_16[number] ?? '?';
  if (size === 1) return number < 8 ? (LOW[number] ?? '?') : `r${String(number)}l`;
  if (number >= 8) return `r${String(number)}${{ 2: 'w', 4: 'd', 8: '' }[size] ?? '?'}`;
  return `${{ 2: '', 4: 'e', 8: 'r' }[size] ?? '?'}${name}`;
}

const FILES: Readonly<Record<string, string>> = {
  control: 'cr',
  debug: 'dr',
  mmx: 'mm',
  xmm: 'xmm',
  ymm: 'ymm',
  zmm: 'zmm',
  x87: 'st',
};

function registerText({ file, size, number, high }: RegisterOperand): string {
  if (file === 'gpr') return general(size, number, high);
  if (file === 'segment') return SEGMENTS[number] ?? '?';
  return `${FILES[file] ?? file}${String(number)}`;
}

export const masked = (value: bigint, size: number): string =>
  BigInt.asUintN(8 * size, value).toString(16);
const whole = (low: number, high: number): bigint =>
  (BigInt(high) << 32n) | BigInt.asUintN(32, BigInt(low));

function memoryText(
  { size, segment, base, index, scale, addressSize, ...rest }: MemoryOperand,
  next: bigint,
): string {
  const named = (number: number): string =>
    number === NO_REGISTER ? '' : general(addressSize, number, false);
  const displacement = whole(rest.displacement, rest.displacementHigh);
  const address = base === BASE_RIP ? next + displacement : displacement;
  const from = base === BASE_RIP ? (addressSize === 8 ? 'rip' : 'eip') : named(base);
  const at = `${from}+${named(index)}*${String(scale)}+${masked(address, addressSize)}`;
  return `m${String(size)} ${SEGMENTS[segment] ?? '?'}:[${at}]`;
}

function operandText(operand: Operand, next: bigint): string {
  switch (operand.kind) {
    case 'register':
      return registerText(operand);
    case 'memory':
      return memoryText(operand, next);
    case 'immediate':
      return masked(whole(operand.low, operand.high), operand.size);
    case 'relative':
      return masked(next + BigInt(operand.offset), operand.size);
    case 'pointer':
      return `${operand.selector.toString(16)}:${masked(BigInt(operand.offset), 4)}`;
  }
}

/** The text of a decoding, or why there is no instruction. @param ip the address of its first byte. */
export function text(result: Instruction | Undecoded, ip: bigint): string {
  if (isUndecoded(result)) return result.undecoded;
  const { mnemonic, operands, length, lock } = result;
  const list = operands.map((operand) => operandText(operand, ip + BigInt(length))).join(', ');
  return `${lock ? 'lock ' : ''}${mnemonic} ${list} /${String(length)}`;
}
