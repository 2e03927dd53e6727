import { describe, expect, test } from '@jest/globals';
import {
  COMMON_FIELDS,
  isKind,
  KINDS,
  keysOf,
  ORIGIN_FIELDS,
  principalOf,
  TRACE_KINDS,
} from '../../src/trace/vocabulary.js';

describe('the vocabulary', () => {
  test('has every kind of event that a boot emits', () => {
    expect(TRACE_KINDS).toEqual([
      ...['enter', 'cpuid', 'rdmsr', 'wrmsr', 'cr', 'map', 'unmap', 'protect', 'tlb-flush'],
      ...['cache-flush', 'copy', 'fill', 'encrypt', 'decrypt', 'dma', 'ipi'],
      ...['vmrun', 'vmexit', 'console', 'read'],
      ...['fault', 'panic', 'outcome'],
    ]);
  });

  test.each(TRACE_KINDS)('has no field twice for %s, and none that is a kind', (kind) => {
    const keys = [...KINDS[kind].fields, ...COMMON_FIELDS, ...ORIGIN_FIELDS];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter(isKind)).toEqual([]);
  });

  test('puts the C-bit and the effective memory type of a mapping in separate fields', () => {
    expect(keysOf('map')).toEqual(expect.arrayContaining(['C', 'type']));
    expect(principalOf('map')).toBe('va');
    expect(keysOf('map')).not.toContain('va');
  });

  test.each(['toString', '__proto__', 'constructor', ''])(
    'does not accept %p as a kind',
    (word) => {
      expect(isKind(word)).toBe(false);
    },
  );
});
