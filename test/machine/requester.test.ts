import { describe, expect, test } from '@jest/globals';
import {
  pciRequester,
  REQUESTER_CACHE,
  REQUESTER_PLATFORM,
  requestingCpu,
} from '../../src/machine/requester.js';

describe('who a transaction is from', () => {
  test.each([0, 1, 0xffff])('CPU %p is its number', (cpu) => {
    expect(requestingCpu(cpu)).toBe(cpu);
  });

  test.each([pciRequester(0), pciRequester(0xffff), REQUESTER_CACHE, REQUESTER_PLATFORM])(
    '%p is no CPU',
    (requester) => {
      expect(requestingCpu(requester)).toBeUndefined();
    },
  );

  test('every PCI function is another one, and none is the cache or the platform', () => {
    const all = Array.from({ length: 0x1_0000 }, (_, id) => pciRequester(id));
    expect(new Set([...all, REQUESTER_CACHE, REQUESTER_PLATFORM]).size).toBe(0x1_0002);
  });
});
