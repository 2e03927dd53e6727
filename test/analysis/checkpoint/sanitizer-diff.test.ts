import { describe, expect, test } from '@jest/globals';
import {
  applySanitizerDiff,
  diffSanitizers,
  reportsAfter,
} from '../../../src/analysis/checkpoint/sanitizer-diff.js';
import type { SanitizerSnapshot } from '../../../src/sanitizer/sanitizer.js';
import { Shadow } from '../../../src/sanitizer/shadow.js';
import { RuleState } from '../../../src/sanitizer/state.js';
import type { Writer } from '../../../src/sanitizer/writers.js';

type Reports = SanitizerSnapshot['reports'];
type Change = (shadow: Shadow) => void;

const writer = (name: string, key = 0): Writer => ({
  site: { in: name },
  key: key as Writer['key'],
  party: 'cpu',
  cpu: 0,
  step: 's',
});
const LIST = [writer('a'), writer('b'), writer('c', 1)];
const RANGES = [{ name: 'initrd', base: 0x1004, size: 0x100, use: 'reader' as const }];

/** A state: 16 KiB that the first writer filled, changed. */
function state(change: Change, some: Partial<SanitizerSnapshot> = {}): SanitizerSnapshot {
  const shadow = new Shadow();
  shadow.write(0, 0x4000, 1);
  change(shadow);
  return {
    shadow: shadow.snapshot(),
    writers: LIST,
    translations: { held: [], stale: [] },
    reports: [],
    owned: [new Uint8Array(33)],
    rules: new RuleState().snapshot(),
    ...some,
  };
}

/** The bytes of a state with their writer's name: start, length, name, destroyed. */
function bytesOf({ shadow: pages, writers }: SanitizerSnapshot): unknown[] {
  const shadow = new Shadow();
  shadow.restore(pages);
  const runs: [start: number, length: number, by: string | undefined, destroyed: boolean][] = [];
  shadow.runs(0, 0x5000, (start, length, number, destroyed) => {
    const by = writers[number - 1]?.site.in;
    const last = runs.at(-1);
    if (last?.[2] === by && last?.[3] === destroyed) last[1] += length;
    else runs.push([start, length, by, destroyed]);
  });
  return runs;
}

