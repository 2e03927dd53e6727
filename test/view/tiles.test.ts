/** The tiles of the map, against the bytes and lines of the machine. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { pa } from '../../src/machine/address.js';
import { createBoot, type Boot } from '../../src/node/library.js';
import { ownersOf } from '../../src/inspect/exposure/owners.js';
import { Boot as Sequencer } from '../../src/sequencer/boot.js';
import { LAYERS, type TileWindow } from '../../src/view/layers.js';
import { CACHE_CODES, DRAM_CODES, EXPOSURE_CODES, tilesOf } from '../../src/view/tiles.js';
import { bootOptions } from '../../src/cli/run-options.js';

/** A boot after a step. */
function bootAt(label: string): Sequencer {
  const boot = new Sequencer(bootOptions('bios-minimal', {}));
  boot.runTo(label);
  return boot;
}

const KERNEL: TileWindow = { base: 0, size: 2 ** 25, tiles: 4096 };
const WHOLE: TileWindow = { base: 0, size: 2 ** 32, tiles: 4096 };

let boot: Sequencer;
beforeAll(() => {
  boot = bootAt('init_mem_mapping');
});

/** The name of each tile's code. */
const named = (layer: (typeof LAYERS)[number], window: TileWindow, of = boot): string[] => {
  const { codes, names } = tilesOf(of, layer, window);
  expect(codes).toHaveLength(window.tiles);
  return [...codes].map((code) => names[code] ?? '?');
};

describe('the tiles of DRAM', () => {
  test.each([KERNEL, WHOLE, { base: 0x1000000, size: 4096, tiles: 256 }])(
    'say how the bytes of each were last written: %j',
    (window) => {
      const each = window.size / window.tiles;
      const expected = Array.from({ length: window.tiles }, (_, tile) => {
        const at = window.base + tile * each;
        const { plain, encrypted } = boot.machine.dram.stateOf(pa(at), each);
        if (plain === each) return 'plain';
        if (encrypted === each) return 'cipher';
        if (plain + encrypted > 0) return 'mixed';
        return boot.machine.config.ram.some(
          ({ base, size }) => at < base + size && base < at + each,
        )
          ? 'noise'
          : 'no memory';
      });
      expect(named('dram', window)).toEqual(expected);
    },
  );

  test('have the shares of what is in them', () => {
    const { plain, cipher } = tilesOf(boot, 'dram', WHOLE);
    const each = WHOLE.size / WHOLE.tiles;
    for (let tile = 0; tile < WHOLE.tiles; tile++) {
      const state = boot.machine.dram.stateOf(pa(tile * each), each);
      expect(plain?.[tile]).toBe(Math.round((255 * state.plain) / each));
      expect(cipher?.[tile]).toBe(Math.round((255 * state.encrypted) / each));
    }
  });

  test('of the kernel are plain before and cipher after it encrypts itself', () => {
    const text: TileWindow = { base: 0x1000000, size: 2 ** 23, tiles: 4096 };
    expect(new Set(named('dram', text, bootAt('startup_64:identity-map')))).toEqual(
      new Set(['plain']),
    );
    expect(new Set(named('dram', text, bootAt('startup_64:phys_base')))).toEqual(
      new Set(['cipher']),
    );
  });
});

test('the tiles of the cache say what its lines are', () => {
  const found = named('cache', KERNEL);
  const each = KERNEL.size / KERNEL.tiles;
  for (const [tile, code] of found.entries()) {
    const kinds = new Set(
      boot.machine.cache
        .linesOf(pa(tile * each), each)
        .map(
          ({ key, dirty }) =>
            `${dirty === undefined ? 'clean' : 'dirty'}, C=${key === 0 ? '0' : '1'}`,
        ),
    );
    const [only = 'not cached'] = kinds;
    expect(code).toBe(kinds.size > 1 ? 'lines of several kinds' : only);
  }
  expect(found.filter((code) => code !== 'not cached').length).toBeGreaterThan(0);
});

test('the tiles of owners have the owner of each, or several', () => {
  const found = named('owners', KERNEL);
  const each = KERNEL.size / KERNEL.tiles;
  const owners = ownersOf(boot);
  for (const [tile, name] of found.entries()) {
    const texts = new Set(
      owners
        .filter(({ start, end }) => start < (tile + 1) * each && tile * each < end)
        .map(({ owner }) => owner.text),
    );
    const [only] = texts;
    expect(name).toBe(texts.size > 1 ? 'several owners' : only);
  }
});

describe('the tiles of exposure', () => {
  test('are those of the memory in the clear', () => {
    const library: Boot = createBoot('bios-minimal', {});
    library.runTo('init_mem_mapping');
    const { ranges } = library.exposure();
    const each = KERNEL.size / KERNEL.tiles;
    const expected = Array.from({ length: KERNEL.tiles }, (_, tile) => {
      const here = ranges.filter(
        ({ start, bytes }) => start < (tile + 1) * each && tile * each < start + bytes,
      );
      if (here.some(({ where }) => where === 'dram')) return EXPOSURE_CODES[1];
      return here.length > 0 ? EXPOSURE_CODES[2] : EXPOSURE_CODES[0];
    });
    expect(named('exposure', KERNEL)).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(1);
  });

  test('are none while no CPU has encryption on', () => {
    const intel = new Sequencer(bootOptions('intel', {}));
    intel.runToEnd();
    expect(intel.machine.cpus.some((cpu) => cpu.encryption)).toBe(false);
    expect(new Set(named('exposure', KERNEL, intel))).toEqual(new Set([EXPOSURE_CODES[0]]));
  });
});

test('a view of memory changes nothing', () => {
  const [a, b] = [bootAt('init_mem_mapping'), bootAt('init_mem_mapping')];
  for (const layer of LAYERS) tilesOf(a, layer, WHOLE);
  expect(a.run()).toEqual(b.run());
});

test('every code has a name', () => {
  expect([DRAM_CODES.length, CACHE_CODES.length, EXPOSURE_CODES.length]).toEqual([5, 6, 3]);
});
