import { describe, expect, test } from '@jest/globals';
import { OriginNames } from '../../src/trace/origin-names.js';

describe('the names of origins', () => {
  test('are numbered from 0, the hardware itself, each once', () => {
    const names = new OriginNames();
    expect(['', 'memset', 'memcpy', 'memset'].map((name) => names.intern(name))).toEqual([
      0, 1, 2, 1,
    ]);
    expect([0, 1, 2, 3].map((origin) => names.nameOf(origin))).toEqual([
      '',
      'memset',
      'memcpy',
      undefined,
    ]);
  });

  test('have the same numbers after a restore, and a new one the next', () => {
    const names = new OriginNames();
    names.intern('memset');
    const state = names.snapshot();
    names.intern('memcpy');
    names.restore(state);
    expect([names.intern('memset'), names.intern('strlen')]).toEqual([1, 2]);
    expect(state).toEqual(['', 'memset']);
  });
});
