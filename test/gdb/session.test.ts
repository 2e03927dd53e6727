import { beforeEach, describe, expect, test } from '@jest/globals';
import { ascii, concat, hexBytes, latin1 } from '../../src/base/bytes.js';
import { packet, PACKET_SIZE, PacketReader } from '../../src/gdb/packet.js';
import { REGISTERS } from '../../src/gdb/registers.js';
import { Session } from '../../src/gdb/session.js';
import { Target } from '../../src/gdb/target.js';
import type { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { at, BANNER_TEXT, ENTRY, guest, SECRET, VALUE } from './guest.js';

let boot: ExecutedBoot;
let session: Session;

beforeEach(() => {
  boot = guest();
  session = new Session(new Target(boot));
});

/** The data of the packets in what the session sends. */
function packets(bytes: Uint8Array): string[] {
  return new PacketReader().push(bytes).map((one) => (one.kind === 'packet' ? one.data : one.kind));
}

/** Sends a packet, executes until the program stands still, and returns the replies. */
function ask(data: string): string[] {
  const bytes = [session.receive(packet(data))];
  for (let slices = 0; session.running; slices++) {
    if (slices === 1000) throw new Error('the program does not stop');
    bytes.push(session.slice());
  }
  return packets(concat(bytes));
}
const one = (data: string): string => ask(data).join('|');
const hex = (address: number): string => address.toString(16);
const register = (name: string): string =>
  one(`p${hex(REGISTERS.findIndex((each) => each.name === name))}`);
const set = (name: string, value: string): string =>
  one(`P${hex(REGISTERS.findIndex((each) => each.name === name))}=${value}`);
const consoleText = (replies: readonly string[]): string =>
  replies
    .filter((each) => /^O[0-9a-f]/.test(each))
    .map((each) => Buffer.from(each.slice(1), 'hex').toString())
    .join('');
const RIP = (address: number): string =>
  hexBytes(new Uint8Array(BigUint64Array.of(BigInt(address)).buffer));

describe('acknowledgement', () => {
  test('each packet is acknowledged until QStartNoAckMode', () => {
    expect(latin1(session.receive(packet('?')))).toBe(`+${latin1(packet('T05thread:1;'))}`);
    expect(latin1(session.receive(packet('QStartNoAckMode')))).toBe('+$OK#9a');
    expect(latin1(session.receive(ascii('+')))).toBe('');
    expect(latin1(session.receive(packet('qC')))).toBe(latin1(packet('QC1')));
  });

  test('a broken packet is asked for again, and a reply is sent again', () => {
    expect(latin1(session.receive(ascii('$qC#00')))).toBe('-');
    expect(latin1(session.receive(packet('qC')))).toBe(`+${latin1(packet('QC1'))}`);
    expect(latin1(session.receive(ascii('-')))).toBe(latin1(packet('QC1')));
  });

  test('a packet that is too long is an error', () => {
    expect(one('m'.repeat(PACKET_SIZE + 1))).toBe('E07');
  });
});

describe('what is there', () => {
  test('features', () => {
    expect(one('qSupported:multiprocess+;swbreak+')).toBe(
      'PacketSize=4000;QStartNoAckMode+;qXfer:features:read+;swbreak+;hwbreak+;vContSupported+',
    );
    expect(one('qAttached')).toBe('1');
    expect(one('vCont?')).toBe('vCont;c;C;s;S');
  });

  test('one thread', () => {
    expect([one('qfThreadInfo'), one('qsThreadInfo'), one('Hg1'), one('T1')]).toEqual([
      'm1',
      'l',
      'OK',
      'OK',
    ]);
    expect([one('Hg2'), one('T2')]).toEqual(['E16', 'E16']);
  });

  test.each(['vMustReplyEmpty', 'qTStatus', 'qCRC:0,1', 'Z2,0,1', '!', 'R00', 'qSymbol::', ''])(
    '%s is not supported',
    (data) => {
      expect(ask(data)).toEqual(['']);
    },
  );

  test('the description of the registers comes in parts', () => {
    let text = '';
    for (;;) {
      const [reply = ''] = ask(`qXfer:features:read:target.xml:${hex(text.length)},100`);
      text += reply.slice(1);
      if (reply.startsWith('l')) break;
      expect(reply).toMatch(/^m/);
      expect(reply).toHaveLength(0x101);
    }
    expect(text).toMatch(/^<\?xml[^]*<architecture>i386:x86-64<[^]*<\/target>\n$/);
    expect(one('qXfer:features:read:other.xml:0,100')).toBe('E00');
    expect(one('qXfer:features:read:target.xml:0')).toBe('E16');
    expect(one('qXfer:features:read:target.xml:ffffff,10')).toBe('l');
  });
});

describe('registers', () => {
  test('one, and all in their order', () => {
    expect(register('rip')).toBe(RIP(ENTRY));
    expect(register('rsi')).toBe(RIP(0x9_0000));
    const all = one('g');
    expect(all).toHaveLength(REGISTERS.reduce((sum, { bits }) => sum + bits / 4, 0));
    expect(all.slice(16 * 16, 17 * 16)).toBe(RIP(ENTRY));
    expect(register('fiseg')).toBe('x'.repeat(8));
    expect(one('pffff')).toBe('E16');
  });

  test('are set', () => {
    expect(set('rax', '8877665544332211')).toBe('OK');
    expect(boot.executor.core.get64(0)).toBe(0x1122_3344_5566_7788n);
    expect(set('rip', RIP(at('spin')))).toBe('OK');
    expect(boot.executor.core.rip).toBe(at('spin'));
  });

  test.each([
    ['rip', '0000000000008000', 'is not canonical'],
    ['eflags', '02010000', 'has TF'],
    ['cr3', '0000000000000000', 'is read-only'],
    ['rax', '00', 'is too short'],
    ['st0', '1'.repeat(20), 'is read-only'],
    ['fiseg', '0'.repeat(8), 'is not modelled'],
  ])('%s := %s is refused: it %s', (name, value) => {
    const before = one('g');
    expect(set(name, value)).toBe('E16');
    expect(one('g')).toBe(before);
  });

  test('all at once; where one is refused, none changes', () => {
    const before = one('g');
    const changed = `1${before.slice(1)}`;
    expect(one(`G${changed}`)).toBe('OK');
    expect(one('g')).toBe(changed);
    const cs = 17 * 16 + 8;
    expect(one(`G2${before.slice(1, cs)}ff${before.slice(cs + 2)}`)).toBe('E16');
    expect(one('g')).toBe(changed);
    expect(one('G00')).toBe('E16');
  });
});

describe('memory', () => {
  const banner = hex(at('linux_banner'));
  const text = hexBytes(ascii(BANNER_TEXT));

  test('is read', () => {
    expect(one(`m${banner},${hex(BANNER_TEXT.length)}`)).toBe(text);
    expect(one(`m${banner},0`)).toBe('');
  });

  test.each([
    'm',
    'm0',
    'mzz,1',
    'm0,',
    'M0,1',
    'M0,2:00',
    'M0,1:0',
    'X0,1:ab',
    'm0000800000000000,1',
  ])('%s is malformed', (data) => {
    expect(one(data)).toBe('E16');
  });

  test('what is not mapped is an error; a read ends before it', () => {
    expect(one('mffffffff80000000,1')).toBe('E0e');
    expect(one('Mffffffff80000000,1:00')).toBe('E0e');
  });

  test('is written, in digits and in bytes', () => {
    expect(one(`M${banner},2:4142`)).toBe('OK');
    expect(one(`X${banner},0:`)).toBe('OK');
    const next = hex(at('linux_banner') + 2);
    expect(one(`X${next},4:#$}*`)).toBe('OK');
    expect(one(`m${banner},7`)).toBe(hexBytes(ascii(`AB#$}*l`)));
  });

  test('an instruction that is overwritten is executed as it is then', () => {
    expect(one(`Z0,${hex(at('count'))},1`)).toBe('OK');
    expect(one('c')).toContain('swbreak');
    expect(one('c')).toContain('swbreak');
    expect(register('rcx')).toBe(RIP(1));
    // dec rcx in the place of inc rcx, which has been executed once.
    expect(one(`M${hex(at('count') + 2)},1:c9`)).toBe('OK');
    expect(one('s')).toBe('T05thread:1;');
    expect(register('rcx')).toBe(RIP(0));
  });
});

describe('execution', () => {
  test('one instruction at a time', () => {
    expect(one('s')).toBe('T05thread:1;');
    expect(boot.executor.core.rip).toBe(ENTRY + 3);
    expect(one('vCont;s:1;c')).toBe('T05thread:1;');
    expect(one('S05')).toBe('T05thread:1;');
    expect(boot.executor.instructions).toBe(3);
  });

  test('to breakpoints, which are counted once each', () => {
    expect(one(`Z0,${hex(at('store_value'))},1`)).toBe('OK');
    expect(one(`Z1,${hex(at('finish'))},1`)).toBe('OK');
    expect(one('c')).toBe('T05swbreak:;thread:1;');
    expect(boot.executor.core.rip).toBe(at('store_value'));
    expect(one('vCont;c')).toBe('T05hwbreak:;thread:1;');
    expect(register('rbx')).toBe(hexBytes(new Uint8Array(BigUint64Array.of(VALUE).buffer)));
    expect(one('?')).toBe('T05hwbreak:;thread:1;');
    expect(one(`z0,${hex(at('store_value'))},1`)).toBe('OK');
    expect(one(`z1,${hex(at('finish'))},1`)).toBe('OK');
    expect(one(`c${hex(ENTRY)}`)).toContain('T11');
    expect(boot.uart.text).toBe('k');
  });

  test('a breakpoint that is neither an address nor canonical is refused', () => {
    expect([one('Z0,zz,1'), one('Z0,0000800000000000,1'), one('Z0')]).toEqual([
      'E16',
      'E16',
      'E16',
    ]);
  });

  test('a breakpoint at the end of a slice stops', () => {
    set('rip', RIP(at('spin')));
    one(`Z0,${hex(at('spin'))},1`);
    expect(one('c')).toBe('T05swbreak:;thread:1;');
    expect(boot.executor.instructions).toBe(1);
  });

  test('an interrupt stops it, and what came before is answered after that', () => {
    set('rip', RIP(at('spin')));
    session.receive(packet('c'));
    expect(latin1(session.slice())).toBe('');
    expect(latin1(session.receive(packet('qC')))).toBe('');
    expect(packets(session.receive(Uint8Array.of(3)))).toEqual(['T02thread:1;', 'QC1']);
    expect(session.running).toBe(false);
    expect(latin1(session.receive(Uint8Array.of(3)))).toBe('');
  });
});

describe('the end', () => {
  test('a halt, after which nothing is executed', () => {
    const replies = ask('c');
    expect(consoleText(replies)).toBe(
      `halted: HLT before 0x${hex(at('count'))} count, which nothing can end\n`,
    );
    expect(replies.at(-1)).toBe('T11thread:1;');
    const { instructions } = boot.executor;
    expect([ask('c').at(-1), ask('s').at(-1)]).toEqual(['T11thread:1;', 'T11thread:1;']);
    expect(boot.executor.instructions).toBe(instructions);
  });

  test('what is not modelled, by name; the next instruction can be tried', () => {
    set('rip', RIP(at('unknown')));
    const replies = ask('c');
    const unknown = `0x${hex(at('unknown'))} unknown`;
    expect(consoleText(replies)).toBe(`not modelled: FSIN, fsin (d9fe) at ${unknown}\n`);
    expect(replies.at(-1)).toBe('T04thread:1;');
    expect(ask('s').at(-1)).toBe('T04thread:1;');
    set('rip', RIP(at('spin')));
    expect(ask('s')).toEqual(['T05thread:1;']);
  });

  test('a triple fault, with the first exception', () => {
    set('rip', RIP(at('triple')));
    const replies = ask('c');
    expect(consoleText(replies)).toMatch(/^triple fault at 0x[0-9a-f]+ triple\+0x8: #UD/);
    expect(replies.at(-1)).toBe('T06thread:1;');
  });

  test('a limit of instructions', () => {
    session = new Session(new Target(boot, 5));
    const replies = ask('c');
    expect([consoleText(replies), replies.at(-1)]).toEqual([
      'limit: 5 instructions\n',
      'T18thread:1;',
    ]);
    expect(boot.executor.instructions).toBe(5);
  });

  test('detach and kill', () => {
    expect(one('D')).toBe('OK');
    expect([session.closed, ask('?')]).toEqual(['detached', []]);
    session = new Session(new Target(boot));
    expect(ask('k')).toEqual([]);
    expect(session.closed).toBe('killed');
    session = new Session(new Target(boot));
    expect([one('vKill;1'), session.closed]).toEqual(['OK', 'killed']);
  });
});

describe('monitor', () => {
  const command = (text: string): string[] => ask(`qRcmd,${hexBytes(ascii(text))}`);

  test('writes to the console, then says OK', () => {
    const replies = command(`cbit 0x${hex(SECRET)}`);
    expect(replies.at(-1)).toBe('OK');
    expect(consoleText(replies)).toContain(`physical 0x${hex(SECRET)}, C=0`);
    expect(one('qRcmd,0')).toBe('E16');
  });
});
