/** Instructions that read a memory operand and write it back: a page is checked for the write first. */
import type { Fault } from '../machine/types.js';
import type { Instruction } from './decode/instruction.js';

const MNEMONICS: ReadonlySet<string> = new Set([
  ...['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'inc', 'dec', 'neg', 'not'],
  ...['rol', 'ror', 'rcl', 'rcr', 'shl', 'sal', 'shr', 'sar', 'shld', 'shrd'],
  ...['bts', 'btr', 'btc', 'xchg', 'xadd', 'cmpxchg', 'cmpxchg8b', 'cmpxchg16b'],
]);
const PF = 14;
/** Bits of the error code of a #PF (APM vol. 2, 8.4.2): a write, and a fetch. */
const ERROR = { WRITE: 2, FETCH: 16 } as const;

/** Whether a fault may be that of the read of such an instruction. */
export function mayBeItsRead({ vector, error, source }: Fault): boolean {
  return vector === PF && source === undefined && (error & (ERROR.WRITE | ERROR.FETCH)) === 0;
}

/**
 * The fault of a read as the processor reports it: of such an instruction with the bit for a write. APM vol. 2, 8.4.2, does
 * not say so in words; processors check the page for both before the read.
 */
export function asWrite(fault: Fault, instruction: Instruction | undefined): Fault {
  if (instruction === undefined || !MNEMONICS.has(instruction.mnemonic)) return fault;
  if (!instruction.operands.some(({ kind }) => kind === 'memory')) return fault;
  // The memory operand of the others is the destination, or (ADD r, [m]) only read.
  const [first] = instruction.operands;
  if (first?.kind !== 'memory' && instruction.mnemonic !== 'xchg') return fault;
  return { ...fault, error: fault.error | ERROR.WRITE };
}
