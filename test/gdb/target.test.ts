import { beforeEach, expect, test } from '@jest/globals';
import { SIGNAL, Target, type Stop } from '../../src/gdb/target.js';
import { makeGate } from '../../src/machine/cpu/idt.js';
import { pa, va } from '../../src/machine/address.js';
import type { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { at, guest, STACK } from './guest.js';

let boot: ExecutedBoot;
let target: Target;
beforeEach(() => {
  boot = guest();
  target = new Target(boot);
});

/** Runs until something stops it. */
function run(first = true): Stop {
  for (let slice = 0; slice < 100; slice++) {
    const stop = target.slice(first && slice === 0);
    if (stop !== null) return stop;
  }
  throw new Error('it does not stop');
}

test('a step of an instruction that faults ends at the first instruction of its handler', () => {
  const IDT = 0x1b0_0000;
  boot.machine.dmaWrite(
    pa(IDT + 6 * 16),
    new Uint8Array(BigUint64Array.from(makeGate(va(at('spin')), 0x10)).buffer),
  );
  const { core, cpu } = boot.executor;
  cpu.lidt(va(IDT), 0xfff);
  core.rip = va(at('triple') + 8);
  core.setNumber(4, STACK);
  const { instructions } = boot.executor;
  expect(target.step()).toEqual({ signal: SIGNAL.TRAP });
  expect(core.rip).toBe(at('spin'));
  expect(boot.executor.instructions).toBe(instructions);
});

test('a breakpoint at the first instruction stops the second time it is reached', () => {
  boot.executor.core.rip = va(at('spin'));
  target.hardware.add(at('spin'));
  expect(run()).toEqual({ signal: SIGNAL.TRAP, reason: 'hwbreak' });
  expect(boot.executor.instructions).toBe(1);
});

test('a breakpoint where a slice ends stops, and a step from it goes on', () => {
  target.software.add(at('store_value'));
  expect(run(false)).toEqual({ signal: SIGNAL.TRAP, reason: 'swbreak' });
  expect(target.slice(false)).toEqual({ signal: SIGNAL.TRAP, reason: 'swbreak' });
  expect(target.rip).toBe(at('store_value'));
  expect(target.step()).toEqual({ signal: SIGNAL.TRAP });
  expect(target.rip).toBe(at('store_value') + 10);
});

test('a breakpoint that is set in code that has run often, and code that is changed there', () => {
  // A loop of two instructions: inc rcx; jmp back.
  const LOOP = 0x1c0_0000;
  boot.machine.dmaWrite(pa(LOOP), Uint8Array.of(0x48, 0xff, 0xc1, 0xeb, 0xfb));
  const { core } = boot.executor;
  core.rip = va(LOOP);
  for (let slice = 0; slice < 3; slice++) expect(target.slice(slice === 0)).toBeNull();
  target.hardware.add(LOOP + 3);
  expect(run(false)).toEqual({ signal: SIGNAL.TRAP, reason: 'hwbreak' });
  expect(target.rip).toBe(LOOP + 3);
  target.hardware.clear();
  expect(target.slice(true)).toBeNull();
  // The jump becomes HLT.
  boot.machine.dmaWrite(pa(LOOP + 3), Uint8Array.of(0xf4));
  expect(run(false)).toMatchObject({ signal: SIGNAL.STOP });
});

test('after the end nothing is executed', () => {
  expect(run()).toMatchObject({ signal: SIGNAL.STOP });
  const { instructions } = boot.executor;
  expect(target.step()).toMatchObject({ signal: SIGNAL.STOP });
  expect(boot.executor.instructions).toBe(instructions);
});

test('the CPU of the machine has the registers of the stop', () => {
  target.software.add(at('count'));
  run();
  expect([boot.machine.cpus[0].rip, boot.machine.cpus[0].rsp]).toEqual([at('count'), STACK - 8]);
});
