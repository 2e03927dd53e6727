/** The layers of the map, and their tiles. */

/** What a tile is coloured by. */
export const LAYERS = ['dram', 'cache', 'owners', 'exposure'] as const;
export type Layer = (typeof LAYERS)[number];

/** A window of physical memory, in bytes, cut into `tiles` of equal size, which is at least a block of 16 bytes. */
export interface TileWindow {
  readonly base: number;
  readonly size: number;
  readonly tiles: number;
}

/** The tiles of a layer. */
export interface Tiles extends TileWindow {
  readonly layer: Layer;
  /** A code for each tile: its index in `names`. */
  readonly codes: Uint8Array;
  /** What each code means. */
  readonly names: readonly string[];
  /** Of the layer `dram`: shares of a tile in plaintext and in ciphertext, 255 for all of it. */
  readonly plain?: Uint8Array;
  readonly cipher?: Uint8Array;
}
