import { describe, expect, test } from '@jest/globals';
import { asSource, piecesOf, sourceOf } from '../../src/base/byte-source.js';
import { Integrity } from '../../src/trace/integrity.js';

const bytes = Uint8Array.from({ length: (1 << 20) + 5 }, (_, i) => i % 251);

describe('bytes that are read where they are', () => {
  test('come in pieces that make them up', () => {
    const again = new Uint8Array(bytes.length);
    for (const { at, bytes: piece } of piecesOf(sourceOf(bytes))) again.set(piece, at);
    expect(again).toEqual(bytes);
    expect([...piecesOf(sourceOf(new Uint8Array(0)))]).toEqual([]);
  });

  test('are compared with what a consumer got, to the byte', () => {
    const ghost = new Integrity();
    ghost.produced('disk', asSource(sourceOf(bytes)));
    ghost.consumedPart('disk', 'one', 3, bytes.slice(3, 900));
    ghost.consumedPart('disk', 'two', 100, bytes.slice(100, 200).fill(255, 7, 8));
    ghost.consumedPart('disk', 'three', bytes.length - 2, new Uint8Array(4));
    ghost.consumed('disk', 'four', bytes.slice());
    ghost.consumed('disk', 'five', bytes.slice().fill(255, 1 << 20));
    expect(ghost.list()).toEqual([
      { name: 'disk', by: 'one', intact: true },
      { name: 'disk', by: 'two', intact: false, firstDifference: 107 },
      { name: 'disk', by: 'three', intact: false, firstDifference: bytes.length - 2 },
      { name: 'disk', by: 'four', intact: true },
      { name: 'disk', by: 'five', intact: false, firstDifference: 1 << 20 },
    ]);
  });
});

describe('what was produced under one name', () => {
  test('is what is to be found under another', () => {
    const ghost = new Integrity();
    ghost.produced('file 7', Uint8Array.of(1, 2));
    ghost.producedAs('page', 'file 7');
    ghost.consumed('page', 'reader', Uint8Array.of(1, 2));
    ghost.producedAs('page', 'nothing');
    ghost.consumed('page', 'other', Uint8Array.of(1, 2));
    expect(ghost.list().map(({ by, intact }) => [by, intact])).toEqual([
      ['reader', true],
      ['other', false],
    ]);
  });
});
