import { describe, expect, test } from '@jest/globals';
import { pa } from '../../../src/machine/address.js';
import {
  APIC_REGISTER,
  ICR,
  icrField,
  LOCAL_APIC_BASE,
  UNMODELLED_APIC_REGISTERS,
} from '../../../src/machine/devices/apic-registers.js';
import { LocalApic } from '../../../src/machine/devices/local-apic.js';
import { Clock } from '../../../src/machine/platform.js';
import {
  pciRequester,
  REQUESTER_CACHE,
  REQUESTER_PLATFORM,
} from '../../../src/machine/requester.js';

/** Three CPUs that log the operations on them. */
function apics(): { apic: LocalApic; log: string[] } {
  const log: string[] = [];
  const cpus = [0, 1, 2].map((id) => ({
    id,
    init: () => log.push(`${String(id)} init`),
    startup: (vector: number) => log.push(`${String(id)} startup ${vector.toString(16)}`),
  }));
  return { apic: new LocalApic(cpus), log };
}
function write(
  apic: LocalApic,
  register: number,
  value: number,
  { length = 4, from = 0 } = {},
): void {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setUint32(0, value, true);
  apic.mmioWrite(pa(LOCAL_APIC_BASE + register), data, 0, length, from);
}
function read(apic: LocalApic, register: number, from = 0): number {
  const out = new Uint8Array(4);
  apic.mmioRead(pa(LOCAL_APIC_BASE + register), out, 0, 4, from);
  return new DataView(out.buffer).getUint32(0, true);
}
function send(apic: LocalApic, to: number, low: number, from = 0): void {
  write(apic, APIC_REGISTER.ICR_HIGH, (to << 24) >>> 0, { from });
  write(apic, APIC_REGISTER.ICR_LOW, low, { from });
}

describe('local APIC registers', () => {
  test.each([
    ['ID', 0x20],
    ['VERSION', 0x30],
    ['TPR', 0x80],
    ['EOI', 0xb0],
    ['LDR', 0xd0],
    ['DFR', 0xe0],
    ['SPURIOUS', 0xf0],
    ['ESR', 0x280],
    ['ICR_LOW', 0x300],
    ['ICR_HIGH', 0x310],
  ] as const)('%s is at %p (APM table 16-2)', (name, offset) => {
    expect(APIC_REGISTER[name]).toBe(offset);
  });

  test('of each CPU are at the same address', () => {
    const { apic } = apics();
    for (const from of [0, 1, 2]) {
      expect(read(apic, APIC_REGISTER.ID, from)).toBe(from * 2 ** 24);
      write(apic, APIC_REGISTER.SPURIOUS, 0x100 + from, { from });
    }
    expect(read(apic, APIC_REGISTER.SPURIOUS, 1)).toBe(0x101);
  });

  test.each([
    ['a PCI function', pciRequester(0x0100)],
    ['a PCI function of the number of a CPU', pciRequester(1)],
    ['the cache', REQUESTER_CACHE],
    ['firmware', REQUESTER_PLATFORM],
  ])('are not accessible to %s', (_name, from) => {
    const { apic, log } = apics();
    const before = apic.snapshot();
    expect(read(apic, APIC_REGISTER.ID, from)).toBe(0xffff_ffff);
    send(apic, 1, 0xc500, from);
    expect(log).toEqual([]);
    expect(apic.snapshot()).toEqual(before);
  });

  test('ID and version cannot be written', () => {
    const { apic } = apics();
    const before = read(apic, APIC_REGISTER.VERSION);
    write(apic, APIC_REGISTER.VERSION, 0);
    write(apic, APIC_REGISTER.ID, 0xff00_0000);
    expect([read(apic, APIC_REGISTER.VERSION), read(apic, APIC_REGISTER.ID)]).toEqual([before, 0]);
  });

  test('other than 32 aligned bits read ones and write nothing', () => {
    const { apic } = apics();
    const out = new Uint8Array(8);
    apic.mmioRead(pa(LOCAL_APIC_BASE + APIC_REGISTER.ID), out, 0, 8, 0);
    expect([...out]).toEqual(new Array(8).fill(0xff));
    write(apic, APIC_REGISTER.SPURIOUS, 0x1ff, { length: 2 });
    expect(read(apic, APIC_REGISTER.SPURIOUS)).toBe(0xff);
    apic.mmioRead(pa(LOCAL_APIC_BASE + APIC_REGISTER.ID + 2), out, 0, 4, 0);
    expect(out[0]).toBe(0xff);
  });

  test.each(Object.entries(UNMODELLED_APIC_REGISTERS))(
    '%s at %p throws E_UNMODELLED with its name',
    (name, offset) => {
      expect(() => read(apics().apic, offset)).toThrow(name);
    },
  );

  test('all of them are restored from a snapshot', () => {
    const { apic } = apics();
    write(apic, APIC_REGISTER.SPURIOUS, 0x1ff, { from: 2 });
    const state = structuredClone(apic.snapshot());
    const other = apics();
    other.apic.restore(state);
    expect(read(other.apic, APIC_REGISTER.SPURIOUS, 2)).toBe(0x1ff);
    expect(read(other.apic, APIC_REGISTER.SPURIOUS)).toBe(0xff);
  });
});

