/** The window of the map: which memory it shows, and zooming. */
import type { TileWindow } from '../layers.js';

/** The smallest window: a page, whose tiles are the blocks of 16 bytes that the engine encrypts. */
export const SMALLEST = 4096;
const BLOCK = 16;
/** Most tiles (our choice): 64 rows of 64. */
const MOST_TILES = 4096;
/** How much smaller a window is than the one around it (our choice). */
const ZOOM = 16;

export interface Window {
  readonly base: number;
  readonly size: number;
}

/** The smallest power of two that is at least `value`. */
export function powerOfTwo(value: number): number {
  let size = 1;
  while (size < value) size *= 2;
  return size;
}

/** All memory below `end`. */
export const wholeOf = (end: number): Window => ({ base: 0, size: powerOfTwo(end) });

/** A window in its tiles. */
export const tilesIn = ({ base, size }: Window): TileWindow => ({
  base,
  size,
  tiles: Math.min(MOST_TILES, size / BLOCK),
});

/** Tiles of a row. */
export const columnsOf = ({ tiles }: TileWindow): number => Math.max(16, Math.sqrt(tiles));

const around = (at: number, size: number): Window => ({ base: at - (at % size), size });

/** The window of the next smaller size around an address. */
export const zoomIn = ({ size }: Window, at: number): Window =>
  around(at, Math.max(SMALLEST, size / ZOOM));

/** The window of the next larger size around this one; at most all memory. */
export function zoomOut({ base, size }: Window, end: number): Window {
  const whole = wholeOf(end);
  return size * ZOOM >= whole.size ? whole : around(base, size * ZOOM);
}

/** The smallest window around a range. */
export function windowAround(base: number, size: number, end: number): Window {
  const whole = wholeOf(end).size;
  let window = around(base, SMALLEST);
  while (window.base + window.size < base + size && window.size < whole) {
    window = around(base, window.size * 2);
  }
  return window;
}

/** A window of a link: sizes and places that the map does not have are moved to the next that it has. */
export function validWindow({ base, size }: Window, end: number): Window {
  const whole = wholeOf(end).size;
  const valid = Math.min(whole, powerOfTwo(Math.max(SMALLEST, size)));
  return around(Math.min(base, whole - 1), valid);
}
