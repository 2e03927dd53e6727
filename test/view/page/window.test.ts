/** Zooming of the map. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  columnsOf,
  powerOfTwo,
  SMALLEST,
  tilesIn,
  validWindow,
  wholeOf,
  windowAround,
  zoomIn,
  zoomOut,
  type Window,
} from '../../../src/view/page/window.js';

const GIB = 2 ** 30;
/** 8 GiB, of which 5 are above 4 GiB. */
const END = 9 * GIB;

/** What holds for each window of the map. */
function expectValid({ base, size }: Window): void {
  expect(size).toBe(powerOfTwo(size));
  expect(size).toBeGreaterThanOrEqual(SMALLEST);
  expect(size).toBeLessThanOrEqual(wholeOf(END).size);
  expect(base % size).toBe(0);
  const tiles = tilesIn({ base, size });
  expect(Number.isInteger(size / tiles.tiles)).toBe(true);
  expect(size / tiles.tiles).toBeGreaterThanOrEqual(16);
  expect(tiles.tiles % columnsOf(tiles)).toBe(0);
}

const anAddress = fc.integer({ min: 0, max: END - 1 });

describe('the window of the map', () => {
  test('zooms from all memory down to a page in blocks of 16 bytes, and back', () => {
    let window = wholeOf(END);
    expect(window).toEqual({ base: 0, size: 16 * GIB });
    const sizes = [window.size];
    while (window.size > SMALLEST) {
      window = zoomIn(window, 0x1234567);
      expectValid(window);
      expect(window.base).toBeLessThanOrEqual(0x1234567);
      expect(window.base + window.size).toBeGreaterThan(0x1234567);
      sizes.push(window.size);
    }
    expect(window).toEqual({ base: 0x1234000, size: 4096 });
    expect(tilesIn(window)).toEqual({ base: 0x1234000, size: 4096, tiles: 256 });
    for (const size of sizes.reverse().slice(1, -1)) {
      window = zoomOut(window, END);
      expectValid(window);
      expect(window.size).toBeGreaterThanOrEqual(size);
    }
    expect(zoomOut(window, END)).toEqual(wholeOf(END));
  });

  test('around a range has all of it', () => {
    fc.assert(
      fc.property(anAddress, fc.integer({ min: 1, max: GIB }), (base, size) => {
        const end = Math.min(base + size, END);
        const window = windowAround(base, end - base, END);
        expectValid(window);
        expect(window.base).toBeLessThanOrEqual(base);
        expect(window.base + window.size).toBeGreaterThanOrEqual(end);
      }),
    );
  });

  test('of a link is one that the map has', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 52 }),
        fc.integer({ min: 1, max: 2 ** 52 }),
        (base, size) => {
          expectValid(validWindow({ base, size }, END));
        },
      ),
    );
  });
});
