/** The commands of gdb's `monitor`. */
import { own } from '../base/own.js';
import { cbitLines } from './cbit.js';
import { addressOf, type Debugged } from './names.js';

interface Command {
  readonly form: string;
  readonly does: string;
  readonly run: (boot: Debugged, argument: string) => string[];
}

function cbit(boot: Debugged, argument: string): string[] {
  const at = addressOf(boot, argument);
  if (at === undefined) {
    return [
      argument === ''
        ? 'cbit needs an address'
        : `${argument}: no such address; expected 0x…, a symbol or $rip, also with +offset`,
    ];
  }
  return cbitLines(boot.machine, boot.executor.cpu, at);
}

const COMMANDS: Readonly<Record<string, Command>> = {
  cbit: {
    form: 'cbit ADDRESS',
    does: 'the page walk, each entry with its C-bit and how it is read, the key, and the bytes in DRAM, with C=0 and C=1',
    run: cbit,
  },
  help: { form: 'help', does: 'this list', run: () => help() },
};

function help(): string[] {
  return [
    ...Object.values(COMMANDS).map(({ form, does }) => `monitor ${form}: ${does}`),
    'ADDRESS is 0x…, a symbol of the image or a register ($rip), also with +offset',
  ];
}

/** The output of a command, by lines. */
export function monitor(boot: Debugged, text: string): string[] {
  const [name = '', ...rest] = text.trim().split(/\s+/);
  const command = own(COMMANDS, name);
  if (command === undefined) {
    return [name === '' ? 'no command' : `${name}: no such command`, ...help()];
  }
  return command.run(boot, rest.join(' '));
}
