/** Relative branches and calls, and near returns. */
import { vaAdd } from '../../machine/address.js';
import type { Context } from './block-text.js';

const TWO_32 = 2 ** 32;

export function branch(context: Context): string[] | undefined {
  const { instruction, next, go, leave, returned, mark, flags } = context;
  const { mnemonic, operands } = instruction;
  if (mnemonic === 'ret') {
    return [
      mark,
      'const from = r[8], fromHigh = r[9];',
      'const to = M.get64(from, fromHigh, true), toHigh = M.high;',
      'core.rip = core.linear(to, toHigh);',
      'r[8] = from + 8 | 0;',
      'if ((r[8] >>> 0) < 8) r[9] = fromHigh + 1 | 0;',
      ...returned('to', 'toHigh'),
    ];
  }
  const [operand] = operands;
  if (operand?.kind !== 'relative') return undefined;
  const target = vaAdd(next, operand.offset);
  if (mnemonic === 'jmp') return [go(target)];
  if (mnemonic === 'call') {
    const low = String(next | 0);
    const high = String(Math.floor(next / TWO_32) | 0);
    return [
      mark,
      `core.push64(${low}, ${high});`,
      `if (core.stop) { core.rip = ${String(target)}; ${leave} }`,
      go(target),
    ];
  }
  const holds = flags.condition(mnemonic.slice(1));
  if (holds === undefined) return undefined;
  return [`if (${holds}) { ${go(target)} }`, go(next)];
}
