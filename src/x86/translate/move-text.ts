/** Moves, extensions, LEA, conditional moves and sets, PUSH and POP. */
import type { Operand } from '../decode/instruction.js';
import type { Context } from './block-text.js';
import { read, write } from './access-text.js';
import { NOTHING } from './traits.js';

export function move(context: Context): string[] | undefined {
  const { mnemonic, operands } = context.instruction;
  const [first, second] = operands;
  const lines: string[] = [];
  if (NOTHING.has(mnemonic)) return lines;
  if (mnemonic === 'cdqe') return ['r[1] = r[0] >> 31;'];
  if (mnemonic === 'cwde') return ['r[0] = w[0] << 16 >> 16; r[1] = 0;'];
  if (first === undefined) return undefined;
  if (mnemonic === 'push') {
    const { low, high } = read(context, lines, first).value;
    lines.push(context.mark, `core.push64(${low}, ${high});`);
    return lines;
  }
  if (mnemonic === 'pop') {
    const low = context.operands.name();
    lines.push(context.mark, `const ${low} = core.pop64();`);
    write(context, lines, first, { low, high: 'M.high' });
    return lines;
  }
  if (mnemonic.startsWith('set')) {
    const holds = context.flags.condition(mnemonic.slice(3));
    if (holds === undefined) return undefined;
    write(context, lines, first, { low: `(${holds}) ? 1 : 0`, high: '0' });
    return lines;
  }
  if (second === undefined) return undefined;
  if (mnemonic === 'mov') {
    write(context, lines, first, read(context, lines, second).value);
    return lines;
  }
  if (mnemonic === 'movzx') {
    const { low } = read(context, lines, second).value;
    write(context, lines, first, { low, high: '0' });
    return lines;
  }
  if (mnemonic === 'movsx' || mnemonic === 'movsxd') {
    const { low } = read(context, lines, second).value;
    const shift = String(second.size >= 4 ? 0 : 32 - 8 * second.size);
    const extended = context.operands.keep(lines, `${low} << ${shift} >> ${shift}`);
    write(context, lines, first, { low: extended, high: `${extended} >> 31` });
    return lines;
  }
  if (mnemonic === 'lea' && second.kind === 'memory') {
    const { low, high } = context.operands.effective(lines, second, context.next);
    const value = {
      low: context.operands.keep(lines, low),
      high: context.operands.keep(lines, high),
    };
    write(context, lines, first, value);
    return lines;
  }
  if (mnemonic.startsWith('cmov')) return conditional(context, first, second);
  return undefined;
}

/** CMOVcc: the source is read in both cases, and a 32-bit destination is zero-extended in both. */
function conditional(context: Context, first: Operand, second: Operand): string[] | undefined {
  const holds = context.flags.condition(context.instruction.mnemonic.slice(4));
  if (holds === undefined || first.kind !== 'register') return undefined;
  const lines: string[] = [];
  const value = read(context, lines, second).value;
  const moved: string[] = [];
  context.operands.write(moved, first, value);
  lines.push(`if (${holds}) {`, ...moved, '}');
  if (first.size === 4) lines.push(`else r[${String(2 * first.number + 1)}] = 0;`);
  return lines;
}
