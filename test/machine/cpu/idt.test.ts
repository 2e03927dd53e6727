/** The stacks of handlers: the interrupt-stack table and RSP0 of a TSS (APM vol. 2, 8.9.3, 8.9.4). */
import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../../src/machine/address.js';
import { makeGate } from '../../../src/machine/cpu/idt.js';
import type { Machine } from '../../../src/machine/machine.js';
import { machine, STACK } from '../../x86/program.js';

const IDT = 0x12_0000;
const TSS = 0x13_0000;
const IST3 = 0x19_0008;
const RSP0 = 0x1a_0000;
const HANDLER = 0x11_0000;
const UD = { vector: 6, error: 0, why: 'test' } as const;

/** A machine with a TSS; #UD has a gate with the third entry of its interrupt-stack table, or with none. */
function withTss(ist: bigint, limit = 0x67): Machine {
  const m = machine();
  const [low, high] = makeGate(va(HANDLER), 0x10);
  const gate = BigUint64Array.of(low | (ist << 32n), high);
  m.dmaWrite(pa(IDT + 6 * 16), new Uint8Array(gate.buffer));
  const tss = new DataView(new ArrayBuffer(0x68));
  tss.setBigUint64(4, BigInt(RSP0), true);
  tss.setBigUint64(0x24 + 2 * 8, BigInt(IST3), true);
  m.dmaWrite(pa(TSS), new Uint8Array(tss.buffer));
  const cpu = m.cpus[0];
  cpu.rsp = va(STACK);
  cpu.tr = { selector: 0x40, base: va(TSS), limit };
  return m;
}

describe('the stack of a handler', () => {
  test('is that of the gate, aligned to 16 bytes, with the old RSP in the frame', () => {
    const cpu = withTss(3n).cpus[0];
    expect(cpu.deliver(UD)).toMatchObject({ handler: HANDLER });
    expect(cpu.rsp).toBe(IST3 - 8 - 5 * 8);
    expect(cpu.loadU64(va(cpu.rsp + 3 * 8))).toBe(BigInt(STACK));
  });

  test('is RSP where the gate has none and CPL does not change', () => {
    const cpu = withTss(0n).cpus[0];
    cpu.deliver(UD);
    expect(cpu.rsp).toBe(STACK - 5 * 8);
  });

  test('is RSP0 of the TSS from CPL 3', () => {
    const cpu = withTss(0n).cpus[0];
    cpu.cpl = 3;
    cpu.deliver(UD);
    expect([cpu.rsp, cpu.cpl, cpu.ss]).toEqual([RSP0 - 5 * 8, 0, 0]);
  });

  test('is a #TS where the TSS is too short for it', () => {
    const m = withTss(3n, 0x2b);
    const cpu = m.cpus[0];
    // The gate of #TS has no stack of its own: it is entered on RSP.
    expect(cpu.deliver(UD)).toMatchObject({ fault: { vector: 10 } });
  });

  test('of the table is not modelled before LTR', () => {
    const cpu = withTss(3n, 0).cpus[0];
    expect(() => cpu.deliver(UD)).toThrow('the interrupt-stack table of a gate');
  });

  test('is the same after a snapshot is restored', () => {
    const [from, to] = [withTss(3n), withTss(3n, 0)];
    to.restore(from.snapshot());
    to.cpus[0].deliver(UD);
    expect(to.cpus[0].rsp).toBe(IST3 - 8 - 5 * 8);
  });
});
