/**
 * Instructions with random states, compared with Unicorn (Debian's python3-unicorn, for /usr/bin/python3): at least 1,000
 * states for each mnemonic; registers, RIP, memory, media registers and the flags that the manual defines.
 */
import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { Executor } from '../../src/x86/executor.js';
import { FORMS, type InstructionForm } from '../x86/forms.js';
import { CODE, DATA, HANDLERS, machine } from '../x86/program.js';
import { tool } from './tool.js';

const IN = 320;
const OUT = 312;
const MEMORY = 128;
const STATES = 1000;
/** Registers that point into the memory: RBX, RSP, RBP, RSI, RDI. */
const POINTERS: Readonly<Record<number, number>> = { 3: 24, 4: 64, 5: 48, 6: 16, 7: 88 };
const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  1n << 63n,
  (1n << 63n) - 1n,
  -1n,
  -2n,
  -128n,
];

/** A generator of 32-bit words (xorshift), the same in each run. */
function random(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** The records of some forms: `states` for each. */
function recordsOf(forms: readonly InstructionForm[], states: number): Uint8Array {
  const bytes = new Uint8Array(forms.length * states * IN);
  const view = new DataView(bytes.buffer);
  const next = random(0x5eed);
  const value = (): bigint => {
    if (next() % 2 === 0) return EDGES[next() % EDGES.length] ?? 0n;
    return (BigInt(next()) << 32n) | BigInt(next());
  };
  for (const [f, form] of forms.entries()) {
    for (let s = 0; s < states; s++) {
      const at = (f * states + s) * IN;
      bytes[at] = form.code.length;
      bytes.set(form.code, at + 1);
      for (let register = 0; register < 16; register++) {
        const offset = POINTERS[register];
        let word = offset === undefined ? value() : BigInt(DATA + offset);
        if (register === 1 && form.rcx !== undefined) word &= form.rcx;
        view.setBigUint64(at + 16 + 8 * register, BigInt.asUintN(64, word), true);
      }
      view.setUint32(at + 144, (next() & 0x8d5) | 2, true);
      for (let i = 152; i < 312; i += 8)
        view.setBigUint64(at + i, BigInt.asUintN(64, value()), true);
      bytes[at + 312] = form.branch === true ? 1 : 0;
    }
  }
  return bytes;
}

/** Runs a record on the machine; its result as Unicorn's. */
function executed(executor: Executor, record: DataView, out: DataView): void {
  const { core, cpu } = executor;
  for (let register = 0; register < 16; register++) {
    core.set64(register, record.getBigUint64(16 + 8 * register, true));
  }
  core.flags.value = record.getUint32(144, true);
  for (let i = 0; i < 8; i++) core.xmm[i] = record.getInt32(152 + 4 * i, true);
  const memory = new Uint8Array(record.buffer, record.byteOffset + 184, MEMORY);
  cpu.write(va(DATA), memory);
  core.rip = va(CODE);
  // The state before may have ended in a handler, which is a HLT.
  core.halted = false;
  executor.step(1);
  const handler = core.rip - HANDLERS;
  const raised = handler >= 0 && handler < 0x200 ? handler >> 4 : -1;
  for (let register = 0; register < 16; register++) {
    out.setBigUint64(8 * register, core.get64(register), true);
  }
  out.setUint32(128, core.flags.value, true);
  out.setBigUint64(136, BigInt.asUintN(64, BigInt(core.rip)), true);
  for (let i = 0; i < 8; i++) out.setInt32(144 + 4 * i, core.xmm[i] ?? 0, true);
  cpu.read(va(DATA), new Uint8Array(out.buffer, out.byteOffset + 176, MEMORY));
  out.setBigInt64(304, BigInt(raised), true);
}

const hexOf = (bytes: readonly number[]): string => Buffer.from(bytes).toString('hex');

/** The differences of two results, as text. @param flags the flags that are compared. @param bits those of each general register. */
function compared(ours: DataView, theirs: DataView, flags: number, bits: number): string[] {
  const found: string[] = [];
  const raised = [ours, theirs].map((each) => Number(each.getBigInt64(304, true)));
  if (raised[0] !== raised[1]) return [`exception ${raised.join(' unicorn ')}`];
  // After an exception the state is that of the handler here, of the instruction there.
  if (raised[0] !== -1) return [];
  const words = (name: string, from: number, count: number, width = 64): void => {
    for (let i = 0; i < count; i++) {
      const [a, b] = [ours, theirs].map((each) =>
        BigInt.asUintN(width, each.getBigUint64(from + 8 * i, true)).toString(16),
      );
      if (a !== b) found.push(`${name}${String(i)} ${String(a)} unicorn ${String(b)}`);
    }
  };
  words('register ', 0, 16, bits);
  words('rip ', 136, 1);
  words('xmm ', 144, 4);
  words('memory ', 176, MEMORY / 8);
  const [a, b] = [ours, theirs].map((each) => each.getUint32(128, true) & flags);
  if (a !== b) found.push(`flags ${String(a?.toString(16))} unicorn ${String(b?.toString(16))}`);
  return found;
}

/** The flags to compare: some are defined only for a count of one. */
function flagsOf(form: InstructionForm, record: DataView): number {
  if (form.onlyByOne === undefined) return form.flags;
  // The count is the last byte of C0 and C1, CL of D2 and D3.
  const byCl = form.rcx !== undefined;
  const raw = byCl ? Number(record.getBigUint64(24, true) & 0xffn) : (form.code.at(-1) ?? 0);
  const wide = form.code[0] === 0x48;
  const count = raw & (wide ? 63 : 31);
  // A masked count of 0 changes nothing, so that all flags are defined.
  if (count === 0) return 0x8d5;
  return count === 1 ? form.flags | form.onlyByOne : form.flags;
}

/** Whether XMM0 and the source, XMM1 or memory at RBX + 8, are both NaNs. */
function twoNans({ code }: InstructionForm, record: DataView): boolean {
  const source = code.at(-1) === 0xc1 ? 168 : 184 + (POINTERS[3] ?? 0) + 8;
  return [152, source].every((at) => Number.isNaN(record.getFloat64(at, true)));
}

const MNEMONICS = [...new Set(FORMS.map(({ mnemonic }) => mnemonic))];
const GROUPS = Array.from({ length: Math.ceil(MNEMONICS.length / 10) }, (_, i) =>
  MNEMONICS.slice(10 * i, 10 * i + 10),
);

describe.each(GROUPS.map((names) => [names.join(', '), names] as const))('%s', (_title, names) => {
  const forms = FORMS.filter(({ mnemonic }) => names.includes(mnemonic));
  const perMnemonic = (name: string): number =>
    forms.filter(({ mnemonic }) => mnemonic === name).length;
  const least = Math.min(...names.map(perMnemonic));
  const states = Math.max(250, Math.ceil(STATES / least));
  const records = recordsOf(forms, states);
  const theirs = tool('/usr/bin/python3', ['test/live/unicorn-run.py'], records);

  test('give the same results as Unicorn', () => {
    expect(theirs.length).toBe((records.length / IN) * OUT);
    const m = machine();
    const executor = new Executor(m);
    const found = new Map<string, string>();
    const out = new DataView(new ArrayBuffer(OUT));
    for (const [f, form] of forms.entries()) {
      const padded = Uint8Array.from([...form.code, ...Array.from({ length: 16 }, () => 0xf4)]);
      m.dmaWrite(pa(CODE), padded);
      for (let s = 0; s < states; s++) {
        const index = f * states + s;
        const record = new DataView(records.buffer, records.byteOffset + index * IN, IN);
        const result = new DataView(theirs.buffer, theirs.byteOffset + index * OUT, OUT);
        if (form.oneNan === true && twoNans(form, record)) continue;
        executed(executor, record, out);
        const differences = compared(
          out,
          result,
          flagsOf(form, record),
          form.lowOnly === true && form.code[0] !== 0x48 ? 32 : 64,
        );
        if (differences.length > 0) {
          const what = differences.map((each) => each.split(' ')[0]).join(' ');
          found.set(`${form.mnemonic} ${hexOf(form.code)}: ${what}`, differences.join('; '));
        }
      }
    }
    expect([...found].slice(0, 40)).toEqual([]);
  });
});
