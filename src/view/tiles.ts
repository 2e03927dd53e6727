/** Physical memory as tiles of equal size, each with a code of what it has: the map of the viewer. */
import { BLOCK_SIZE, KEY_PLAIN, LINE_SIZE, PAGE_SIZE, pa, paAdd } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { UNTOUCHED } from '../machine/memory/dram-page.js';
import type { BusLog } from '../inspect/exposure/bus-log.js';
import { ownersOf } from '../inspect/exposure/owners.js';
import { eachPlainRun } from '../inspect/exposure/plain-lines.js';
import { encryptingCpus } from '../inspect/exposure/exposure.js';
import type { Layer, Tiles, TileWindow } from './layers.js';

/** Codes of the layer `dram`; `noise`: power-on contents, never written. */
export const DRAM_CODES = ['no memory', 'noise', 'plain', 'cipher', 'mixed'] as const;
const [NO_MEMORY, NOISE, PLAIN, CIPHER, MIXED] = [0, 1, 2, 3, 4];

/** Codes of the layer `cache`: the state of the lines of a tile and the C-bit of the access that they are cached under. */
export const CACHE_CODES = [
  'not cached',
  'clean, C=0',
  'clean, C=1',
  'dirty, C=0',
  'dirty, C=1',
  'lines of several kinds',
] as const;
const SEVERAL_LINES = 5;

/** Codes of the layer `exposure`. */
export const EXPOSURE_CODES = [
  'not in the clear',
  'in the clear in DRAM',
  'in the clear with the next write-back',
] as const;

const [IN_DRAM, IN_CACHE] = [1, 2];

/** The share of a whole as one byte. */
const share = (part: number, whole: number): number => Math.round((255 * part) / whole);

/** The index of the tile of an address. */
const tileOf = ({ base, size, tiles }: TileWindow, at: number): number =>
  Math.floor(((at - base) * tiles) / size);

/** Calls `visit` with the first and last tile of a range, cut to the window. */
function eachTile(
  window: TileWindow,
  start: number,
  end: number,
  visit: (tile: number, bytes: number) => void,
): void {
  const { base, size, tiles } = window;
  const from = Math.max(start, base);
  const to = Math.min(end, base + size);
  if (from >= to) return;
  const each = size / tiles;
  for (let tile = tileOf(window, from); tile <= tileOf(window, to - 1); tile++) {
    const first = base + tile * each;
    visit(tile, Math.min(to, first + each) - Math.max(from, first));
  }
}

/** Which tiles have DRAM. */
function memoryTiles(machine: Machine, window: TileWindow): Uint8Array {
  const codes = new Uint8Array(window.tiles).fill(NO_MEMORY);
  for (const { base, size } of machine.config.ram) {
    eachTile(window, base, base + size, (tile) => {
      codes[tile] = NOISE;
    });
  }
  return codes;
}

/** A part of a line that its last write did not change is what it was before, whatever the key of that write. */
function dramTiles(machine: Machine, bus: BusLog | undefined, window: TileWindow): Tiles {
  const { tiles, base, size } = window;
  const plain = new Float64Array(tiles);
  const cipher = new Float64Array(tiles);
  const add = (to: Float64Array, start: number, end: number, sign = 1): void => {
    eachTile(window, start, end, (tile, bytes) => {
      to[tile] = (to[tile] ?? 0) + sign * bytes;
    });
  };
  for (const page of machine.dram.touched()) {
    const at = page * PAGE_SIZE;
    if (at + PAGE_SIZE <= base || at >= base + size) continue;
    const { keys } = machine.dram.lastWrites(page) ?? {};
    if (keys === undefined) continue;
    for (const [i, key] of keys.entries()) {
      if (key === UNTOUCHED) continue;
      const line = at + i * LINE_SIZE;
      add(key === KEY_PLAIN ? plain : cipher, line, line + LINE_SIZE);
    }
  }
  for (const [still, from, to] of [
    [bus?.stillCiphertext, plain, cipher],
    [bus?.stillPlain, cipher, plain],
  ] as const) {
    for (const { start, bytes } of still?.list() ?? []) {
      add(from, start, start + bytes, -1);
      add(to, start, start + bytes);
    }
  }
  const codes = memoryTiles(machine, window);
  const shares = { plain: new Uint8Array(tiles), cipher: new Uint8Array(tiles) };
  const whole = size / tiles;
  for (let tile = 0; tile < tiles; tile++) {
    const [inPlain = 0, inCipher = 0] = [plain[tile], cipher[tile]];
    shares.plain[tile] = share(inPlain, whole);
    shares.cipher[tile] = share(inCipher, whole);
    if (inPlain + inCipher === 0) continue;
    codes[tile] = inPlain === whole ? PLAIN : inCipher === whole ? CIPHER : MIXED;
  }
  return { ...window, layer: 'dram', codes, names: DRAM_CODES, ...shares };
}

