/** The end of an executed boot, by name: as an outcome, and in words. */
import { hexBytes } from '../base/bytes.js';
import { describe } from '../kernel/fault-text.js';
import { hex } from '../machine/address.js';
import type { AnyOutcome } from '../trace/trace.js';
import type { RunEnd } from '../x86/executor.js';
import type { ExecutedNames } from './executed-names.js';

/** The end of a run that was stopped from outside. */
export interface Interrupted {
  readonly kind: 'interrupted';
  /** What stopped it; absent: Ctrl-C. */
  readonly by?: string;
  readonly at: number;
}

export type ExecutedEnd = RunEnd | Interrupted;

/** Why the run ended, without the place. */
function reasonOf(end: ExecutedEnd): string {
  switch (end.kind) {
    case 'halt':
      return 'HLT, and nothing that could end it';
    case 'limit':
      return 'the limit of instructions';
    case 'breakpoint':
      return 'as asked';
    case 'interrupted':
      return end.by ?? 'Ctrl-C';
    case 'triple-fault': {
      const { delivery } = end;
      if (!('tripleFault' in delivery)) return 'triple fault';
      const { first, second } = delivery;
      const later = second === undefined ? '' : `, then ${describe(second)} (${second.why})`;
      return `${describe(first)} (${first.why})${later}`;
    }
    case 'not-modelled': {
      const { what, mnemonic, bytes } = end;
      const code = bytes.length === 0 ? 'no code there' : hexBytes(bytes, ' ');
      return `${what}, by ${mnemonic ?? 'an instruction'} (${code})`;
    }
  }
}

/** The outcome: `where` is the function and its offset, `message` the reason with the instruction's linear address. */
export function outcomeOf(end: ExecutedEnd, names: ExecutedNames): AnyOutcome {
  // RIP of a halted CPU is that of the instruction after HLT, which has one byte.
  const at = end.kind === 'halt' ? end.at - 1 : end.at;
  const where = names.codeAt(at);
  const kind = end.kind === 'breakpoint' ? 'stopped' : end.kind;
  return {
    kind,
    ...(where !== undefined && { where }),
    message: `${reasonOf(end)}, at ${hex(at)}`,
  };
}
