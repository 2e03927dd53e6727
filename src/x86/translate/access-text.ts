/** Reads and writes of operands, in registers or in memory, with the mark of an access that may fault. */
import type { MemoryOperand, Operand } from '../decode/instruction.js';
import type { Context } from './block-text.js';
import type { Place, Value } from './operand-text.js';

/** An operand that was read. */
export interface Target {
  readonly value: Value;
  /** Of an operand in memory. */
  readonly place: Place | undefined;
}

function placeOf(context: Context, lines: string[], operand: MemoryOperand): Place {
  lines.push(context.mark);
  return context.operands.place(lines, operand, context.next);
}

export function read(context: Context, lines: string[], operand: Operand): Target {
  const { operands } = context;
  if (operand.kind !== 'memory') return { value: operands.read(lines, operand), place: undefined };
  const place = placeOf(context, lines, operand);
  return { value: operands.load(lines, place), place };
}

/** Writes a destination that was not read. */
export function write(context: Context, lines: string[], operand: Operand, value: Value): void {
  const place = operand.kind === 'memory' ? placeOf(context, lines, operand) : undefined;
  writeTo(context, lines, operand, place, value);
}

/** Writes a destination whose place is known. */
export function writeTo(
  { operands }: Context,
  lines: string[],
  operand: Operand,
  place: Place | undefined,
  value: Value,
): void {
  if (place !== undefined) operands.store(lines, place, value);
  else if (operand.kind === 'register') operands.write(lines, operand, value);
}