describe('the interrupt command register', () => {
  test.each([
    ['VECTOR', 0x9a, 0x0000_069a],
    ['MESSAGE_TYPE', 6, 0x0000_069a],
    ['MESSAGE_TYPE', 5, 0x0000_c500],
    ['ASSERT', 1, 0x0000_c500],
    ['LEVEL_TRIGGERED', 1, 0x0000_8500],
    ['ASSERT', 0, 0x0000_8500],
    ['LOGICAL', 1, 0x0000_0800],
    ['SHORTHAND', 3, 0x000c_0000],
  ] as const)('has %s = %p in %p', (name, value, icr) => {
    expect(ICR[name]).toBeDefined();
    expect(icrField(icr, name)).toBe(value);
  });

  test.each([
    [1, 0xc500, ['1 init']],
    [1, 0x8500, []],
    [2, 0x0699, ['2 startup 99']],
    [3, 0x0699, []],
    [0xff, 0xc500, ['0 init', '1 init', '2 init']],
    [0, 0xc500 | (2 << 18), ['0 init', '1 init', '2 init']],
    [0, 0x06ff | (3 << 18), ['1 startup ff', '2 startup ff']],
    [2, 0x0600 | (1 << 18), ['0 startup 0']],
  ])('of CPU 0 with destination %p and low half %p has the effect %p', (to, low, done) => {
    const { apic, log } = apics();
    send(apic, to, low);
    expect(log).toEqual(done);
  });

  test('is relative to the CPU that writes it', () => {
    const { apic, log } = apics();
    send(apic, 0, 0xc500 | (3 << 18), 2);
    expect(log).toEqual(['0 init', '1 init']);
  });

  test.each([0x0000, 0x0100, 0x0200, 0x0400])(
    'type %p throws E_UNMODELLED without a platform',
    (low) => {
      expect(() => {
        send(apics().apic, 1, low);
      }).toThrow(/inter-processor interrupt/);
    },
  );

  test('of a remote read or SMI throws E_UNMODELLED with a platform too', () => {
    for (const low of [0x0200, 0x0300])
      expect(() => send(connected().apic, 1, low)).toThrow(/type/);
  });
});

