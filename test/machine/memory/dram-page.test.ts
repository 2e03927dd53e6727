import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, PAGE_SIZE, type KeyId } from '../../../src/machine/address.js';
import {
  endOfRun,
  isWhole,
  LINES,
  throughKey,
  UniformPages,
  UNTOUCHED,
  type Page,
} from '../../../src/machine/memory/dram-page.js';

const page = (byte: number, key = KEY_HOST): Page => new UniformPages().of(byte, key, 1);

describe('endOfRun', () => {
  test.each([
    [0, 6, 2],
    [1, 6, 2],
    [2, 6, 5],
    [2, 4, 4],
    [4, 5, 5],
    [5, 6, 6],
    [6, 7, 7],
  ])('from line %i, below %i, is %i', (line, last, end) => {
    expect(endOfRun(Uint16Array.of(1, 1, 2, 2, 2, 1, 1, 1), line, last)).toBe(end);
  });
});

describe('UniformPages', () => {
  test('makes a page of one byte, its lines pending under the key and written by the origin', () => {
    const { bytes, pending, owner, writer, sameContents } = new UniformPages().of(7, KEY_HOST, 9);
    expect([bytes.length, pending.length, owner.length, writer.length]).toEqual([
      PAGE_SIZE,
      ...[LINES, LINES, LINES],
    ]);
    for (const [array, value] of [
      [bytes, 7],
      [pending, KEY_HOST],
      [owner, KEY_HOST],
      [writer, 9],
    ] as const) {
      expect(array.every((element) => element === value)).toBe(true);
    }
    expect(sameContents).toBe(true);
  });

  test('has one page for each byte, key and origin', () => {
    const pages = new UniformPages();
    const triples = [
      [1, 12, 3],
      [11, 2, 3],
      [1, 1, 23],
      [2, 12, 3],
      [1, 12, 4],
    ] as const;
    const of = (): Page[] => triples.map(([byte, key, by]) => pages.of(byte, key as KeyId, by));
    const made = of();
    expect(new Set(made).size).toBe(triples.length);
    expect(made.map(({ bytes, owner, writer }) => [bytes[0], owner[0], writer[0]])).toEqual(
      triples,
    );
    expect(of().every((again, at) => again === made[at])).toBe(true);
  });
});

describe('throughKey', () => {
  test.each([
    ['no line', UNTOUCHED, UNTOUCHED, false],
    ['all lines without a key', KEY_PLAIN, KEY_PLAIN, false],
    ['some lines without a key', KEY_PLAIN, UNTOUCHED, false],
    ['the last line under a key', UNTOUCHED, KEY_HOST, true],
    ['only the last line not under a key', KEY_HOST, KEY_PLAIN, true],
  ])('of a page with %s written', (_what, others, last, expected) => {
    const written = page(0);
    written.owner.fill(others);
    written.owner[LINES - 1] = last;
    expect(throughKey(written)).toBe(expected);
  });
});

describe('isWhole', () => {
  test.each([0, 1, PAGE_SIZE - 1])('compares the byte at %i', (at) => {
    const stored = page(5);
    const bytes = stored.bytes.slice();
    expect(isWhole(stored, bytes, stored)).toBe(true);
    bytes[at] = 6;
    expect(isWhole(stored, bytes, stored)).toBe(false);
  });

  test('is false for another state of the lines', () => {
    const stored = page(5);
    expect(isWhole(stored, stored.bytes, page(5, KEY_PLAIN))).toBe(false);
  });
});
