import { describe, expect, test } from '@jest/globals';
import {
  pciRequester,
  REQUESTER_CACHE,
  REQUESTER_PLATFORM,
  requestingCpu,
} from '../../src/machine/requester.js';

describe('the requester of a transaction', () => {
  test.each([0, 1, 0xffff])('CPU %p is its number', (cpu) => {
    expect(requestingCpu(cpu)).toBe(cpu);
  });

  test.each([pciRequester(0), pciRequester(0xffff), REQUESTER_CACHE, REQUESTER_PLATFORM])(
    '%p is no CPU',
    (requester) => {
      expect(requestingCpu(requester)).toBeUndefined();
    },
  );

  test('differs for every PCI function, the cache and the platform', () => {
    const all = Array.from({ length: 0x1_0000 }, (_, id) => pciRequester(id));
    expect(new Set([...all, REQUESTER_CACHE, REQUESTER_PLATFORM]).size).toBe(0x1_0002);
  });
});