function cacheTiles(machine: Machine, window: TileWindow): Tiles {
  const codes = new Uint8Array(window.tiles);
  for (const { pa: at, key, dirty } of machine.cache.linesOf(pa(window.base), window.size)) {
    const code = 1 + (key === KEY_PLAIN ? 0 : 1) + (dirty === undefined ? 0 : 2);
    eachTile(window, at, at + LINE_SIZE, (tile) => {
      codes[tile] = codes[tile] === 0 || codes[tile] === code ? code : SEVERAL_LINES;
    });
  }
  return { ...window, layer: 'cache', codes, names: CACHE_CODES };
}

/** Most owners with a code of their own: the last code is of tiles with several. */
const MOST_OWNERS = 254;

function ownerTiles(boot: InspectedBoot, window: TileWindow): Tiles {
  const names: string[] = [];
  const codeOf = (text: string): number => {
    const known = names.indexOf(text);
    if (known >= 0) return known;
    return names.length < MOST_OWNERS ? names.push(text) - 1 : MOST_OWNERS;
  };
  const codes = new Uint8Array(window.tiles);
  const seen = new Uint8Array(window.tiles);
  const several = codeOf('several owners');
  for (const { start, end, owner } of ownersOf(boot)) {
    if (end <= window.base || start >= window.base + window.size) continue;
    const code = codeOf(owner.text);
    eachTile(window, start, end, (tile) => {
      codes[tile] = seen[tile] === 0 || codes[tile] === code ? code : several;
      seen[tile] = 1;
    });
  }
  return { ...window, layer: 'owners', codes, names };
}

function exposureTiles(boot: InspectedBoot, bus: BusLog | undefined, window: TileWindow): Tiles {
  const codes = new Uint8Array(window.tiles);
  const names = EXPOSURE_CODES;
  // Before a CPU has encryption on, all memory is in the clear, which says nothing.
  if (encryptingCpus(boot).length === 0) return { ...window, layer: 'exposure', codes, names };
  const inDram = (start: number, end: number): void => {
    eachTile(window, start, end, (tile) => {
      codes[tile] = IN_DRAM;
    });
  };
  eachPlainRun(boot.machine, ({ pa: start, length, where }) => {
    if (where === 'dram') {
      for (let done = 0; done < length; done += LINE_SIZE) {
        const at = paAdd(start, done);
        const cipher = bus?.stillCiphertext.of(at) ?? [];
        for (let block = 0; block < LINE_SIZE; block += BLOCK_SIZE) {
          if (!cipher.includes(block)) inDram(at + block, at + block + BLOCK_SIZE);
        }
      }
      return;
    }
    eachTile(window, start, start + length, (tile) => {
      if (codes[tile] !== IN_DRAM) codes[tile] = IN_CACHE;
    });
  });
  for (const { start, bytes } of bus?.stillPlain.list() ?? []) inDram(start, start + bytes);
  return { ...window, layer: 'exposure', codes, names };
}

/** The tiles of a window of memory; without a record of accesses, a line is what its last write made it. Has no side effects. */
export function tilesOf(
  { boot, bus }: { readonly boot: InspectedBoot; readonly bus: BusLog | undefined },
  layer: Layer,
  window: TileWindow,
): Tiles {
  switch (layer) {
    case 'dram':
      return dramTiles(boot.machine, bus, window);
    case 'cache':
      return cacheTiles(boot.machine, window);
    case 'owners':
      return ownerTiles(boot, window);
    case 'exposure':
      return exposureTiles(boot, bus, window);
  }
}
