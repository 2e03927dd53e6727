/** Instructions that are executed, and packets of gdb that debug them. */
import fc from 'fast-check';
import { concat } from '../../../src/base/bytes.js';
import { packet, PacketReader } from '../../../src/gdb/packet.js';
import { Session } from '../../../src/gdb/session.js';
import { Target } from '../../../src/gdb/target.js';
import { pa } from '../../../src/machine/address.js';
import type { ExecutedBoot, ExecutedBootSnapshot } from '../../../src/sequencer/executed-boot.js';
import { decode } from '../../../src/x86/decode/decoder.js';
import { isUndecoded, MAX_LENGTH } from '../../../src/x86/decode/instruction.js';
import { ENTRY, guest } from '../../gdb/guest.js';
import { mutated, oneOf } from '../bytes.js';
import { verify, verifySame, type Kind } from '../kind.js';

let started: { boot: ExecutedBoot; snapshot: ExecutedBootSnapshot } | undefined;

/** A small kernel before its first instruction. */
function fresh(): ExecutedBoot {
  if (started === undefined) {
    const boot = guest();
    started = { boot, snapshot: boot.snapshot() };
  }
  started.boot.restore(started.snapshot);
  return started.boot;
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

/** Instructions of each kind, in 64-bit code; RBX has an address in RAM. */
const INSTRUCTIONS = [
  '4801c8', // add rax, rcx
  '480fafc1', // imul rax, rcx
  '48f7f1', // div rcx
  '488b03', // mov rax, [rbx]
  '48890b', // mov [rbx], rcx
  '660fefc0', // pxor xmm0, xmm0
  'f30f7f03', // movdqu [rbx], xmm0
  '48c1e003', // shl rax, 3
  '0fa2', // cpuid
  '0f20d8', // mov rax, cr3
  '0f22d8', // mov cr3, rax
  '0f32', // rdmsr
  '0f30', // wrmsr
  '0f09', // wbinvd
  '0f01f8', // swapgs
  'f348ab', // rep stosq
  'f3a4', // rep movsb
  '50', // push rax
  '58', // pop rax
  '9c', // pushfq
  '9d', // popfq
  '48cf', // iretq
  'e800000000', // call next
  'c3', // ret
  '75fe', // jne self
  'ee', // out dx, al
  'ec', // in al, dx
  'f00fb10b', // lock cmpxchg [rbx], ecx
  'd9e8', // fld1
  'dec1', // faddp
  '0fc7f0', // rdrand eax
  'f4', // hlt
].map(hex);

/** mov rsp, 0x1a00000; mov ebx, 0x1800000; mov rdi, rbx; mov esi, 0x1900000; mov ecx, 7 */
const START = hex('48c7c40000a001bb000080014889dfbe00009001b907000000');
/** The most instructions of an input: some of them are loops. */
const MOST = 2000;

const programs = fc
  .array(fc.tuple(oneOf(INSTRUCTIONS), fc.nat(3)), { minLength: 1, maxLength: 24 })
  .map((list) =>
    concat([START, ...list.flatMap(([code, n]) => new Array<Uint8Array>(n).fill(code))]),
  );

/** How some bytes end as code: the end, and the registers. */
function executed(bytes: Uint8Array): { kind: string; rip: number; registers: string } {
  const boot = fresh();
  boot.machine.dmaWrite(pa(ENTRY), bytes);
  const { kind } = boot.run({ maxInstructions: MOST });
  const { core } = boot.executor;
  core.toCpu();
  const [cpu] = boot.machine.cpus;
  return { kind, rip: core.rip, registers: JSON.stringify(cpu.snapshot(), bigints) };
}

const bigints = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${String(value)}n` : value;

export const code: Kind = {
  name: 'code',
  what: 'machine code that is executed',
  ext: 'bin',
  inputs: 500,
  share: 1,
  placeless: true,
  arbitrary: mutated(programs, { mutated: 6, most: 3 }),
  read(bytes) {
    for (const width of [16, 32, 64] as const) {
      const decoded = decode(bytes, START.length, bytes.length, width);
      verify(
        decoded.length <= MAX_LENGTH,
        `an instruction of ${String(decoded.length)} bytes: ${isUndecoded(decoded) ? decoded.undecoded : decoded.mnemonic}`,
      );
    }
    const end = executed(bytes);
    verifySame(executed(bytes), end, 'executed again');
    return end.kind !== 'not-modelled';
  },
};

/** Packets of each kind, for the addresses of the guest. */
const PACKETS = [
  '?',
  'g',
  'qSupported:swbreak+;hwbreak+',
  'qXfer:features:read:target.xml:0,fff',
  'qXfer:features:read:64bit.xml:7fffffff,1',
  'm1000000,40',
  'mffffffff81000000,8',
  'M1800000,4:00112233',
  'X1800000,2:ab',
  'p10',
  'P10=0000000100000000',
  'G00112233',
  'Z0,1000010,1',
  'Z1,1000020,1',
  'z0,1000010,1',
  's',
  'c',
  'vCont?',
  'vCont;c',
  'vCont;s:1',
  'qRcmd,6331', // c1
  'qRcmd,77616c6b2030783138303030303020', // walk 0x1800000
  'Hg0',
  'T1',
  'QStartNoAckMode',
  'D',
  'k',
].map(packet);

export const gdb: Kind = {
  name: 'gdb',
  what: 'packets of gdb',
  ext: 'bin',
  inputs: 2000,
  share: 1,
  placeless: true,
  arbitrary: mutated(
    fc.array(oneOf(PACKETS), { minLength: 1, maxLength: 8 }).map((list) => concat(list)),
    { mutated: 7, most: 3 },
  ),
  read(bytes) {
    const session = new Session(new Target(fresh(), MOST));
    const sent = [session.receive(bytes)];
    for (let slices = 0; session.running && slices < 64; slices++) sent.push(session.slice());
    verify(!session.running, 'the program does not stop at the limit of instructions');
    // `E`: an error; no data: a packet that is not known.
    return new PacketReader()
      .push(concat(sent))
      .some((one) => one.kind === 'packet' && !/^(?:E[0-9a-f]{2})?$/.test(one.data));
  },
};