/** APICs with a clock; what their CPUs' I/O APIC is told. */
function connected(): ReturnType<typeof apics> & { time: { now: number }; ended: number[] } {
  const made = apics();
  const time = { now: 0 };
  const ended: number[] = [];
  const clock = new Clock();
  clock.read = () => time.now;
  made.apic.connect({ clock, ended: (vector) => ended.push(vector) });
  return { ...made, time, ended };
}
const enable = (apic: LocalApic, ...cpus: number[]): void => {
  for (const from of cpus) write(apic, APIC_REGISTER.SPURIOUS, 0x1ff, { from });
};
/** The vectors in a bank of a CPU. */
function vectors(apic: LocalApic, bank: 'ISR' | 'TMR' | 'IRR', from = 0): number[] {
  const words = Array.from({ length: 8 }, (_, i) => read(apic, APIC_REGISTER[bank] + 16 * i, from));
  return Array.from({ length: 256 }, (_, v) => v).filter(
    (v) => (((words[v >> 5] ?? 0) >>> (v & 31)) & 1) !== 0,
  );
}

describe('after connect', () => {
  test('the boot processor is in virtual wire mode, the others are disabled (MPS 1.4, 3.6.2.2)', () => {
    const { apic } = connected();
    expect(read(apic, APIC_REGISTER.SPURIOUS)).toBe(0x1ff);
    expect(read(apic, APIC_REGISTER.LVT_LINT0)).toBe(0x700);
    expect(read(apic, APIC_REGISTER.LVT_LINT1)).toBe(0x400);
    expect([apic.of(0).passesExtInt, apic.of(1).passesExtInt]).toEqual([true, false]);
    expect(read(apic, APIC_REGISTER.SPURIOUS, 1)).toBe(0xff);
  });
});

describe('fixed interrupts (APM 16.5, 16.6)', () => {
  test.each([
    ['to one by its number', 2, 0x0041, [2]],
    ['to all by the number 0xff', 0xff, 0x0041, [0, 1, 2]],
    ['to itself', 0, 0x0041 | (1 << 18), [0]],
    ['to all others', 0, 0x0041 | (3 << 18), [1, 2]],
    ['to a logical destination of two', 0x06, 0x0841, [1, 2]],
  ])('%s', (_what, to, low, expected) => {
    const { apic } = connected();
    enable(apic, 0, 1, 2);
    for (const from of [0, 1, 2]) write(apic, APIC_REGISTER.LDR, 0x0100_0000 << from, { from });
    send(apic, to, low);
    expect([0, 1, 2].filter((cpu) => apic.of(cpu).pending === 0x41)).toEqual(expected);
  });

  test('to a logical destination of the cluster model: its number and bits', () => {
    const { apic } = connected();
    enable(apic, 0, 1, 2);
    for (const [from, ldr] of [0x01, 0x11, 0x12].entries()) {
      write(apic, APIC_REGISTER.DFR, 0, { from });
      write(apic, APIC_REGISTER.LDR, (ldr << 24) >>> 0, { from });
    }
    send(apic, 0x13, 0x0841);
    expect([0, 1, 2].map((cpu) => apic.of(cpu).pending)).toEqual([-1, 0x41, 0x41]);
  });

  test('of the lowest priority go to one: the lowest PPR, then the lowest number', () => {
    const { apic } = connected();
    enable(apic, 0, 1, 2);
    write(apic, APIC_REGISTER.TPR, 0x20, { from: 0 });
    send(apic, 0xff, 0x0151);
    expect([0, 1, 2].map((cpu) => apic.of(cpu).pending)).toEqual([-1, 0x51, -1]);
  });

  test('are taken by priority, and only above the class of the task and of that in service', () => {
    const { apic } = connected();
    const unit = apic.of(0);
    for (const vector of [0x41, 0x52, 0x45]) send(apic, 0, vector);
    expect(vectors(apic, 'IRR')).toEqual([0x41, 0x45, 0x52]);
    expect(unit.acknowledge()).toBe(0x52);
    expect([vectors(apic, 'IRR'), vectors(apic, 'ISR')]).toEqual([[0x41, 0x45], [0x52]]);
    expect([unit.pending, read(apic, APIC_REGISTER.PPR)]).toEqual([-1, 0x50]);
    send(apic, 0, 0x5f);
    expect(unit.pending).toBe(-1);
    send(apic, 0, 0x60);
    expect(unit.acknowledge()).toBe(0x60);
    write(apic, APIC_REGISTER.EOI, 0);
    expect(vectors(apic, 'ISR')).toEqual([0x52]);
    write(apic, APIC_REGISTER.EOI, 0);
    expect(unit.acknowledge()).toBe(0x5f);
    write(apic, APIC_REGISTER.EOI, 0);
    write(apic, APIC_REGISTER.TPR, 0x45);
    expect([unit.pending, read(apic, APIC_REGISTER.PPR)]).toEqual([-1, 0x45]);
    write(apic, APIC_REGISTER.TPR, 0x3f);
    expect(unit.pending).toBe(0x45);
  });

  test('without one that is pending the spurious vector is acknowledged, not in service', () => {
    const { apic } = connected();
    write(apic, APIC_REGISTER.SPURIOUS, 0x1f7);
    expect(apic.of(0).acknowledge()).toBe(0xf7);
    expect(vectors(apic, 'ISR')).toEqual([]);
  });

  test('do not arrive at an APIC that software has disabled; NMI, INIT and STARTUP do (APM 16.4.7)', () => {
    const { apic, log } = connected();
    send(apic, 1, 0x0041);
    expect(vectors(apic, 'IRR', 1)).toEqual([]);
    send(apic, 1, 0x0400);
    expect(apic.of(1).state.nmi).toBe(true);
    send(apic, 1, 0x0612);
    expect(log).toEqual(['1 startup 12']);
  });

  test('the end of a level-triggered one is told to the I/O APIC, of an edge not (APM 16.6.4)', () => {
    const { apic, ended } = connected();
    for (const [vector, level] of [
      [0x41, true],
      [0x42, false],
    ] as const) {
      apic.message({ type: 0, vector, level }, { to: 0, logical: false });
    }
    expect(vectors(apic, 'TMR')).toEqual([0x41]);
    for (const vector of [0x42, 0x41]) {
      expect(apic.of(0).acknowledge()).toBe(vector);
      write(apic, APIC_REGISTER.EOI, 0);
    }
    expect(ended).toEqual([0x41]);
  });

  test('INIT resets the APIC of its target', () => {
    const { apic, log } = connected();
    enable(apic, 1);
    send(apic, 1, 0x0041);
    send(apic, 1, 0xc500);
    expect(log).toEqual(['1 init']);
    expect([read(apic, APIC_REGISTER.SPURIOUS, 1), vectors(apic, 'IRR', 1)]).toEqual([0xff, []]);
  });
});

