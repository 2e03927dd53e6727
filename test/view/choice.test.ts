/** The address of the viewer. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { addressOf, fragmentOf, PANELS, type Address } from '../../src/view/choice.js';
import { IMAGE_ENTRIES } from '../../src/trace/vocabulary.js';
import { LAYERS } from '../../src/view/layers.js';
import { INITIAL } from './initial-address.js';

const name = fc.string({ minLength: 1 }).filter((text) => !text.includes(','));
const anAddress: fc.Arbitrary<Address> = fc.record({
  choice: fc.record({
    scenario: fc.string(),
    execute: fc.boolean(),
    entry: fc.constantFrom(...IMAGE_ENTRIES),
    until: fc.string(),
    most: fc.nat(),
    stage: fc.integer({ min: 0, max: 18 }),
    activate: fc.boolean(),
    without: fc.array(name, { maxLength: 3 }),
    stub: fc.boolean(),
    with: fc.array(name, { maxLength: 3 }),
    set: fc.array(fc.string(), { maxLength: 3 }),
  }),
  place: fc.record({
    at: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    panel: fc.constantFrom(...PANELS),
    place: fc.string(),
    map: fc.option(
      fc.record({
        base: fc.integer({ min: 0, max: 2 ** 40 }),
        size: fc.integer({ min: 1, max: 2 ** 40 }),
      }),
      { nil: undefined },
    ),
    layer: fc.constantFrom(...LAYERS),
    filter: fc.string(),
  }),
});

describe('the address of a view', () => {
  test('is empty for what was opened', () => {
    expect(fragmentOf(INITIAL, INITIAL)).toBe('');
    expect(addressOf('', INITIAL, 18)).toEqual({ ...INITIAL, unread: [] });
  });

  test('states what differs, in words', () => {
    const changed: Address = {
      choice: { ...INITIAL.choice, without: ['09/initrd'], stage: 17, activate: true },
      place: { ...INITIAL.place, at: 'reserve_initrd', map: { base: 0x1000000, size: 0x2000000 } },
    };
    expect(fragmentOf(changed, INITIAL)).toBe(
      'stage=17&activate=1&without=09%2Finitrd&at=reserve_initrd&map=0x1000000%2B0x2000000',
    );
  });

  test('opens the same view again, whatever its texts', () => {
    fc.assert(
      fc.property(anAddress, (address) => {
        const { unread, ...again } = addressOf(fragmentOf(address, INITIAL), INITIAL, 18);
        expect(unread).toEqual([]);
        expect(again).toEqual(address);
      }),
    );
  });

  test.each([
    ['stage=19', ['stage']],
    ['stage=-1', ['stage']],
    ['activate=yes', ['activate']],
    ['set=machine.ram', ['set']],
    ['set=[1]', ['set']],
    ['panel=nope', ['panel']],
    ['map=1+2', ['map']],
    ['colour=red&stage=4', ['colour']],
    ['__proto__=1', ['__proto__']],
  ])('%s: names what it cannot read', (fragment, unread) => {
    expect(addressOf(fragment, INITIAL, 18).unread).toEqual(unread);
  });

  test('reads arbitrary text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(addressOf(text, INITIAL, 18).choice.stage).toBeLessThanOrEqual(18);
      }),
    );
  });
});
