/**
 * A session of gdb's remote serial protocol (Debugging with GDB, E): bytes in, bytes out. Its owner executes slices
 * while `running`.
 */
import { InputError } from '../base/errors.js';
import { ascii, concat, hexBytes, latin1 } from '../base/bytes.js';
import { vaOfU64, type Va } from '../machine/address.js';
import { readMemory, writeMemory } from './memory.js';
import { monitor } from './monitor.js';
import type { Debugged } from './names.js';
import { bytesOfHex, hexByte, packet, PACKET_SIZE, PacketReader, type Received } from './packet.js';
import { REGISTERS, registerHex, setRegister } from './registers.js';
import { TARGET_XML } from './target-description.js';
import { SIGNAL, type Stop, type Target } from './target.js';

/** Numbers of errors (E.1 leaves them open; our choice: those of errno): EINVAL, EFAULT, E2BIG. */
const ERROR = { INVALID: 'E16', FAULT: 'E0e', TOO_LONG: 'E07' } as const;
/** Packets that wait for the end of a run; gdb sends none (our choice). */
const MOST_WAITING = 64;

/** E.4, qSupported. */
const SUPPORTED = [
  `PacketSize=${PACKET_SIZE.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'swbreak+',
  'hwbreak+',
  'vContSupported+',
].join(';');

/** Handles a packet whose data begins with a command; `rest` follows it. Null: the answer comes later, or none does. */
type Handler = (rest: string) => string | null;

export class Session {
  /** How gdb has ended the session: the program goes on (`D`), or ends (`k`). */
  closed: 'detached' | 'killed' | null = null;
  private readonly boot: Debugged;
  private readonly reader = new PacketReader();
  private out: Uint8Array[] = [];
  private acknowledges = true;
  private last = new Uint8Array();
  private stop: Stop = { signal: SIGNAL.TRAP };
  private state: 'stopped' | 'starting' | 'running' = 'stopped';
  private readonly waiting: Received[] = [];
  /** Packets without parameters, by their whole data. */
  private readonly whole: ReadonlyMap<string, Handler>;
  /** Others, by the longest beginning that matches. */
  private readonly beginnings: readonly (readonly [string, Handler])[];

  /** @param target its breakpoints go: gdb sets its own. */
  constructor(private readonly target: Target) {
    this.boot = target.boot;
    target.software.clear();
    target.hardware.clear();
    this.whole = new Map(Object.entries(this.plain()));
    this.beginnings = Object.entries(this.withParameters()).sort(([a], [b]) => b.length - a.length);
  }

  /** Whether the program runs: {@link slice} is to be called. */
  get running(): boolean {
    return this.state !== 'stopped';
  }

  /** Takes bytes from gdb; returns those to send. */
  receive(bytes: Uint8Array): Uint8Array {
    for (const one of this.reader.push(bytes)) this.take(one);
    return this.flush();
  }

  /** Executes some instructions; returns the bytes to send if the program has stopped. */
  slice(): Uint8Array {
    if (this.state === 'stopped') return new Uint8Array();
    const first = this.state === 'starting';
    this.state = 'running';
    const stop = this.target.slice(first);
    if (stop !== null) this.stopped(stop);
    return this.flush();
  }

  private flush(): Uint8Array {
    const all = concat(this.out);
    this.out = [];
    return all;
  }

  private take(one: Received): void {
    if (this.closed !== null) return;
    if (one.kind === 'interrupt') {
      if (this.running) this.stopped({ signal: SIGNAL.INT });
    } else if (this.running) {
      if (this.waiting.length < MOST_WAITING) this.waiting.push(one);
    } else this.answer(one);
  }

  private answer(one: Received): void {
    switch (one.kind) {
      case 'resend':
        this.out.push(this.last);
        return;
      case 'broken':
        if (this.acknowledges) this.out.push(ascii('-'));
        return;
      case 'too-long':
        this.acknowledge();
        this.send(ERROR.TOO_LONG);
        return;
      case 'packet': {
        this.acknowledge();
        const reply = this.reply(one.data);
        if (reply !== null) this.send(reply);
        return;
      }
      case 'interrupt':
    }
  }

  private acknowledge(): void {
    if (this.acknowledges) this.out.push(ascii('+'));
  }

  private send(data: string): void {
    this.last = Uint8Array.from(packet(data));
    this.out.push(this.last);
  }

  /** Text for gdb's console (`O`), in packets that are not too long. */
  private say(lines: readonly string[]): void {
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
    const most = PACKET_SIZE / 2 - 1;
    for (let at = 0; at < bytes.length; at += most) {
      this.send(`O${hexBytes(bytes.subarray(at, at + most))}`);
    }
  }

  private stopped(stop: Stop): void {
    this.state = 'stopped';
    this.stop = stop;
    if (stop.message !== undefined) this.say([stop.message]);
    this.send(stopReply(stop));
    while (!this.running && this.closed === null) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.answer(next);
    }
  }

  /** The reply to a packet; empty for one that is not supported (E.1). */
  private reply(data: string): string | null {
    const whole = this.whole.get(data);
    const found =
      whole === undefined ? this.beginnings.find(([n]) => data.startsWith(n)) : undefined;
    const [name, handler] = found ?? [data, whole];
    if (handler === undefined) return '';
    try {
      return handler(data.slice(name.length));
    } catch (error) {
      // Of the machine: what is not modelled.
      if (!(error instanceof InputError)) throw error;
      return ERROR.FAULT;
    }
  }

  /** One thread, the boot processor, has the number 1. */
  private plain(): Record<string, Handler> {
    return {
      '?': () => stopReply(this.stop),
      g: () => REGISTERS.map((each) => registerHex(this.core, each)).join(''),
      k: () => {
        this.closed = 'killed';
        return null;
      },
      'vCont?': () => 'vCont;c;C;s;S',
      qC: () => 'QC1',
      qfThreadInfo: () => 'm1',
      qsThreadInfo: () => 'l',
      QStartNoAckMode: () => {
        this.send('OK');
        this.acknowledges = false;
        return null;
      },
    };
  }

  private withParameters(): Record<string, Handler> {
    const { software, hardware } = this.target;
    return {
      G: (text) => this.setAll(text),
      p: (text) => this.register(text),
      P: (text) => this.setOne(text),
      m: (text) => this.read(text),
      M: (text) => this.write(text, (data) => bytesOfHex(data)),
      X: (text) => this.write(text, (data) => ascii(data)),
      s: (text) => this.resume('step', text),
      S: (text) => this.resume('step', afterSignal(text)),
      c: (text) => this.resume('continue', text),
      C: (text) => this.resume('continue', afterSignal(text)),
      'vCont;': (text) => this.vCont(text),
      Z0: (text) => breakpoint(text, (at) => software.add(at)),
      Z1: (text) => breakpoint(text, (at) => hardware.add(at)),
      z0: (text) => breakpoint(text, (at) => software.delete(at)),
      z1: (text) => breakpoint(text, (at) => hardware.delete(at)),
      D: () => {
        this.closed = 'detached';
        return 'OK';
      },
      'vKill;': () => {
        this.closed = 'killed';
        return 'OK';
      },
      H: (text) => (/^[cg](-1|[01])$/.test(text) ? 'OK' : ERROR.INVALID),
      T: (text) => (/^0*1$/.test(text) ? 'OK' : ERROR.INVALID),
      // The machine was there before gdb: its `quit` detaches.
      qAttached: () => '1',
      qSupported: () => SUPPORTED,
      'qXfer:features:read:': (text) => transfer(text),
      'qRcmd,': (text) => this.monitor(text),
    };
  }

  private get core() {
    return this.boot.executor.core;
  }

  /** All registers, or none where one refuses its value. */
  private setAll(text: string): string {
    const before = REGISTERS.map((each) => registerHex(this.core, each));
    if (text.length !== before.join('').length) return ERROR.INVALID;
    let at = 0;
    for (const [index, register] of REGISTERS.entries()) {
      const one = text.slice(at, (at += register.bits / 4));
      // A register without a value has none to set.
      if (/^x+$/i.test(one) || setRegister(this.core, register, one)) continue;
      for (const [i, each] of REGISTERS.slice(0, index).entries()) {
        setRegister(this.core, each, before[i] ?? '');
      }
      return ERROR.INVALID;
    }
    return 'OK';
  }

  private register(text: string): string {
    const register = /^[0-9a-f]{1,4}$/i.test(text)
      ? REGISTERS[Number.parseInt(text, 16)]
      : undefined;
    return register === undefined ? ERROR.INVALID : registerHex(this.core, register);
  }

  private setOne(text: string): string {
    const [, number = '', value = ''] = /^([0-9a-f]{1,4})=([0-9a-fx]+)$/i.exec(text) ?? [];
    const register = number === '' ? undefined : REGISTERS[Number.parseInt(number, 16)];
    if (register === undefined) return ERROR.INVALID;
    return setRegister(this.core, register, value) ? 'OK' : ERROR.INVALID;
  }

  private read(text: string): string {
    const range = rangeOf(text);
    if (range === undefined) return ERROR.INVALID;
    const length = Math.min(range.length, PACKET_SIZE / 2);
    const { machine, executor } = this.boot;
    const bytes = readMemory(machine, executor.cpu, range.at, length);
    return bytes.length === 0 && length > 0 ? ERROR.FAULT : hexBytes(bytes);
  }

  private write(text: string, decode: (data: string) => Uint8Array | undefined): string {
    const colon = text.indexOf(':');
    const range = rangeOf(text.slice(0, colon));
    const bytes = decode(text.slice(colon + 1));
    if (colon < 0 || range === undefined || bytes?.length !== range.length) return ERROR.INVALID;
    const { machine, executor } = this.boot;
    return writeMemory(machine, executor.cpu, range.at, bytes) ? 'OK' : ERROR.FAULT;
  }

  /** `s` and `c`, with the address to go on at, if one is given. */
  private resume(how: 'step' | 'continue', text: string): string | null {
    if (text !== '') {
      const at = addressIn(text);
      if (at === undefined) return ERROR.INVALID;
      this.core.rip = at;
    }
    if (how === 'continue') this.state = 'starting';
    else this.stopped(this.target.step());
    return null;
  }

  /** The first action applies: there is one thread. */
  private vCont(text: string): string | null {
    const [, action] = /^(c|s|C[0-9a-f]{2}|S[0-9a-f]{2})(?=[:;]|$)/i.exec(text) ?? [];
    if (action === undefined) return ERROR.INVALID;
    return this.resume(action.toLowerCase().startsWith('s') ? 'step' : 'continue', '');
  }

  private monitor(text: string): string {
    const bytes = bytesOfHex(text);
    if (bytes === undefined) return ERROR.INVALID;
    this.say(monitor(this.boot, latin1(bytes)));
    return 'OK';
  }
}

/** E.3: `T`, the signal, then what is known of the stop. */
function stopReply({ signal, reason }: Stop): string {
  return `T${hexByte(signal)}${reason === undefined ? '' : `${reason}:;`}thread:1;`;
}

/** An address in hexadecimal, canonical. */
function addressIn(text: string): Va | undefined {
  return /^[0-9a-f]{1,16}$/i.test(text) ? vaOfU64(BigInt(`0x${text}`)) : undefined;
}

/** `address,length`. */
function rangeOf(text: string): { at: Va; length: number } | undefined {
  const [, address = '', length = ''] = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(text) ?? [];
  const at = addressIn(address);
  return at === undefined ? undefined : { at, length: Number.parseInt(length, 16) };
}

/** `,address,kind`. */
function breakpoint(text: string, change: (at: number) => unknown): string {
  const [, address = ''] = /^,([0-9a-f]{1,16}),[0-9a-f]+$/i.exec(text) ?? [];
  const at = addressIn(address);
  if (at === undefined) return ERROR.INVALID;
  change(at);
  return 'OK';
}

/** `sig` or `sig;address`: the program takes no signals. */
const afterSignal = (text: string): string => text.split(';').slice(1).join(';');

/** `annex:offset,length` of qXfer (E.7). */
function transfer(text: string): string {
  const [, annex, offset = '', length = ''] =
    /^([^:]*):([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(text) ?? [];
  // E.7: E00 for an annex that does not exist.
  if (annex !== 'target.xml') return annex === undefined ? ERROR.INVALID : 'E00';
  const from = Number.parseInt(offset, 16);
  const part = TARGET_XML.slice(
    from,
    from + Math.min(Number.parseInt(length, 16), PACKET_SIZE / 2),
  );
  return `${from + part.length < TARGET_XML.length ? 'm' : 'l'}${part}`;
}
