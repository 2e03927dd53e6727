/** Names of addresses in an executed image, and addresses of names. */
import { hex, va, vaAdd, vaOfU64, type Va } from '../machine/address.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import { REGISTERS } from './registers.js';

/** What the debugger needs of a boot. */
export type Debugged = Pick<ExecutedBoot, 'machine' | 'executor' | 'image' | 'loaded'>;

/** `0xffffffff81000000 startup_64+0x10`: an address with its symbol, as linked or by its physical address. */
export function named({ image: { symbols }, loaded }: Debugged, at: Va): string {
  const text = symbols.get('_text')?.address;
  const linked = at < 0 || text === undefined ? at : at - loaded.kernelAt + text;
  // Symbols at addresses from 0 on are per-CPU offsets.
  const found = linked < 0 ? symbols.at(linked) : undefined;
  if (found === undefined) return hex(at);
  const { name, offset } = found;
  return `${hex(at)} ${name}${offset === 0 ? '' : `+0x${offset.toString(16)}`}`;
}

const FORM = /^(\$?[^\s+]+?)(?:\+(0x[0-9a-f]+|\d+))?$/i;
const NUMBER = /^(0x[0-9a-f]+|\d+)$/i;

/** The address of `0x1000`, `symbol`, `$register`, each also with `+offset`; undefined if there is none. */
export function addressOf({ executor: { core }, image }: Debugged, text: string): Va | undefined {
  const [, base = '', offset = '0'] = FORM.exec(text) ?? [];
  let at: Va | undefined;
  if (NUMBER.test(base)) at = vaOfU64(BigInt.asUintN(64, BigInt(base)));
  else if (base.startsWith('$')) {
    const register = REGISTERS.find(({ name }) => `$${name}` === base.toLowerCase());
    const value = register?.bits === 64 ? register.read(core) : null;
    at = value === null || value === undefined ? undefined : vaOfU64(value);
  } else {
    const symbol = image.symbols.get(base);
    at = symbol === undefined ? undefined : va(symbol.address);
  }
  return at === undefined ? undefined : vaAdd(at, Number(offset));
}