describe('errors (APM 16.4.6)', () => {
  const errorOf = (apic: LocalApic): number => {
    write(apic, APIC_REGISTER.ESR, 0);
    return read(apic, APIC_REGISTER.ESR);
  };
  test.each([
    ['an illegal vector sent', (apic: LocalApic) => send(apic, 0, 0x0f), 0x20],
    ['a message that no APIC accepts', (apic: LocalApic) => send(apic, 9, 0x41), 0x04],
    ['a register that there is not, read', (apic: LocalApic) => read(apic, 0x40), 0x80],
    ['one written', (apic: LocalApic) => write(apic, 0x3a0, 0), 0x80],
  ] as const)('%s', (_what, act, bit) => {
    const { apic } = connected();
    expect(errorOf(apic)).toBe(0);
    act(apic);
    expect(read(apic, APIC_REGISTER.ESR)).toBe(0);
    expect(errorOf(apic)).toBe(bit);
    expect(errorOf(apic)).toBe(0);
  });

  test('raise the interrupt of their LVT entry', () => {
    const { apic } = connected();
    write(apic, APIC_REGISTER.LVT_ERROR, 0xfe);
    read(apic, 0x40);
    expect(apic.of(0).pending).toBe(0xfe);
  });
});

describe('the local vector table (APM 16.4)', () => {
  test.each([
    ['LVT_TIMER', 0x3_00ff],
    ['LVT_THERMAL', 0x1_07ff],
    ['LVT_PERFORMANCE', 0x1_07ff],
    ['LVT_LINT0', 0x1_87ff],
    ['LVT_LINT1', 0x1_87ff],
    ['LVT_ERROR', 0x1_07ff],
  ] as const)('%s has the bits %p', (name, bits) => {
    const { apic } = connected();
    write(apic, APIC_REGISTER[name], 0xffff_ffff);
    expect(read(apic, APIC_REGISTER[name])).toBe(bits);
  });

  test('is masked while software has disabled the APIC', () => {
    const { apic } = connected();
    write(apic, APIC_REGISTER.SPURIOUS, 0xff);
    expect(read(apic, APIC_REGISTER.LVT_LINT0)).toBe(0x1_0700);
    write(apic, APIC_REGISTER.LVT_TIMER, 0x30);
    expect(read(apic, APIC_REGISTER.LVT_TIMER)).toBe(0x1_0030);
  });
});

