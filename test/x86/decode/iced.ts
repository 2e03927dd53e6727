/** Instructions of the decoder and of iced-x86 as one text, to compare them. */
import * as iced from 'iced-x86';
import type { CodeWidth } from '../../../src/x86/decode/instruction.js';
import { decode } from '../../../src/x86/decode/decoder.js';
import { masked, text } from './text.js';

/** The decoder's text of the instruction at an offset. */
export function ownText(bytes: Uint8Array, at: number, ip: bigint, width: CodeWidth): string {
  return text(decode(bytes, at, bytes.length, width), ip);
}

const REGISTER_NAME = (register: iced.Register): string =>
  (iced.Register[register] ?? '').toLowerCase();
const K = iced.OpKind;
const STRING_BASE = new Map<iced.OpKind, string>([
  [K.MemorySegSI, 'si'],
  [K.MemorySegESI, 'esi'],
  [K.MemorySegRSI, 'rsi'],
  [K.MemorySegDI, 'di'],
  [K.MemorySegEDI, 'edi'],
  [K.MemorySegRDI, 'rdi'],
  [K.MemoryESDI, 'di'],
  [K.MemoryESEDI, 'edi'],
  [K.MemoryESRDI, 'rdi'],
]);
const SIZES = new Map<iced.OpKind, number>([
  [K.Immediate8, 1],
  [K.Immediate8_2nd, 1],
  [K.Immediate16, 2],
  [K.Immediate8to16, 2],
  [K.Immediate32, 4],
  [K.Immediate8to32, 4],
  [K.Immediate64, 8],
  [K.Immediate8to64, 8],
  [K.Immediate32to64, 8],
]);
/** Operands of iced that the decoder's forms do not list: those that no other operand could replace. */
const IMPLICIT: ReadonlySet<string> = new Set(['xlatb']);
/** Mnemonics under which iced has the far forms too, and those that have other names here. */
const FAR: ReadonlySet<string> = new Set(['call', 'jmp']);

const STACK_BASES: ReadonlySet<string> = new Set(['esp', 'rsp', 'ebp', 'rbp', 'bp']);

/** The segment in force: in 64-bit mode the overrides of ES, CS, SS and DS are ignored, which iced shows. */
function segmentOf(instruction: iced.Instruction, width: CodeWidth): string {
  const name = REGISTER_NAME(instruction.memorySegment);
  if (width !== 64 || name === 'fs' || name === 'gs') return name;
  return STACK_BASES.has(REGISTER_NAME(instruction.memoryBase)) ? 'ss' : 'ds';
}

function icedOperand(instruction: iced.Instruction, index: number, width: CodeWidth): string {
  const kind = instruction.opKind(index);
  if (kind === K.Register) return REGISTER_NAME(instruction.opRegister(index));
  if (kind === K.NearBranch16) return masked(BigInt(instruction.nearBranch16), 2);
  if (kind === K.NearBranch32) return masked(BigInt(instruction.nearBranch32), 4);
  if (kind === K.NearBranch64) return masked(instruction.nearBranch64, 8);
  const size = SIZES.get(kind);
  if (size !== undefined) return masked(BigInt(instruction.immediate(index)), size);
  const memorySize = String(iced.MemorySizeExt.size(instruction.memorySize));
  const base = STRING_BASE.get(kind);
  if (base !== undefined) {
    const es = kind === K.MemoryESDI || kind === K.MemoryESEDI || kind === K.MemoryESRDI;
    const segment = es ? 'es' : segmentOf(instruction, width);
    return `m${memorySize} ${segment}:[${base}+*1+0]`;
  }
  if (kind === K.Memory) {
    const named = (register: iced.Register): string =>
      register === iced.Register.None ? '' : REGISTER_NAME(register);
    const from = named(instruction.memoryBase);
    const index_ = named(instruction.memoryIndex);
    const registers = [instruction.memoryBase, instruction.memoryIndex];
    const wide = (names: RegExp): boolean => registers.some((each) => names.test(named(each)));
    // Without registers: the size of the displacement, which for absolute addresses is the address size.
    const bytes = wide(/^(?:r[a-z]+|r\d+)$/)
      ? 8
      : wide(/^(?:e|r\d+d)/)
        ? 4
        : wide(/./)
          ? 2
          : instruction.memoryDisplSize === 2
            ? 2
            : width === 64 && instruction.memoryDisplSize === 8
              ? 8
              : 4;
    const displacement = masked(BigInt(instruction.memoryDisplacement), bytes);
    const at = `${from}+${index_}*${String(instruction.memoryIndexScale)}+${displacement}`;
    return `m${memorySize} ${segmentOf(instruction, width)}:[${at}]`;
  }
  if (kind === K.FarBranch16 || kind === K.FarBranch32) {
    const offset = kind === K.FarBranch16 ? instruction.farBranch16 : instruction.farBranch32;
    return `${instruction.farBranchSelector.toString(16)}:${offset.toString(16)}`;
  }
  return `kind ${String(kind)}`;
}

/** iced's text of the instruction that it has decoded. */
export function icedText(instruction: iced.Instruction, width: CodeWidth): string {
  if (instruction.isInvalid) return 'invalid';
  const mnemonic = (iced.Mnemonic[instruction.mnemonic] ?? '').toLowerCase();
  const count = IMPLICIT.has(mnemonic) ? 0 : instruction.opCount;
  const operands = Array.from({ length: count }, (_, index) =>
    icedOperand(instruction, index, width),
  );
  const far =
    FAR.has(mnemonic) &&
    (instruction.isCallFarIndirect ||
      instruction.isJmpFarIndirect ||
      instruction.isCallFar ||
      instruction.isJmpFar);
  const lock = instruction.hasLockPrefix ? 'lock ' : '';
  return `${lock}${mnemonic}${far ? ' far' : ''} ${operands.join(', ')} /${String(instruction.length)}`;
}

const INT3 = 0xcc;

export interface Comparison {
  readonly instructions: number;
  readonly differences: { readonly at: string; readonly ours: string; readonly iced: string }[];
}

/** A decoder of iced over bytes at an address, with AMD's semantics of branches. */
export function icedDecoder(
  bytes: Uint8Array,
  ip: number | bigint,
  width: CodeWidth,
): iced.Decoder {
  const decoder = new iced.Decoder(width, bytes, iced.DecoderOptions.AMD);
  decoder.ip = BigInt.asUintN(width === 64 ? 64 : 32, BigInt(ip));
  return decoder;
}

/** Compares every instruction of bytes from the first one on, in iced's lengths. */
export function comparison(bytes: Uint8Array, ip: number, width: CodeWidth): Comparison {
  const decoder = icedDecoder(bytes, ip, width);
  const instruction = new iced.Instruction();
  const differences: { at: string; ours: string; iced: string }[] = [];
  let instructions = 0;
  while (decoder.canDecode) {
    const at = decoder.position;
    const here = BigInt.asUintN(width === 64 ? 64 : 32, BigInt(ip + at));
    decoder.decodeOut(instruction);
    instructions++;
    // Between functions.
    if (bytes[at] === INT3) continue;
    const theirs = icedText(instruction, width);
    const ours = ownText(bytes, at, here, width);
    if (ours !== theirs) differences.push({ at: here.toString(16), ours, iced: theirs });
  }
  instruction.free();
  decoder.free();
  return { instructions, differences };
}
