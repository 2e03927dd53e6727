import { describe, expect, test } from '@jest/globals';
import { coarsened, StepEvents, type Line } from '../../../src/inspect/executed/step-events.js';
import type { Span } from '../../../src/trace/event.js';

const pages = (start: number, length = 0x1000): Span => ({ space: 'va', start, length });
const shown = (lines: readonly Line[]): unknown[] =>
  lines.map(({ kind, fields, fn, n }) => [kind, fields, fn, n]);

describe('the events of a step', () => {
  test('are one line where they are equal, at the place of the first', () => {
    const step = new StepEvents('s');
    step.add('tlb-flush', { how: 'cr3' }, 'f');
    step.add('cr', { reg: 'CR3', value: 1n, C: 1 }, 'f');
    step.add('tlb-flush', { how: 'cr3' }, 'f');
    step.add('tlb-flush', { how: 'cr3' }, 'g');
    expect(shown(step.lines)).toEqual([
      ['tlb-flush', { how: 'cr3' }, 'f', 2],
      ['cr', { reg: 'CR3', value: 1n, C: 1 }, 'f', 1],
      ['tlb-flush', { how: 'cr3' }, 'g', 1],
    ]);
  });

  test('stay bounded while the boot runs', () => {
    const step = new StepEvents('s');
    for (let i = 0; i < 5000; i++) step.add('cr', { reg: 'CR3', value: BigInt(i), C: 1 }, 'f');
    expect(step.lines).toHaveLength(1001);
    expect(shown(step.lines).at(-1)).toEqual([
      'cr',
      { reg: 'CR3', C: 1 },
      'several functions',
      4000,
    ]);
  });
});

describe('beyond the lines of a kind that have room', () => {
  const line = (kind: Line['kind'], fields: Line['fields'], n = 1): Line => ({
    ...{ kind, fields, n },
    fn: 'f',
  });

  test('events merge by what is kept of their kind', () => {
    const lines = [0n, 1n, 2n, 3n].map((value) => line('cr', { reg: 'CR3', value, C: 1 }));
    const other = line('cr', { reg: 'CR0', value: 5n });
    expect(shown(coarsened([...lines, other], 2))).toEqual([
      ['cr', { reg: 'CR3', value: 0n, C: 1 }, 'f', 1],
      ['cr', { reg: 'CR3', value: 1n, C: 1 }, 'f', 1],
      ['cr', { reg: 'CR3', C: 1 }, 'several functions', 2],
      ['cr', { reg: 'CR0', C: undefined }, 'several functions', 1],
    ]);
  });

  test('mappings of equal attributes merge, with the range that covers them', () => {
    const map = (start: number): Line =>
      line('map', { va: pages(start), pa: pages(9), size: '4K', flags: 'RW', C: 1, type: 'WB' });
    expect(shown(coarsened([map(0), map(0x9000), map(0x3000)], 1)).at(-1)).toEqual([
      'map',
      { va: pages(0x3000, 0x7000), size: '4K', flags: 'RW', C: 1, type: 'WB' },
      'several functions',
      2,
    ]);
  });

  test('bytes whose key changed are added', () => {
    const pa = (start: number): Span => ({ space: 'pa', start, length: 64 });
    const lines = [0, 0x1000, 0x2000].map((at) => line('encrypt', { pa: pa(at), bytes: 64 }));
    const [, second] = coarsened(lines, 1);
    expect(second?.fields).toEqual({
      pa: { space: 'pa', start: 0x1000, length: 0x1040 },
      bytes: 128,
    });
  });

  test('lines of the console and the outcome stay', () => {
    const lines = [1, 2, 3].map((i) => line('console', { text: String(i) }));
    const end = line('outcome', { kind: 'halt' });
    expect(coarsened([...lines, end], 1)).toEqual([...lines, end]);
  });
});
