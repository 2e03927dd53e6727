/** Several CPUs: INIT and STARTUP, turns, interrupts between them, code that another one changes; the local APIC's timer. */
import { describe, expect, test } from '@jest/globals';
import { APIC_REGISTER } from '../../src/machine/devices/apic-registers.js';
import { TURN } from '../../src/x86/processors.js';
import { TSC_PER_INSTRUCTION } from '../../src/x86/system.js';
import { machineDigest } from '../machine-digest.js';
import { BOOT_CODE, HANDLERS, MARKS, SECOND_CODE, START_SECOND, TwoCpus } from './two-cpus.js';

const [COUNT_A, COUNT_B] = [0x8f20, 0x8f24];
/** incl COUNT_A; jmp back. */
const LOOP_A = 'ff0425208f0000 ebf7';
const LOOP_B = 'ff0425248f0000 ebf7';
/** sti; hlt; cli. */
const WAIT = 'fb f4 fa';
/** mov $0xfee00000,%ebx */
const APIC = 'bb0000e0fe';
/** movl $0x1ff,0xf0(%rbx); movl $0,0x310(%rbx); movl $0x30,0x300(%rbx): vector 0x30 to CPU 0. */
const CALL_BOOT = `${APIC} c783f0000000 ff010000 c78310030000 00000000 c78300030000 30000000`;

const marks = (it: TwoCpus): number[] =>
  [MARKS.real, MARKS.protected, MARKS.long].map((at) => it.read(at));

describe('INIT and STARTUP', () => {
  test('start the other CPU in real mode, from where it comes to 64-bit mode and interrupts the first', () => {
    const it = new TwoCpus(`${START_SECOND} ${WAIT}`, CALL_BOOT);
    expect(it.executor.run({ maxInstructions: 1000 })).toEqual({
      kind: 'halt',
      at: HANDLERS + 64 * 0x30 + 1,
    });
    expect(marks(it)).toEqual([0x1234, 0x5678, 0xabcd]);
    expect(it.machine.cpus[1]).toMatchObject({ mode: '64-bit', rip: SECOND_CODE + 0x24 });
  });

  test('without a STARTUP the other CPU executes nothing', () => {
    const it = new TwoCpus('');
    expect(it.executor.run({ maxInstructions: 1000 })).toEqual({ kind: 'halt', at: BOOT_CODE + 1 });
    expect([it.executor.instructions, marks(it)[0]]).toEqual([1, 0]);
  });

  test('INIT takes a CPU back, and a second STARTUP begins again', () => {
    // pause, so that the second comes to its HLT; movl $0,0x8f08; movl $0,0x8f04; INIT and STARTUP again.
    const clear = 'c70425088f0000 00000000 c70425048f0000 00000000';
    const it = new TwoCpus(`${START_SECOND} f390 8b0425088f0000 ${clear} ${START_SECOND}`);
    it.executor.run({ maxInstructions: 1000 });
    expect(it.executor.coreOf(0)?.unsigned(0)).toBe(0xabcd);
    expect(marks(it)).toEqual([0x1234, 0x5678, 0xabcd]);
  });
});

describe('turns', () => {
  test('have a fixed number of instructions while both CPUs execute', () => {
    const it = new TwoCpus(`${START_SECOND} ${LOOP_A}`, LOOP_B);
    it.executor.run({ maxInstructions: 20 * TURN });
    expect(it.executor.instructions).toBe(20 * TURN);
    const [a, b] = [it.read(COUNT_A), it.read(COUNT_B)];
    expect(Math.abs(a - b)).toBeLessThan(50);
    expect(a + b).toBeGreaterThan(10 * TURN - 50);
  });

  test('of a CPU whose other one waits never end', () => {
    const it = new TwoCpus(`${START_SECOND} ${LOOP_A}`, 'f4');
    it.executor.run({ maxInstructions: 20 * TURN });
    expect(it.read(COUNT_A)).toBeGreaterThan(10 * TURN - 50);
  });

  test('end at PAUSE', () => {
    const it = new TwoCpus(`${START_SECOND} f390 ff0425208f0000 ebf5`, LOOP_B);
    it.executor.run({ maxInstructions: 20 * TURN });
    expect(it.read(COUNT_A)).toBeLessThan(40);
    expect(it.read(COUNT_B)).toBeGreaterThan(9 * TURN);
  });

  test('share virtual time: both see one time-stamp counter', () => {
    // Both: rdtsc; mov %eax,COUNT; the second then halts, the first waits for it with HLT.
    const it = new TwoCpus(`${START_SECOND} ${WAIT} 0f31`, `0f31 890425248f0000 ${CALL_BOOT}`);
    it.write(HANDLERS + 64 * 0x30, '48cf');
    it.executor.run({ maxInstructions: 1000 });
    const after = it.executor.coreOf(0)?.unsigned(0) ?? 0;
    expect(after).toBeGreaterThan(it.read(COUNT_B));
    // The HLT of CPU 1 may be executed before CPU 0 goes on: one more instruction.
    expect(after).toBeLessThanOrEqual((it.executor.instructions + 2) * TSC_PER_INSTRUCTION);
  });
});

