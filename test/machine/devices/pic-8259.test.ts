/** The 8259A pair, with the initialization and the commands of the data sheet; pic-controller.ts too. */
import { describe, expect, test } from '@jest/globals';
import { Pic8259, PIC_PORTS } from '../../../src/machine/devices/pic-8259.js';

const FIRST = PIC_PORTS.FIRST;
const SECOND = PIC_PORTS.SECOND;
const EOI = 0x20;

/** Initialized with vectors 0x30 and 0x38, nothing masked. @param icw4 of both. */
function ready(icw4 = 1): Pic8259 {
  const pic = new Pic8259();
  for (const [port, base, wiring] of [
    [FIRST, 0x30, 4],
    [SECOND, 0x38, 2],
  ] as const) {
    pic.portOut(port, 0x11, 1);
    pic.portOut(port + 1, base, 1);
    pic.portOut(port + 1, wiring, 1);
    pic.portOut(port + 1, icw4, 1);
  }
  return pic;
}
const command = (pic: Pic8259, byte: number, port: number = FIRST): void =>
  pic.portOut(port, byte, 1);
const isr = (pic: Pic8259, port: number = FIRST): number => {
  command(pic, 0x0b, port);
  return pic.portIn(port, 1);
};
const irr = (pic: Pic8259, port: number = FIRST): number => {
  command(pic, 0x0a, port);
  return pic.portIn(port, 1);
};

describe('an 8259A', () => {
  test('has the mask that was written, and a cleared one after ICW1', () => {
    const pic = new Pic8259();
    expect(pic.portIn(FIRST + 1, 1)).toBe(0xff);
    pic.portOut(FIRST + 1, 0xa5, 1);
    expect(pic.portIn(FIRST + 1, 1)).toBe(0xa5);
    expect(ready().portIn(FIRST + 1, 1)).toBe(0);
  });

  test('gives the vector of ICW2 with the input, which is then in service', () => {
    const pic = ready();
    pic.setLine(4, true);
    expect([pic.requested, irr(pic), isr(pic)]).toEqual([true, 0x10, 0]);
    expect(pic.acknowledge()).toBe(0x34);
    expect([pic.requested, irr(pic), isr(pic)]).toEqual([false, 0, 0x10]);
  });

  test('does not ask for a masked input until it is unmasked', () => {
    const pic = ready();
    pic.portOut(FIRST + 1, 0x10, 1);
    pic.setLine(4, true);
    expect(pic.requested).toBe(false);
    pic.portOut(FIRST + 1, 0, 1);
    expect(pic.requested).toBe(true);
  });

  test('takes one request from an edge, whatever the level is afterwards', () => {
    const pic = ready();
    pic.setLine(4, true);
    pic.acknowledge();
    command(pic, EOI);
    expect(pic.requested).toBe(false);
    pic.setLine(4, true);
    expect(pic.requested).toBe(false);
    pic.setLine(4, false);
    pic.setLine(4, true);
    expect(pic.requested).toBe(true);
  });

  test('gives input 7, not in service, where the request has gone before the acknowledge', () => {
    const pic = ready();
    pic.setLine(4, true);
    pic.setLine(4, false);
    expect(pic.requested).toBe(false);
    expect(pic.acknowledge()).toBe(0x37);
    expect(isr(pic)).toBe(0);
  });

  test('lets a higher input interrupt one in service, and no lower or equal one', () => {
    const pic = ready();
    pic.request(4);
    pic.acknowledge();
    pic.request(4);
    pic.request(5);
    expect(pic.requested).toBe(false);
    pic.request(3);
    expect(pic.acknowledge()).toBe(0x33);
    command(pic, EOI);
    expect([isr(pic), pic.requested]).toEqual([0x10, false]);
    command(pic, EOI);
    expect(pic.acknowledge()).toBe(0x34);
  });

  test('ends the service of the input that a specific EOI names', () => {
    const pic = ready();
    for (const input of [4, 3]) {
      pic.request(input);
      pic.acknowledge();
    }
    command(pic, 0x60 | 4);
    expect(isr(pic)).toBe(0x08);
  });

  test('with automatic EOI answers the second request of the second one after its first', () => {
    const pic = ready(3);
    pic.request(8);
    pic.request(14);
    expect([pic.acknowledge(), pic.requested, pic.acknowledge()]).toEqual([0x38, true, 0x3e]);
    expect(pic.requested).toBe(false);
  });

  test('has nothing in service with automatic EOI', () => {
    const pic = ready(3);
    pic.request(4);
    expect(pic.acknowledge()).toBe(0x34);
    expect(isr(pic)).toBe(0);
  });

  test('rotates: the input of an EOI with rotation gets the lowest priority', () => {
    const pic = ready();
    pic.request(0);
    pic.acknowledge();
    command(pic, 0xa0);
    pic.request(0);
    pic.request(1);
    expect(pic.acknowledge()).toBe(0x31);
  });

  test('lets inputs below a masked one in service through in special mask mode', () => {
    const pic = ready();
    pic.request(1);
    pic.acknowledge();
    pic.request(5);
    command(pic, 0x68);
    expect(pic.requested).toBe(false);
    pic.portOut(FIRST + 1, 0x02, 1);
    expect(pic.acknowledge()).toBe(0x35);
  });

  test('answers a poll with the input, as an acknowledge', () => {
    const pic = ready();
    pic.request(6);
    command(pic, 0x0c);
    expect(pic.portIn(FIRST, 1)).toBe(0x86);
    expect(isr(pic)).toBe(0x40);
    command(pic, 0x0c);
    expect(pic.portIn(FIRST, 1)).toBe(0);
  });

  test.each([
    ['ICW1.LTIM', [0x19]],
    ['ICW1.SNGL', [0x13]],
  ] as const)('%s is not modelled', (name, [byte]) => {
    expect(() => command(new Pic8259(), byte)).toThrow(name);
  });

  test.each([
    ['ICW3', 0x08, 1],
    ['ICW4.uPM', 0x04, 0],
    ['ICW4.SFNM', 0x04, 0x11],
  ] as const)('%s of another machine is not modelled', (name, wiring, icw4) => {
    const pic = new Pic8259();
    command(pic, 0x11);
    pic.portOut(FIRST + 1, 0x30, 1);
    expect(() => {
      pic.portOut(FIRST + 1, wiring, 1);
      pic.portOut(FIRST + 1, icw4, 1);
    }).toThrow(name);
  });
});

