import { describe, expect, test } from '@jest/globals';
import type { Recorder } from '../../src/trace/recorder.js';
import { by, copyFields, eventsOf, PAGE, pa } from './helpers.js';

const BUFFER = pa(0x5000);

/** The two copies of sme_early_mem_enc for each chunk: from the range under one C-bit, to it under the other. */
function inPlace(recorder: Recorder, start: number, chunks: readonly number[], from: 0 | 1): void {
  const to = from === 0 ? 1 : 0;
  let at = start;
  for (const length of chunks) {
    const buffer = pa(BUFFER.start, length);
    recorder.emit('copy', copyFields(pa(at, length), buffer, from, 1), by('f'));
    recorder.emit('copy', copyFields(buffer, pa(at, length), 1, to), by('f'));
    at += length;
  }
}

const kinds = (record: (recorder: Recorder) => void): string[] =>
  eventsOf(record).map((event) => Object.keys(event)[0] ?? '');

describe('a copy into a buffer and back to the same range', () => {
  test.each([
    ['encrypt', 0],
    ['decrypt', 1],
  ] as const)('is an %s if it was read under C=%d', (kind, from) => {
    const via = BUFFER.start - 2 ** 46;
    const viaText = `0x${BigInt.asUintN(64, BigInt(via)).toString(16)}`;
    const viaEnd = `0x${BigInt.asUintN(64, BigInt(via + PAGE - 1)).toString(16)}`;
    expect(eventsOf((recorder) => inPlace(recorder, 0x10_0000, [PAGE], from))).toEqual([
      {
        [kind]: '0x100000..0x100fff',
        bytes: PAGE,
        via: `${viaText}..${viaEnd}`,
        in: 'f',
        file: 'arch/x86/mm/mem_encrypt.c',
        patch: 8,
      },
    ]);
  });

  test.each([
    ['one byte', [1], 1],
    ['a page', [PAGE], PAGE],
    ['a page and a byte', [PAGE, 1], PAGE + 1],
    ['a hundred chunks and a rest', [...Array<number>(100).fill(PAGE), 77], 100 * PAGE + 77],
  ])('is one event for all its chunks: %s', (_what, chunks, bytes) => {
    const events = eventsOf((recorder) => inPlace(recorder, 0x10_0000, chunks, 0));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ bytes });
  });

  test('stays two copies if both were made under the same C-bit', () => {
    const record = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 1, 1), by('f'));
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
    };
    expect(kinds(record)).toEqual(['copy', 'copy']);
  });

  test.each([-1, 1])('stays two copies if it is written back %d byte off', (off) => {
    const record = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 1), by('f'));
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000 + off), 1, 1), by('f'));
    };
    expect(kinds(record)).toEqual(['copy', 'copy']);
  });

  test('stays two copies if the buffer was read under another C-bit than it was written', () => {
    const record = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 0), by('f'));
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
    };
    expect(kinds(record)).toEqual(['copy', 'copy']);
  });

  test('stays two copies if the second chunk overwrote the first in the buffer', () => {
    const pages = [0x10_0000, 0x10_1000];
    const record = (recorder: Recorder): void => {
      for (const page of pages) {
        recorder.emit('copy', copyFields(pa(page), BUFFER, 0, 1), by('f'));
      }
      for (const page of pages) {
        recorder.emit('copy', copyFields(BUFFER, pa(page), 1, 1), by('f'));
      }
    };
    expect(kinds(record)).toEqual(['copy', 'copy']);
  });

  test('stays two copies if it was written back before it was read', () => {
    const record = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 1), by('f'));
    };
    expect(kinds(record)).toEqual(['copy', 'copy']);
  });

  test('stays two copies if they have different call paths', () => {
    const record = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 1), by('f'));
      recorder.scopeEnter('g');
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
    };
    expect(kinds(record)).toEqual(['copy', 'copy']);
  });
});

describe('the entry of a function', () => {
  const enter = (recorder: Recorder, fn: string, what?: string): void =>
    recorder.emit('enter', { fn, what }, by(fn));
  const fill = (recorder: Recorder, fn: string): void =>
    recorder.emit('fill', { at: pa(0) }, by(fn));

  test('has no line where the function has a later one', () => {
    expect(
      kinds((recorder) => {
        enter(recorder, 'f');
        fill(recorder, 'f');
      }),
    ).toEqual(['fill']);
  });

  test.each([
    ['the function has no other line', 'f', 'g', undefined, ['enter', 'fill']],
    ['it has a further field', 'f', 'f', 'firmware, status 0x0', ['enter', 'fill']],
  ] as const)('has a line where %s', (_why, entered, acting, what, lines) => {
    expect(
      kinds((recorder) => {
        enter(recorder, entered, what);
        fill(recorder, acting);
      }),
    ).toEqual(lines);
  });

  test('has a line where the function has only earlier ones', () => {
    expect(
      kinds((recorder) => {
        fill(recorder, 'f');
        enter(recorder, 'f');
      }),
    ).toEqual(['fill', 'enter']);
  });
});

describe('equal lines of several CPUs', () => {
  const starts = (recorder: Recorder, cpu: number, value = '0x1'): void => {
    recorder.emit('cr', { reg: 'CR0', value, cpu }, by('trampoline_start'));
    recorder.emit('cr', { reg: 'CR4', value: '0xb0', cpu }, by('pa_startup_32'));
  };
  const cpus = (record: (recorder: Recorder) => void): unknown[] =>
    eventsOf(record).map((event) => event.cpu);

  test.each([
    ['consecutive', [1, 2, 3], '1..3'],
    ['not consecutive', [1, 3], '1,3'],
    ['one', [2], 2],
  ] as const)('are merged, with the list of CPUs: %s', (_how, all, list) => {
    expect(cpus((recorder) => all.forEach((cpu) => starts(recorder, cpu)))).toEqual([list, list]);
  });

  test('are not merged with those of a CPU that differs in one line', () => {
    expect(
      cpus((recorder) => {
        starts(recorder, 1);
        starts(recorder, 2, '0x11');
        starts(recorder, 3);
      }),
    ).toEqual(['1,3', '1,3', 2, 2]);
  });
});

describe('CPUID results of several CPUs', () => {
  const execute = (recorder: Recorder, cpu: number, ebx: number): void => {
    const fields = { leaf: '0x1', eax: '0x800f12', ebx: `0x${ebx.toString(16)}`, cpu };
    recorder.emit('cpuid', fields, by('f'));
    recorder.emit('rdmsr', { msr: 'EFER', value: '0x0', cpu }, by('f'));
  };

  test('are merged into one line, and listed where they differ', () => {
    const events = eventsOf((recorder) => {
      for (const cpu of [1, 2, 3]) execute(recorder, cpu, cpu * 2 ** 24);
    });
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({
      cpuid: '0x1',
      eax: '0x800f12',
      ebx: '0x1000000,0x2000000,0x3000000',
      cpu: '1..3',
    });
  });

  test('are printed once where they are equal', () => {
    const events = eventsOf((recorder) => {
      for (const cpu of [1, 2]) execute(recorder, cpu, 0x800);
    });
    expect(events[0]).toMatchObject({ ebx: '0x800', cpu: '1..2' });
  });
});
