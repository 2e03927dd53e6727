import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf, Integrity, type Produced } from '../../src/trace/integrity.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

function ghostOf(made: Produced): Integrity {
  const ghost = new Integrity();
  ghost.produced('initrd', made);
  return ghost;
}

describe('what the boot consumed', () => {
  test('is intact if it equals what was put there', () => {
    const ghost = ghostOf(bytes(1, 2, 3));
    ghost.consumed('initrd', 'unpack_to_rootfs', bytes(1, 2, 3));
    expect(ghost.list()).toEqual([{ name: 'initrd', by: 'unpack_to_rootfs', intact: true }]);
  });

  test('is what was put there, not what its producer made of the buffer later', () => {
    const buffer = bytes(1, 2, 3);
    const ghost = ghostOf(buffer);
    buffer.fill(0);
    ghost.consumed('initrd', 'x', bytes(1, 2, 3));
    expect(ghost.list()).toMatchObject([{ intact: true }]);
  });

  test('says where it differs first', () => {
    const ghost = ghostOf(bytes(1, 2, 3));
    ghost.consumed('initrd', 'x', bytes(1, 2, 4));
    expect(ghost.list()).toEqual([{ name: 'initrd', by: 'x', intact: false, firstDifference: 2 }]);
  });

  test('is not intact if nobody put it there', () => {
    const ghost = new Integrity();
    ghost.consumed('dtb', 'x', bytes());
    ghost.consumedPart('rsdp', 'x', 0, bytes());
    expect(ghost.list()).toEqual([
      { name: 'dtb', by: 'x', intact: false },
      { name: 'rsdp', by: 'x', intact: false },
    ]);
  });

  test('is compared by SHA-256 where only that is known of it', () => {
    // FIPS 180-4 example: "abc"
    const abc = 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD';
    expect(digestOf(bytes(0x61, 0x62, 0x63))).toBe(abc.toLowerCase());
    const ghost = ghostOf(abc);
    ghost.consumed('initrd', 'a', bytes(0x61, 0x62, 0x63));
    ghost.consumed('initrd', 'b', bytes(0x61, 0x62));
    ghost.consumedPart('initrd', 'c', 0, bytes(0x61));
    expect(ghost.list().map(({ by, intact }) => [by, intact])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
    ]);
  });

  test('may come in parts; offsets count from the start of the whole', () => {
    const ghost = ghostOf(bytes(1, 2, 3, 4));
    ghost.consumedPart('initrd', 'x', 2, bytes(3, 9));
    ghost.consumedPart('initrd', 'x', 0, bytes(1, 2));
    expect(ghost.list()).toEqual([{ name: 'initrd', by: 'x', intact: false, firstDifference: 3 }]);
    ghost.consumedPart('initrd', 'x', 1, bytes(9));
    expect(ghost.list()).toMatchObject([{ intact: false, firstDifference: 1 }]);
  });

  test('differs where a part goes past the end', () => {
    const ghost = ghostOf(bytes(1, 2));
    ghost.consumedPart('initrd', 'x', 1, bytes(2, 3));
    expect(ghost.list()).toMatchObject([{ intact: false, firstDifference: 2 }]);
  });

  test('in any parts is intact just if the whole is', () => {
    const some = fc.uint8Array({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(some, some, fc.array(fc.nat(30)), (made, flips, cuts) => {
        const got = made.map((byte, index) => byte ^ ((flips[index] ?? 0) < 250 ? 0 : 1));
        const whole = ghostOf(made);
        const parts = ghostOf(made);
        whole.consumed('initrd', 'x', got);
        const ends = [...new Set([0, ...cuts.filter((cut) => cut < got.length), got.length])];
        ends.sort((a, b) => a - b);
        ends.slice(1).forEach((end, index) => {
          const start = ends[index] ?? 0;
          parts.consumedPart('initrd', 'x', start, got.subarray(start, end));
        });
        expect(parts.list()).toEqual(whole.list());
      }),
    );
  });

  test('is known again after a snapshot', () => {
    const ghost = ghostOf(bytes(1));
    ghost.consumed('initrd', 'x', bytes(2));
    const other = new Integrity();
    other.restore(structuredClone(ghost.snapshot()));
    other.consumed('initrd', 'y', bytes(1));
    expect(other.list()).toEqual([...ghost.list(), { name: 'initrd', by: 'y', intact: true }]);
  });
});
