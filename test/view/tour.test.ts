/** The guided tour: each step is a view that exists. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { addressOf, type Address } from '../../src/view/choice.js';
import { LAYERS } from '../../src/view/layers.js';
import { TOUR } from '../../src/view/tour.js';
import { validWindow } from '../../src/view/page/window.js';
import { scenario } from '../helpers.js';
import { choice, Session } from './session.js';

const INITIAL: Address = {
  choice: choice('epyc-efi'),
  place: { panel: 'events', place: 'kernel text', layer: 'dram', filter: '' },
};
const views = TOUR.map(({ view }) => addressOf(view, INITIAL, 18));

test('has ten steps, each with a title and a paragraph', () => {
  expect(TOUR).toHaveLength(10);
  expect(new Set(TOUR.map(({ title }) => title)).size).toBe(10);
  for (const { text } of TOUR) expect(text.length).toBeGreaterThan(80);
});

test('has views that the page can read', () => {
  expect(views.flatMap(({ unread }) => unread)).toEqual([]);
  for (const { place } of views) {
    expect(LAYERS).toContain(place.layer);
    if (place.map !== undefined) expect(validWindow(place.map, 9 * 2 ** 30)).toEqual(place.map);
  }
});

describe('its paragraphs', () => {
  const session = new Session();
  beforeAll(() => {
    session.boot(INITIAL.choice);
  });
  const bytes = (
    step: number,
  ): { dram: string; c0: string; c1: string; key: number | undefined } => {
    const { at = '', place } = views[step - 1]?.place ?? INITIAL.place;
    const rows = session.ask('memory', { label: at, place, length: 64 });
    const hex = (of: Uint8Array): string => Buffer.from(of).toString('hex');
    return {
      dram: hex(rows.dram),
      c0: hex(rows.c0),
      c1: hex(rows.c1),
      key: rows.lines[0]?.key,
    };
  };

  test('say of each label what the boot reaches', () => {
    for (const { place } of views) {
      if (place.at !== undefined) session.ask('frame', { label: place.at });
    }
  });

  test('say that the kernel is readable, then encrypted, then read with C=1 as it was', () => {
    const [plain, cipher, running] = [bytes(2), bytes(3), bytes(5)];
    expect(plain.c0).toBe(plain.dram);
    expect(plain.c1).not.toBe(plain.dram);
    expect([plain.key, cipher.key]).toEqual([0, 1]);
    expect(cipher.dram).not.toBe(plain.dram);
    expect(running.c1).toBe(plain.dram);
    expect(running.c0).toBe(running.dram);
    expect(running.dram).not.toBe(plain.dram);
    const first = (plain.dram.match(/../g) ?? []).slice(0, 3).join(' ');
    for (const step of [2, 5]) expect(TOUR[step - 1]?.text).toContain(first);
  });

  test('say that each entry of the walk has C=1', () => {
    const { at = '', place } = views[3]?.place ?? INITIAL.place;
    const { walk } = session.ask('walk', { label: at, place, cpu: 0 });
    expect([...walk.levels.map(({ c }) => c), walk.c]).toEqual([1, 1, 1, 1]);
  });

  test('say that the command line is text', () => {
    const text = Buffer.from(bytes(1).dram, 'hex').toString('latin1');
    expect(text).toContain(scenario('epyc-efi').cmdline?.slice(0, 16));
  });

  test('say that the C-bit is bit 47', () => {
    const { at = '', place } = views[3]?.place ?? INITIAL.place;
    const { walk } = session.ask('walk', { label: at, place, cpu: 0 });
    expect(walk.levels.map(({ entry }) => BigInt(entry) >> 47n)).toEqual([1n, 1n, 1n]);
  });

  test('say that the initrd is encrypted in its step, and read with C=1 as it was, and that its end is not in the chips', () => {
    expect(bytes(6).key).toBe(1);
    expect(Buffer.from(bytes(6).c1, 'hex').toString('latin1')).toMatch(/^070701/);
    const { place } = views[5] ?? INITIAL;
    const { base = 0, size = 0 } = place.map ?? {};
    const window = { base, size, tiles: 4096 };
    const map = session.ask('tiles', { label: 'reserve_initrd', layer: 'dram', window });
    const names = [...map.codes].map((code) => map.names[code]);
    expect(names.lastIndexOf('plain')).toBeGreaterThan(names.lastIndexOf('cipher'));
    const { events } = session.ask('frame', { label: 'reserve_initrd' });
    expect(events.filter((event) => 'encrypt' in event).length).toBeGreaterThan(0);
  });

  test('say that memory is in the clear, and that there are reports', () => {
    expect(session.ask('exposure', { label: 'drivers' }).dram).toBeGreaterThan(0);
    expect(session.ask('frame', { label: 'run_init' }).reports?.length).toBeGreaterThan(0);
  });

  test('say that the boot without the hunk panics', () => {
    const steps = session.boot(views[8]?.choice ?? INITIAL.choice);
    expect(steps.at(-1)?.outcome?.kind).toBe('panic');
  });
});
