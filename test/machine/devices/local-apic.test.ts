import { describe, expect, test } from '@jest/globals';
import { pa } from '../../../src/machine/address.js';
import {
  APIC_REGISTER,
  ICR,
  icrField,
  LOCAL_APIC_BASE,
  LocalApic,
  UNMODELLED_APIC_REGISTERS,
} from '../../../src/machine/devices/local-apic.js';
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

  test.each([0x0000, 0x0100, 0x0200, 0x0400])('type %p throws E_UNMODELLED', (low) => {
    expect(() => {
      send(apics().apic, 1, low);
    }).toThrow(/inter-processor interrupt/);
  });

  test('throws E_UNMODELLED for a logical destination', () => {
    expect(() => {
      send(apics().apic, 1, 0xcd00);
    }).toThrow(/logical/);
  });
});
