import { expect, test } from '@jest/globals';
import { keysInUse } from '../../src/inspect/keys.js';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../src/machine/address.js';
import { SYSCFG } from '../../src/machine/cpu/msr.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { smallMachine } from './small-machine.js';

const AT = pa(0x8000);
const GUEST = 5 as KeyId;

/** Two CPUs, none of which has SYSCFG[23] set. */
function off() {
  const m = smallMachine(undefined, 2);
  for (const cpu of m.cpus) {
    cpu.msrs.set('SYSCFG', cpu.msrs.get('SYSCFG') & ~SYSCFG.MemEncryptionModEn);
  }
  return m;
}
const store = (m: ReturnType<typeof off>, key: KeyId): void => {
  m.cache.write(0, AT, key, MEMTYPE.WB, new Uint8Array(64), 0, 64, 1);
};

test('no key is in use without C-bits, also where memory was written without one', () => {
  const m = off();
  store(m, KEY_PLAIN);
  m.dmaWrite(pa(0x9000), new Uint8Array(64));
  expect(keysInUse(m)).toEqual([]);
});

test('a key is in use by a CPU with SYSCFG[23], before anything was encrypted', () => {
  const m = off();
  const [, second] = m.cpus;
  second?.msrs.set('SYSCFG', second.msrs.get('SYSCFG') | SYSCFG.MemEncryptionModEn);
  expect(keysInUse(m)).toEqual([{ id: KEY_HOST, cpus: [1], dramLines: 0, cacheLines: 0 }]);
  // The engine has not made it, and names it all the same.
  const keys = (ids: Iterable<KeyId>) => m.engine.describe(ids).keys.map(({ id }) => id);
  expect([keys([]), keys(keysInUse(m).map(({ id }) => id))]).toEqual([[], [KEY_HOST]]);
});

test('a key is in use by lines of the cache, then by lines of DRAM', () => {
  const m = off();
  store(m, GUEST);
  expect(keysInUse(m)).toEqual([{ id: GUEST, cpus: [], dramLines: 0, cacheLines: 1 }]);
  m.cpus[0].wbinvd();
  expect(keysInUse(m)).toEqual([{ id: GUEST, cpus: [], dramLines: 1, cacheLines: 0 }]);
  m.dmaWrite(AT, new Uint8Array(64));
  expect(keysInUse(m)).toEqual([]);
});

test('keys are in the order of their ids', () => {
  const m = off();
  for (const key of [GUEST, KEY_HOST]) m.dmaWrite(pa(0x9000 + key * 64), new Uint8Array(1), key);
  expect(keysInUse(m).map(({ id }) => id)).toEqual([KEY_HOST, GUEST]);
});
