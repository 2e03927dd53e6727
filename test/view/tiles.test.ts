/** The tiles of the map, against the bytes and lines of the machine. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { pa, type KeyId } from '../../src/machine/address.js';
import { createBoot, type Boot } from '../../src/node/library.js';
import type { BusLog } from '../../src/inspect/exposure/bus-log.js';
import { recordBus } from '../../src/inspect/exposure/exposure.js';
import { ownersOf } from '../../src/inspect/exposure/owners.js';
import { Boot as Sequencer } from '../../src/sequencer/boot.js';
import { LAYERS, type TileWindow } from '../../src/view/layers.js';
import { CACHE_CODES, DRAM_CODES, EXPOSURE_CODES, tilesOf } from '../../src/view/tiles.js';
import { bootOptions } from '../../src/cli/run-options.js';

interface Recorded {
  readonly boot: Sequencer;
  readonly bus: BusLog;
}

/** A boot with the record of its bus. */
function recorded(scenario: string): Recorded {
  const made = new Sequencer(bootOptions(scenario, {}));
  return { boot: made, bus: recordBus(made) };
}

/** A boot after a step. */
function bootAt(label: string): Recorded {
  const made = recorded('bios-minimal');
  made.boot.runTo(label);
  return made;
}

const KERNEL: TileWindow = { base: 0, size: 2 ** 25, tiles: 4096 };
const WHOLE: TileWindow = { base: 0, size: 2 ** 32, tiles: 4096 };

let at: Recorded;
let boot: Sequencer;
beforeAll(() => {
  at = bootAt('init_mem_mapping');
  boot = at.boot;
});

/** The name of each tile's code. */
const named = (layer: (typeof LAYERS)[number], window: TileWindow, of = at): string[] => {
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
    const { plain, cipher } = tilesOf(at, 'dram', WHOLE);
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
    const intel = recorded('intel');
    intel.boot.runToEnd();
    expect(intel.boot.machine.cpus.some((cpu) => cpu.encryption)).toBe(false);
    expect(new Set(named('exposure', KERNEL, intel))).toEqual(new Set([EXPOSURE_CODES[0]]));
  });
});

describe('a line of which a write changed one block', () => {
  /** The tiles of a line before and after a write of its second block under another key. */
  function tilesAround(line: number, key: number): [string[], string[]] {
    const made = bootAt('startup_64:phys_base');
    made.boot.machine.cache.wbinvd('all');
    const window = { base: line, size: 64, tiles: 4 };
    const before = named('dram', window, made);
    made.boot.machine.dram.write(pa(line + 16), key as KeyId, new Uint8Array(16).fill(0x5a), 0, 16);
    return [before, named('dram', window, made)];
  }

  test('has ciphertext where a write without a key left it', () => {
    const [before, after] = tilesAround(0x100_0000, 0);
    expect(before).toEqual(['cipher', 'cipher', 'cipher', 'cipher']);
    expect(after).toEqual(['cipher', 'plain', 'cipher', 'cipher']);
  });

  test('is in the clear where a write under a key left plaintext', () => {
    const [before, after] = tilesAround(0x9_0000, 1);
    expect(before).toEqual(['plain', 'plain', 'plain', 'plain']);
    expect(after).toEqual(['plain', 'cipher', 'plain', 'plain']);
  });
});

test('a view of memory changes nothing', () => {
  const [a, b] = [bootAt('init_mem_mapping'), bootAt('init_mem_mapping')];
  for (const layer of LAYERS) tilesOf(a, layer, WHOLE);
  expect(a.boot.run()).toEqual(b.boot.run());
});

test('every code has a name', () => {
  expect([DRAM_CODES.length, CACHE_CODES.length, EXPOSURE_CODES.length]).toEqual([5, 6, 3]);
});