describe('the timer of a local APIC', () => {
  test('interrupts once when its count is 0, and shows the count until then', () => {
    const { apic, time } = connected();
    const unit = apic.of(0);
    time.now = 1000;
    write(apic, APIC_REGISTER.TIMER_DIVIDE, 0x3);
    write(apic, APIC_REGISTER.LVT_TIMER, 0x31);
    write(apic, APIC_REGISTER.TIMER_INITIAL_COUNT, 10);
    expect(unit.nextEvent()).toBe(1160);
    for (const [now, count] of [
      [1000, 10],
      [1015, 10],
      [1016, 9],
      [1159, 1],
    ] as const) {
      time.now = now;
      expect(read(apic, APIC_REGISTER.TIMER_CURRENT_COUNT)).toBe(count);
    }
    expect(unit.pending).toBe(-1);
    unit.advance((time.now = 1160));
    expect([unit.pending, unit.nextEvent()]).toEqual([0x31, Infinity]);
    expect(read(apic, APIC_REGISTER.TIMER_CURRENT_COUNT)).toBe(0);
    expect(read(apic, APIC_REGISTER.TIMER_INITIAL_COUNT)).toBe(10);
  });

  test('is periodic by its LVT entry', () => {
    const { apic, time } = connected();
    const unit = apic.of(0);
    write(apic, APIC_REGISTER.TIMER_DIVIDE, 0xb);
    write(apic, APIC_REGISTER.LVT_TIMER, 0x2_0031);
    write(apic, APIC_REGISTER.TIMER_INITIAL_COUNT, 100);
    unit.advance((time.now = 100));
    expect(unit.acknowledge()).toBe(0x31);
    expect(unit.nextEvent()).toBe(200);
    unit.advance((time.now = 450));
    expect([unit.nextEvent(), read(apic, APIC_REGISTER.TIMER_CURRENT_COUNT)]).toEqual([500, 50]);
  });

  test('has no event while it is masked, and none after a count of 0', () => {
    const { apic } = connected();
    write(apic, APIC_REGISTER.TIMER_INITIAL_COUNT, 100);
    expect(apic.of(0).nextEvent()).toBe(Infinity);
    write(apic, APIC_REGISTER.LVT_TIMER, 0x31);
    expect(apic.of(0).nextEvent()).toBe(200);
    write(apic, APIC_REGISTER.TIMER_INITIAL_COUNT, 0);
    expect(apic.of(0).nextEvent()).toBe(Infinity);
  });

  test('is in snapshots, with requests and the vector table', () => {
    const { apic } = connected();
    write(apic, APIC_REGISTER.LVT_TIMER, 0x31);
    write(apic, APIC_REGISTER.TIMER_INITIAL_COUNT, 100);
    send(apic, 0, 0x0041);
    const other = connected();
    other.apic.restore(structuredClone(apic.snapshot()));
    expect(other.apic.snapshot()).toEqual(apic.snapshot());
    expect([other.apic.of(0).nextEvent(), other.apic.of(0).pending]).toEqual([200, 0x41]);
  });
});
