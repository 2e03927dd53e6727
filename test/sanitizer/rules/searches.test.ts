import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa } from '../../../src/machine/address.js';
import { Bench } from '../bench.js';

const SIGNATURE = Uint8Array.from('_MP_', (char) => char.charCodeAt(0));

function search(b: Bench, at: number, found = false, key = KEY_HOST): void {
  b.as('loader', () => {
    b.machine.dmaWrite(pa(0x3000), new Uint8Array(4096), KEY_PLAIN);
    b.machine.dmaWrite(pa(at), SIGNATURE, KEY_PLAIN);
  });
  b.as('scan', () => {
    b.sanitizer.searched({
      ...{ what: 'MP table', start: 0x3000, length: 4096, key, found },
      ...{ signature: SIGNATURE, step: 16 },
    });
  });
}

describe('table-not-found', () => {
  test('a table that was written under the other key', () => {
    const b = new Bench();
    search(b, 0x3420);
    expect(b.reports).toEqual([
      {
        rule: 'table-not-found',
        ...{ step: 'first', at: '3420+4', C: 1, in: 'scan' },
        what: 'MP table: not found by a search with C=1; it was written with C=0',
        earlier: { what: 'written', in: 'loader', step: 'first', C: 0 },
        outcome: 'data lost',
      },
    ]);
  });

  test.each<[string, (b: Bench) => void]>([
    [
      'a search that found it',
      (b) => {
        search(b, 0x3420, true);
      },
    ],
    [
      'a search under the key of the table',
      (b) => {
        search(b, 0x3420, false, KEY_PLAIN);
      },
    ],
    [
      'a table at an address that the search does not try',
      (b) => {
        search(b, 0x3424);
      },
    ],
    [
      'a table outside the range',
      (b) => {
        search(b, 0x4000);
      },
    ],
  ])('not: %s', (_what, act) => {
    const b = new Bench();
    act(b);
    expect(b.rules).toEqual([]);
  });
});
