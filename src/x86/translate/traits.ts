/** What the text of a block needs to know of its instructions before it is written. */
import { SEGMENT, type Instruction, type Operand } from '../decode/instruction.js';

export interface Traits {
  /** Whether it has a text of its own. */
  readonly translated: boolean;
  /** Whether it may end with an exception or stop the block, so that all that is recorded is seen. */
  readonly faults: boolean;
  readonly stores: boolean;
  /** Whether it records all arithmetic flags. */
  readonly records: boolean;
  /** Whether it reads what is recorded. */
  readonly reads: boolean;
}

/** Additions, subtractions and logic with a result, and those for the flags alone. */
export const BINARY: ReadonlySet<string> = new Set([
  ...['add', 'sub', 'and', 'or', 'xor'],
  ...['adc', 'sbb'],
]);
/** They add or subtract CF too. */
export const CARRYING: ReadonlySet<string> = new Set(['adc', 'sbb']);
/** They set CF and OF only; where these are seen, they have no code of their own. */
export const ROTATE: ReadonlySet<string> = new Set(['rol', 'ror']);
export const COMPARE: ReadonlySet<string> = new Set(['cmp', 'test']);
const RECORDING: ReadonlySet<string> = new Set([...BINARY, ...COMPARE, 'neg']);
export const SHIFT: ReadonlySet<string> = new Set(['shl', 'sal', 'shr', 'sar']);
/** They record all flags but CF, which they read. */
export const STEP: ReadonlySet<string> = new Set(['inc', 'dec']);
export const PLAIN_MOVES: ReadonlySet<string> = new Set(['mov', 'movzx', 'movsx', 'movsxd']);
export const NOTHING: ReadonlySet<string> = new Set([
  ...['nop', 'endbr64', 'lfence', 'mfence', 'sfence'],
  ...['prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2', 'prefetchw'],
]);
const JUMP = /^j(?!mp far|ecxz|rcxz)/;
const CONDITIONAL = /^(?:cmov|set|j(?!mp|ecxz|rcxz))/;

export const CONVERSIONS: ReadonlySet<string> = new Set(['cdqe', 'cwde', 'cdq', 'cqo']);
const STACK: ReadonlySet<string> = new Set(['push', 'pop', 'leave', 'call', 'ret']);
const OTHER: ReadonlySet<string> = new Set(['lea', 'not', ...CONVERSIONS, ...STACK]);

function isKnown({ mnemonic }: Instruction): boolean {
  return (
    RECORDING.has(mnemonic) ||
    SHIFT.has(mnemonic) ||
    STEP.has(mnemonic) ||
    ROTATE.has(mnemonic) ||
    PLAIN_MOVES.has(mnemonic) ||
    NOTHING.has(mnemonic) ||
    OTHER.has(mnemonic) ||
    JUMP.test(mnemonic) ||
    CONDITIONAL.test(mnemonic)
  );
}

/** Operands of general registers, of memory with addresses of 64 bits, immediates and branch targets. */
function isPlain(operand: Operand): boolean {
  if (operand.kind === 'register') return operand.file === 'gpr';
  if (operand.kind === 'memory') return operand.addressSize === 8 && operand.size > 0;
  return operand.kind === 'immediate' || operand.size === 8;
}

/** Forms that are left to the operation. */
function isOdd(instruction: Instruction): boolean {
  const { mnemonic, operands, operandSize } = instruction;
  const [first, second] = operands;
  if (mnemonic === 'push' || mnemonic === 'pop') {
    return (
      operandSize !== 8 || (mnemonic === 'pop' && first?.kind !== 'register') || first?.size !== 8
    );
  }
  if (mnemonic === 'ret') return operands.length > 0 || operandSize !== 8;
  if (mnemonic === 'leave') return operandSize !== 8;
  if (ROTATE.has(mnemonic)) return second?.kind !== 'immediate' || first?.kind !== 'register';
  if (SHIFT.has(mnemonic)) return second?.kind !== 'immediate' || !isOneShift(first, second.low);
  if (mnemonic.startsWith('cmov')) return first?.size === 2;
  // A branch that is not relative has a target of 64 bits.
  return (mnemonic === 'call' || mnemonic === 'jmp') && first?.size !== 8;
}

/** A count of at most the size in bits. */
function isOneShift(first: Operand | undefined, count: number): boolean {
  const size = first?.size ?? 0;
  return size >= 4 || (count & 31) <= 8 * size;
}

export function traitsOf(instruction: Instruction): Traits {
  const { mnemonic, operands, lock, repeat } = instruction;
  const nothing = NOTHING.has(mnemonic);
  const translated =
    nothing ||
    (isKnown(instruction) &&
      !lock &&
      (repeat === 0 || mnemonic === 'ret') &&
      operands.every((each) => isPlain(each) || (mnemonic === 'lea' && isAddress(each))) &&
      !isOdd(instruction));
  const memory = operands.some((each) => each.kind === 'memory') && mnemonic !== 'lea' && !nothing;
  const stack = STACK.has(mnemonic);
  const indirect = mnemonic === 'jmp';
  const [first] = operands;
  const stores =
    mnemonic === 'push' ||
    mnemonic === 'call' ||
    (memory && first?.kind === 'memory' && !COMPARE.has(mnemonic) && !mnemonic.startsWith('j'));
  return {
    translated,
    faults: !translated || memory || stack || indirect,
    stores,
    records:
      translated && (RECORDING.has(mnemonic) || (SHIFT.has(mnemonic) && !isZeroShift(instruction))),
    reads:
      !translated || STEP.has(mnemonic) || CARRYING.has(mnemonic) || CONDITIONAL.test(mnemonic),
  };
}

const isAddress = (operand: Operand): boolean =>
  operand.kind === 'memory' && operand.addressSize === 8;

/** The masked count of a shift by an immediate is 0: no flag changes. */
export function isZeroShift({ operands: [first, second] }: Instruction): boolean {
  if (second?.kind !== 'immediate') return false;
  return (second.low & (first?.size === 8 ? 63 : 31)) === 0;
}

/** Whether what instruction `i` records may be seen: by an instruction, in an exception's frame, or after the block. */
export function recordIsSeen(traits: readonly Traits[], i: number): boolean {
  for (const { faults, reads, records } of traits.slice(i + 1)) {
    if (faults || reads) return true;
    if (records) return false;
  }
  return true;
}

/** The segments with a base in 64-bit mode. */
export const hasBase = (segment: number): boolean =>
  segment === SEGMENT.fs || segment === SEGMENT.gs;