describe('two states of the sanitizer', () => {
  test('differ in no line if their bytes have equal writers, whatever the numbers of these', () => {
    const a = state((shadow) => {
      shadow.write(0x1000, 0x40, 2);
    });
    const b = state(
      (shadow) => {
        shadow.write(0x1000, 0x40, 3);
      },
      { writers: [writer('a'), writer('c', 1), writer('b')] },
    );
    expect(diffSanitizers(a, b, RANGES)?.lines).toEqual([]);
    const other = { ...b, writers: [writer('a'), writer('c', 1), writer('b', 1)] };
    expect(diffSanitizers(a, other, RANGES)?.lines).toEqual([0x40]);
  });

  test('differ in the lines of bytes with other writers, or destroyed, or never written', () => {
    const a = state((shadow) => {
      shadow.write(0x1043, 2, 2);
      shadow.destroy(0x2000, 8);
      shadow.write(0x4000, 1, 3);
    });
    const b = state(() => undefined);
    expect(diffSanitizers(a, b, RANGES)?.lines).toEqual([0x41, 0x80, 0x100]);
    expect(diffSanitizers(b, a, RANGES)?.lines).toEqual([0x41, 0x80, 0x100]);
  });

  test('differ in the lines of owned bytes that were read in one only', () => {
    const read = new Uint8Array(33);
    read[8] = 1;
    const a = state(() => undefined, { owned: [read] });
    expect(
      diffSanitizers(
        a,
        state(() => undefined),
        RANGES,
      )?.lines,
    ).toEqual([0x48]);
  });

  test.each<[string, Partial<SanitizerSnapshot>]>([
    [
      'translations',
      {
        translations: {
          held: [['0 4096', [{ va: 0, size: 4096, global: false, rw: true, nx: false }]]],
          stale: [],
        },
      },
    ],
    [
      'a stale translation',
      {
        translations: {
          held: [],
          stale: [
            { cpu: 0, va: 0, size: 4096, global: false, rw: true, nx: false, entry: 8, writer: 1 },
          ],
        },
      },
    ],
    ['a part that is not known here', { other: [1] } as Partial<SanitizerSnapshot>],
  ])('that differ in %s are not compared line by line', (_what, some) => {
    const [a, b] = [state(() => undefined, some), state(() => undefined)];
    expect(diffSanitizers(a, b, RANGES)).toBeUndefined();
    expect(diffSanitizers(a, a, RANGES)?.lines).toEqual([]);
  });

  test('the difference, applied to a later state, has the first state in its lines only', () => {
    const a = state(
      (shadow) => {
        shadow.write(0x1043, 2, 4);
        shadow.destroy(0x2000, 8);
        shadow.write(0x4000, 1, 3);
      },
      { writers: [...LIST, writer('row')] },
    );
    const read = new Uint8Array(33);
    read[8] = 1;
    const b = state(() => undefined, { owned: [read] });
    const diff = diffSanitizers(a, b, RANGES);
    const later = state(
      (shadow) => {
        shadow.write(0x1010, 8, 4);
        shadow.write(0x3000, 0x1000, 2);
      },
      { writers: [...LIST, writer('later')], owned: [new Uint8Array(33).fill(1)] },
    );
    const before = bytesOf(later);
    if (diff === undefined) throw new Error('no difference');
    const applied = applySanitizerDiff(later, diff, []);
    expect(bytesOf(applied)).toEqual([
      [0, 0x1010, 'a', false],
      [0x1010, 8, 'later', false],
      [0x1018, 0x2b, 'a', false],
      [0x1043, 2, 'row', false],
      [0x1045, 0xfbb, 'a', false],
      [0x2000, 8, 'a', true],
      [0x2008, 0xff8, 'a', false],
      [0x3000, 0x1000, 'b', false],
      [0x4000, 1, 'c', false],
      [0x4001, 0xfff, undefined, false],
    ]);
    expect([...(applied.owned[0] ?? [])].flatMap((bit, i) => (bit === 1 ? [] : [i]))).toEqual([8]);
    expect(bytesOf(later)).toEqual(before);
  });
});

describe('the reports after a step that makes the same ones in both boots', () => {
  const one = (
    id: string,
    n: number,
    start = 0,
    end = 8,
    outcome: Reports[number][1]['outcome'] = 'nothing yet',
  ): Reports[number] => {
    const found = { rule: 'mixed-key-line', site: { in: 'f' }, length: 8, what: '' } as const;
    const folded = { step: 's', end, vaEnd: Number.NaN, n, event: -1, outcome };
    return [id, { found: { ...found, start, outcome: 'nothing yet' }, ...folded }];
  };

  test.each<[string, Reports, Reports, Reports, Reports | undefined]>([
    [
      'are the own ones if none was made',
      [one('a', 2)],
      [one('a', 1)],
      [one('a', 1)],
      [one('a', 2)],
    ],
    ['have a new one', [one('a', 2)], [], [one('b', 3)], [one('a', 2), one('b', 3)]],
    [
      'count further ones, and grow as the other grew',
      [one('a', 5)],
      [one('a', 2)],
      [one('a', 3, 0, 16, 'data lost')],
      [one('a', 6, 0, 16, 'data lost')],
    ],
    ['join the first of the other', [one('a', 5)], [], [one('a', 1, 8, 16)], [one('a', 6, 0, 16)]],
    [
      'do not join one that does not adjoin',
      [one('a', 5)],
      [],
      [one('a', 1, 64, 72, 'data lost')],
      [one('a', 6, 0, 8, 'data lost')],
    ],
    ['are not known if the first of the step is not', [], [one('a', 1)], [one('a', 2)], undefined],
    [
      'are not known if the range is not',
      [one('a', 1, 0, 9)],
      [one('a', 1)],
      [one('a', 2)],
      undefined,
    ],
    [
      'are not known if the outcome of the step is not',
      [one('a', 1)],
      [one('a', 1, 0, 8, 'data lost')],
      [one('a', 2, 0, 8, 'data lost')],
      undefined,
    ],
    ['are not known if several were folded', [one('a', 1)], [], [one('a', 2, 8, 16)], undefined],
  ])('%s', (_what, ours, before, after, expected) => {
    expect(reportsAfter(ours, before, after)).toEqual(expected);
  });
});
