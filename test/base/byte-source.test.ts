import { describe, expect, test } from '@jest/globals';
import { asSource, chunksOf, sourceOf } from '../../src/base/byte-source.js';
import { Integrity } from '../../src/trace/integrity.js';
import { exhaustiveTest } from '../cases.js';

const bytes = Uint8Array.from({ length: (1 << 20) + 5 }, (_, i) => i % 251);

describe('a byte source', () => {
  exhaustiveTest('is read in chunks whose concatenation is the whole', () => {
    const again = new Uint8Array(bytes.length);
    for (const { at, bytes: chunk } of chunksOf(sourceOf(bytes))) again.set(chunk, at);
    expect(again).toEqual(bytes);
    expect([...chunksOf(sourceOf(new Uint8Array(0)))]).toEqual([]);
  });

  test('is compared with the bytes that a consumer read', () => {
    const integrity = new Integrity();
    integrity.produced('disk', asSource(sourceOf(bytes)));
    integrity.consumedPart('disk', 'one', 3, bytes.slice(3, 900));
    integrity.consumedPart('disk', 'two', 100, bytes.slice(100, 200).fill(255, 7, 8));
    integrity.consumedPart('disk', 'three', bytes.length - 2, new Uint8Array(4));
    integrity.consumed('disk', 'four', bytes.slice());
    integrity.consumed('disk', 'five', bytes.slice().fill(255, 1 << 20));
    expect(integrity.list()).toEqual([
      { name: 'disk', by: 'one', intact: true },
      { name: 'disk', by: 'two', intact: false, firstDifference: 107 },
      { name: 'disk', by: 'three', intact: false, firstDifference: bytes.length - 2 },
      { name: 'disk', by: 'four', intact: true },
      { name: 'disk', by: 'five', intact: false, firstDifference: 1 << 20 },
    ]);
  });
});

describe('Integrity.producedAs', () => {
  test('checks reads of a name against what was produced under another', () => {
    const integrity = new Integrity();
    integrity.produced('file 7', Uint8Array.of(1, 2));
    integrity.producedAs('page', 'file 7');
    integrity.consumed('page', 'reader', Uint8Array.of(1, 2));
    integrity.producedAs('page', 'nothing');
    integrity.consumed('page', 'other', Uint8Array.of(1, 2));
    expect(integrity.list().map(({ by, intact }) => [by, intact])).toEqual([
      ['reader', true],
      ['other', false],
    ]);
  });
});