describe('the second 8259A', () => {
  test('asks by input 2 of the first, and gives its own vector', () => {
    const pic = ready();
    pic.request(8);
    expect([pic.requested, irr(pic)]).toEqual([true, 0x04]);
    expect(pic.acknowledge()).toBe(0x38);
    expect([isr(pic), isr(pic, SECOND)]).toEqual([0x04, 0x01]);
  });

  test('needs an EOI of each before a lower input of it asks again', () => {
    const pic = ready();
    pic.request(9);
    pic.acknowledge();
    pic.request(10);
    command(pic, EOI, SECOND);
    expect(pic.requested).toBe(false);
    command(pic, EOI);
    expect(pic.acknowledge()).toBe(0x3a);
  });

  test('is masked by input 2 of the first', () => {
    const pic = ready();
    pic.portOut(FIRST + 1, 0x04, 1);
    pic.request(12);
    expect(pic.requested).toBe(false);
  });

  test('has input 2 of the first for itself', () => {
    expect(() => ready().request(2)).toThrow('input 2');
  });
});

test('the pair has the same state after a snapshot is restored', () => {
  const pic = ready();
  pic.request(3);
  pic.acknowledge();
  pic.request(9);
  const other = new Pic8259();
  other.restore(structuredClone(pic.snapshot()));
  expect(other.snapshot()).toEqual(pic.snapshot());
  command(other, EOI);
  expect(other.acknowledge()).toBe(0x39);
  expect(() => other.restore({})).toThrow('E_SNAPSHOT');
});