describe('a run of two CPUs is deterministic', () => {
  const CODE = [`${START_SECOND} ${LOOP_A}`, `f390 ${LOOP_B}`] as const;
  const END = 3 * TURN + 777;
  // The time up to which the 8254 was asked is no state that software sees: devices are compared by the snapshot's test.
  const digest = ({ machine, executor }: TwoCpus): unknown => [
    { ...machineDigest(machine), devices: '' },
    executor.snapshot().core,
    executor.snapshot().turn?.others.map(({ core }) => core),
  ];
  const whole = (): unknown => {
    const it = new TwoCpus(...CODE);
    it.executor.run({ maxInstructions: END });
    return digest(it);
  };

  test('twice', () => {
    expect(whole()).toEqual(whole());
  });

  test('in pieces of any size', () => {
    const it = new TwoCpus(...CODE);
    while (it.executor.instructions < END) {
      const left = END - it.executor.instructions;
      it.executor.run({ maxInstructions: Math.min(left, 97) });
    }
    expect(digest(it)).toEqual(whole());
  });

  test('from a snapshot in the middle', () => {
    const it = new TwoCpus(...CODE);
    it.executor.run({ maxInstructions: TURN + 500 });
    const [machine, executor] = structuredClone([it.machine.snapshot(), it.executor.snapshot()]);
    const other = new TwoCpus(...CODE);
    other.machine.restore(machine);
    other.executor.restore(executor);
    other.executor.run({ maxInstructions: END - other.executor.instructions });
    expect(digest(other)).toEqual(whole());
  });

  test('with and without direct accesses', () => {
    const it = new TwoCpus(...CODE, { direct: false });
    it.executor.run({ maxInstructions: END });
    expect(digest(it)).toEqual(whole());
  });
});

test('code that one CPU changes is executed by the other as it then is', () => {
  // Second: call *%rsi until it returns 2. Boot: a loop, then a store of 2 into the function, then HLT.
  const it = new TwoCpus(
    `${START_SECOND} b9 08000000 f390 ffc9 75fa c70425 01001500 02000000`,
    'be00001500 bc00001600 ffd6 83f802 75f9',
  );
  it.write(0x15_0000, 'b801000000 c3');
  expect(it.executor.run({ maxInstructions: 1_000_000 }).kind).toBe('halt');
  expect(it.executor.coreOf(1)?.unsigned(0)).toBe(2);
  expect(it.executor.coreOf(1)?.halted).toBe(true);
});

describe('the local APIC of a CPU that executes', () => {
  test("its timer's interrupt ends HLT at the exact time", () => {
    // movl $0xb,0x3e0(%rbx): divide by 1; movl $0x30,0x320(%rbx); movl $1000,0x380(%rbx); sti; hlt. Handler: rdtsc; hlt.
    const it = new TwoCpus(
      `${APIC} c783e0030000 0b000000 c78320030000 30000000 c78380030000 e8030000 ${WAIT}`,
    );
    it.write(HANDLERS + 64 * 0x30, '0f31 f4');
    it.executor.run();
    // It was started by the fourth instruction, at time 3.
    expect(it.executor.core.unsigned(0)).toBe((3 + 1000) * TSC_PER_INSTRUCTION);
  });

  test.each([true, false])(
    'its count is that of the instruction which reads it (direct: %p)',
    (direct) => {
      // movl $0xb,0x3e0(%rbx); movl $1000,0x380(%rbx); nop; nop; nop; mov 0x390(%rbx),%ecx
      const it = new TwoCpus(
        `${APIC} c783e0030000 0b000000 c78380030000 e8030000 909090 8b8b90030000`,
        'f4',
        { direct },
      );
      it.executor.run();
      expect(it.executor.core.unsigned(1)).toBe(996);
      expect(it.executor.instructions).toBe(8);
    },
  );

  test('CR8 is bits 7:4 of its task priority (APM vol. 2, 16.6.4)', () => {
    // mov $5,%eax; mov %rax,%cr8; mov 0x80(%rbx),%ecx; movl $0x70,0x80(%rbx); mov %cr8,%rdx
    const it = new TwoCpus(
      `b805000000 440f22c0 ${APIC} 8b8b80000000 c78380000000 70000000 440f20c2`,
    );
    it.executor.run();
    expect([it.executor.core.unsigned(1), it.executor.core.unsigned(2)]).toEqual([0x50, 7]);
  });

  test('a request waits for the task priority to fall', () => {
    // movl $0x40,0x80(%rbx); IPI 0x30 to itself; sti; nop; mov $1,%eax; movl $0,0x80(%rbx); nop; mov $2,%eax
    const it = new TwoCpus(
      `${APIC} c78380000000 40000000 c78300030000 30000400 fb 90 b801000000 c78380000000 00000000 90 b802000000`,
    );
    it.executor.run();
    expect(it.executor.core.unsigned(0)).toBe(1);
    expect(it.executor.core.rip).toBe(HANDLERS + 64 * 0x30 + 1);
  });

  test('an NMI comes with IF clear, and the next one after IRET (APM vol. 2, 8.2.3)', () => {
    // An NMI to itself; mov $7,%eax. Handler: until EDI is 3, an NMI to itself again; inc %edi; iretq.
    const nmi = `${APIC} c78300030000 00040400`;
    const it = new TwoCpus(`${nmi} b807000000`);
    it.write(HANDLERS + 64 * 2, `ffc7 83ff03 730f ${nmi} 89f8 48cf`);
    it.executor.run();
    const { core } = it.executor;
    expect([core.unsigned(7), core.unsigned(0), core.rip]).toEqual([3, 7, BOOT_CODE + 21]);
  });

  test('at a register that is not modelled the run ends by its name', () => {
    const it = new TwoCpus(`${APIC} 8b8b90000000`);
    expect(it.executor.run()).toMatchObject({
      kind: 'not-modelled',
      what: 'APIC ARBITRATION_PRIORITY',
      at: BOOT_CODE + 5,
    });
    expect(APIC_REGISTER.PPR).toBe(0xa0);
  });
});
