import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf, Integrity, type Produced } from '../../src/trace/integrity.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

function integrityOf(made: Produced): Integrity {
  const integrity = new Integrity();
  integrity.produced('initrd', made);
  return integrity;
}

describe('a read', () => {
  test('is intact if it equals what was produced', () => {
    const integrity = integrityOf(bytes(1, 2, 3));
    integrity.consumed('initrd', 'unpack_to_rootfs', bytes(1, 2, 3));
    expect(integrity.list()).toEqual([{ name: 'initrd', by: 'unpack_to_rootfs', intact: true }]);
  });

  test("is checked against a copy: later changes of the producer's buffer do not count", () => {
    const buffer = bytes(1, 2, 3);
    const integrity = integrityOf(buffer);
    buffer.fill(0);
    integrity.consumed('initrd', 'x', bytes(1, 2, 3));
    expect(integrity.list()).toMatchObject([{ intact: true }]);
  });

  test('is checked against what was produced under an earlier name', () => {
    const integrity = integrityOf(bytes(1, 2, 3));
    integrity.producedAs('relocated initrd', 'initrd');
    integrity.consumed('relocated initrd', 'x', bytes(1, 2, 3));
    expect(integrity.list()).toMatchObject([{ intact: true }]);
  });

  test('has the offset of its first difference', () => {
    const integrity = integrityOf(bytes(1, 2, 3));
    integrity.consumed('initrd', 'x', bytes(1, 2, 4));
    expect(integrity.list()).toEqual([
      { name: 'initrd', by: 'x', intact: false, firstDifference: 2 },
    ]);
  });

  test('of a name is not intact after the earlier name of it was not produced', () => {
    const integrity = integrityOf(bytes(1, 2, 3));
    integrity.producedAs('initrd', 'dtb');
    expect(integrity.has('initrd')).toBe(false);
    integrity.consumed('initrd', 'x', bytes(1, 2, 3));
    expect(integrity.snapshot()).toEqual({
      produced: [],
      consumed: [{ name: 'initrd', by: 'x', intact: false }],
      prefix: '',
    });
  });

  test('of a name that was not produced is not intact', () => {
    const integrity = new Integrity();
    integrity.consumed('dtb', 'x', bytes());
    integrity.consumedPart('rsdp', 'x', 0, bytes());
    expect(integrity.list()).toEqual([
      { name: 'dtb', by: 'x', intact: false },
      { name: 'rsdp', by: 'x', intact: false },
    ]);
  });

  test('is checked by SHA-256 where only the digest was produced', () => {
    // FIPS 180-4 example: "abc"
    const abc = 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD';
    expect(digestOf(bytes(0x61, 0x62, 0x63))).toBe(abc.toLowerCase());
    const integrity = integrityOf(abc);
    integrity.consumed('initrd', 'a', bytes(0x61, 0x62, 0x63));
    integrity.consumed('initrd', 'b', bytes(0x61, 0x62));
    integrity.consumedPart('initrd', 'c', 0, bytes(0x61));
    expect(integrity.list().map(({ by, intact }) => [by, intact])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
    ]);
  });

  test('in parts has offsets from the start of the whole', () => {
    const integrity = integrityOf(bytes(1, 2, 3, 4));
    integrity.consumedPart('initrd', 'x', 2, bytes(3, 9));
    integrity.consumedPart('initrd', 'x', 0, bytes(1, 2));
    expect(integrity.list()).toEqual([
      { name: 'initrd', by: 'x', intact: false, firstDifference: 3 },
    ]);
    integrity.consumedPart('initrd', 'x', 1, bytes(9));
    expect(integrity.list()).toMatchObject([{ intact: false, firstDifference: 1 }]);
  });

  test('differs where a part extends past the end', () => {
    const integrity = integrityOf(bytes(1, 2));
    integrity.consumedPart('initrd', 'x', 1, bytes(2, 3));
    expect(integrity.list()).toMatchObject([{ intact: false, firstDifference: 2 }]);
  });

  test('in any parts is intact if and only if the whole is', () => {
    const some = fc.uint8Array({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(some, some, fc.array(fc.nat(30)), (made, flips, cuts) => {
        const got = made.map((byte, index) => byte ^ ((flips[index] ?? 0) < 250 ? 0 : 1));
        const whole = integrityOf(made);
        const parts = integrityOf(made);
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

  test('is restored from a snapshot', () => {
    const integrity = integrityOf(bytes(1));
    integrity.consumed('initrd', 'x', bytes(2));
    const other = new Integrity();
    other.restore(structuredClone(integrity.snapshot()));
    other.consumed('initrd', 'y', bytes(1));
    expect(other.list()).toEqual([...integrity.list(), { name: 'initrd', by: 'y', intact: true }]);
  });
});
