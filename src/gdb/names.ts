/** Names of addresses in an executed image, and addresses of names. */
import { hex, vaAdd, vaOfText, vaOfU64, type Va } from '../machine/address.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import { REGISTERS } from './registers.js';

/** What the debugger needs of a boot. */
export type Debugged = Pick<ExecutedBoot, 'machine' | 'executor' | 'image' | 'names' | 'run'>;

/** `0xffffffff81000000 startup_64+0x10`: an address with its symbol, as linked or by its physical address. */
export function named({ names }: Debugged, at: Va): string {
  const name = names.codeAt(at);
  return name === undefined ? hex(at) : `${hex(at)} ${name}`;
}

const FORM = /^(\$?[^\s+]+?)(?:\+(0x[0-9a-f]+|\d+))?$/i;
const NUMBER = /^(0x[0-9a-f]+|\d+)$/i;

/** The address of `0x1000`, `symbol`, `$register`, each also with `+offset`; undefined if there is none. */
export function addressOf({ executor: { core }, names }: Debugged, text: string): Va | undefined {
  const [, base = '', offset = '0'] = FORM.exec(text) ?? [];
  let at: Va | undefined;
  if (NUMBER.test(base)) at = vaOfText(base);
  else if (base.startsWith('$')) {
    const register = REGISTERS.find(({ name }) => `$${name}` === base.toLowerCase());
    const value = register?.bits === 64 ? register.read(core) : null;
    at = value === null || value === undefined ? undefined : vaOfU64(value);
  } else {
    at = names.place === null || !names.has(base) ? undefined : names.addressesOf(base)[0];
  }
  return at === undefined ? undefined : vaAdd(at, Number(offset));
}
