/** The attribute controller and the DAC, by rule. */
import { describe, expect, test } from '@jest/globals';
import { VgaAdapter } from '../../../src/machine/devices/vga.js';

const [ATTRIBUTE, ATTRIBUTE_READ, MASK, READ_INDEX, WRITE_INDEX, COLOUR, STATUS] = [
  0x3c0, 0x3c1, 0x3c6, 0x3c7, 0x3c8, 0x3c9, 0x3da,
];

describe('the attribute controller', () => {
  test('takes an index, then data, at one port; input status 1 makes the next write an index', () => {
    const vga = new VgaAdapter();
    vga.portIn(STATUS, 1);
    vga.portOut(ATTRIBUTE, 3, 1);
    vga.portOut(ATTRIBUTE, 0x2a, 1);
    vga.portOut(ATTRIBUTE, 4, 1);
    // Without this the next write would be the data of register 4.
    vga.portIn(STATUS, 1);
    vga.portOut(ATTRIBUTE, 0x23, 1);
    expect(vga.portIn(ATTRIBUTE, 1)).toBe(0x23);
    expect(vga.portIn(ATTRIBUTE_READ, 1)).toBe(0x2a);
    vga.portIn(STATUS, 1);
    vga.portOut(ATTRIBUTE, 4, 1);
    expect(vga.portIn(ATTRIBUTE_READ, 1)).toBe(0);
  });

  test('has registers up to 14h', () => {
    const vga = new VgaAdapter();
    for (const index of [0x14, 0x15, 0x1f]) {
      vga.portIn(STATUS, 1);
      vga.portOut(ATTRIBUTE, index, 1);
      vga.portOut(ATTRIBUTE, 7, 1);
      expect([index, vga.portIn(ATTRIBUTE_READ, 1)]).toEqual([index, index === 0x14 ? 7 : 0]);
    }
  });
});

test('input status 1 shows a retrace at every other read', () => {
  const vga = new VgaAdapter();
  expect(Array.from({ length: 4 }, () => vga.portIn(STATUS, 1))).toEqual([9, 0, 9, 0]);
});

describe('the DAC', () => {
  const colour = (vga: VgaAdapter): number[] =>
    Array.from({ length: 3 }, () => vga.portIn(COLOUR, 1));

  test('takes and gives red, green and blue of 6 bits, colour after colour', () => {
    const vga = new VgaAdapter();
    vga.portOut(WRITE_INDEX, 254, 1);
    expect(vga.portIn(READ_INDEX, 1)).toBe(0);
    for (let value = 1; value <= 9; value++) vga.portOut(COLOUR, value * 31, 1);
    vga.portOut(READ_INDEX, 254, 1);
    expect(vga.portIn(READ_INDEX, 1)).toBe(3);
    expect(colour(vga)).toEqual([31, 62, 93 & 63]);
    expect(vga.portIn(WRITE_INDEX, 1)).toBe(255);
    expect(colour(vga)).toEqual([124 & 63, 155 & 63, 186 & 63]);
    // After the last colour the first follows.
    expect(colour(vga)).toEqual([217 & 63, 248 & 63, 279 & 63]);
  });

  test('has a mask of its own', () => {
    const vga = new VgaAdapter();
    expect(vga.portIn(MASK, 1)).toBe(0xff);
    vga.portOut(MASK, 0x0f, 1);
    expect(vga.portIn(MASK, 1)).toBe(0x0f);
  });

  test('takes index and first colour as one word', () => {
    const vga = new VgaAdapter();
    vga.portOut(WRITE_INDEX, 0x2507, 2);
    vga.portOut(READ_INDEX, 7, 1);
    expect(vga.portIn(COLOUR, 1)).toBe(0x25);
    // 3DAh and, above it, no port of these.
    expect(vga.portIn(STATUS, 2)).toBe(0xff09);
  });
});

test('goes back to a snapshot', () => {
  const vga = new VgaAdapter();
  vga.portIn(STATUS, 1);
  vga.portOut(ATTRIBUTE, 2, 1);
  vga.portOut(WRITE_INDEX, 1, 1);
  vga.portOut(COLOUR, 5, 1);
  const state = structuredClone(vga.snapshot());
  vga.portOut(ATTRIBUTE, 9, 1);
  vga.portOut(COLOUR, 6, 1);
  vga.portOut(MASK, 0, 1);
  vga.restore(state);
  expect(vga.snapshot()).toEqual(state);
  // The write that follows is the data of register 2, the colour is the second of three.
  vga.portOut(ATTRIBUTE, 0x11, 1);
  expect([vga.portIn(ATTRIBUTE_READ, 1), vga.portIn(MASK, 1)]).toEqual([0x11, 0xff]);
  vga.portOut(COLOUR, 7, 1);
  vga.portOut(READ_INDEX, 1, 1);
  expect([vga.portIn(COLOUR, 1), vga.portIn(COLOUR, 1)]).toEqual([5, 7]);
  expect(() => {
    vga.restore({ ...state, palette: undefined });
  }).toThrow(/E_SNAPSHOT/);
});
