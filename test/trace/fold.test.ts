import { describe, expect, test } from '@jest/globals';
import type { Recorder } from '../../src/trace/recorder.js';
import { by, copyFields, eventsOf, PAGE, pa } from './helpers.js';

const BUFFER = pa(0x5000);

/** What sme_early_mem_enc does for each chunk: out of the range under one C-bit, into it under the other. */
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

const kinds = (story: (recorder: Recorder) => void): string[] =>
  eventsOf(story).map((event) => Object.keys(event)[0] ?? '');

describe('a copy into a buffer and back to the same place', () => {
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

  test('is two copies still if both were made under the same C-bit', () => {
    const story = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 1, 1), by('f'));
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
    };
    expect(kinds(story)).toEqual(['copy', 'copy']);
  });

  test.each([-1, 1])('is two copies if it comes back %d byte off', (off) => {
    const story = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 1), by('f'));
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000 + off), 1, 1), by('f'));
    };
    expect(kinds(story)).toEqual(['copy', 'copy']);
  });

  test('is two copies if the buffer was read under another C-bit than it was written', () => {
    const story = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 0), by('f'));
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
    };
    expect(kinds(story)).toEqual(['copy', 'copy']);
  });

  test('stays as it is if the second chunk overwrote the first in the buffer', () => {
    const pages = [0x10_0000, 0x10_1000];
    const story = (recorder: Recorder): void => {
      for (const page of pages) {
        recorder.emit('copy', copyFields(pa(page), BUFFER, 0, 1), by('f'));
      }
      for (const page of pages) {
        recorder.emit('copy', copyFields(BUFFER, pa(page), 1, 1), by('f'));
      }
    };
    expect(kinds(story)).toEqual(['copy', 'copy']);
  });

  test('stays as it is if it was written back before it was read', () => {
    const story = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 1), by('f'));
    };
    expect(kinds(story)).toEqual(['copy', 'copy']);
  });

  test('stays as it is if two functions share it', () => {
    const story = (recorder: Recorder): void => {
      recorder.emit('copy', copyFields(pa(0x10_0000), BUFFER, 0, 1), by('f'));
      recorder.scopeEnter('g');
      recorder.emit('copy', copyFields(BUFFER, pa(0x10_0000), 1, 1), by('f'));
    };
    expect(kinds(story)).toEqual(['copy', 'copy']);
  });
});

describe('the entry of a function', () => {
  const enter = (recorder: Recorder, fn: string, what?: string): void =>
    recorder.emit('enter', { fn, what }, by(fn));
  const fill = (recorder: Recorder, fn: string): void =>
    recorder.emit('fill', { at: pa(0) }, by(fn));

  test('needs no line where the function has another after it', () => {
    expect(
      kinds((recorder) => {
        enter(recorder, 'f');
        fill(recorder, 'f');
      }),
    ).toEqual(['fill']);
  });

  test.each([
    ['it is all that the function shows', 'f', 'g', undefined, ['enter', 'fill']],
    ['it says more', 'f', 'f', 'firmware, status 0x0', ['enter', 'fill']],
  ] as const)('stays where %s', (_why, entered, acting, what, lines) => {
    expect(
      kinds((recorder) => {
        enter(recorder, entered, what);
        fill(recorder, acting);
      }),
    ).toEqual(lines);
  });

  test('stays where the function acted before it only', () => {
    expect(
      kinds((recorder) => {
        fill(recorder, 'f');
        enter(recorder, 'f');
      }),
    ).toEqual(['fill', 'enter']);
  });
});

describe('what CPUs do alike', () => {
  const starts = (recorder: Recorder, cpu: number, value = '0x1'): void => {
    recorder.emit('cr', { reg: 'CR0', value, cpu }, by('trampoline_start'));
    recorder.emit('cr', { reg: 'CR4', value: '0xb0', cpu }, by('pa_startup_32'));
  };
  const cpus = (story: (recorder: Recorder) => void): unknown[] =>
    eventsOf(story).map((event) => event.cpu);

  test.each([
    ['in a row', [1, 2, 3], '1..3'],
    ['apart', [1, 3], '1,3'],
    ['alone', [2], 2],
  ] as const)('is told once, of all of them: %s', (_how, all, told) => {
    expect(cpus((recorder) => all.forEach((cpu) => starts(recorder, cpu)))).toEqual([told, told]);
  });

  test('is told of each where one line differs', () => {
    expect(
      cpus((recorder) => {
        starts(recorder, 1);
        starts(recorder, 2, '0x11');
        starts(recorder, 3);
      }),
    ).toEqual(['1,3', '1,3', 2, 2]);
  });
});

describe('what CPUID answers each CPU', () => {
  const ask = (recorder: Recorder, cpu: number, ebx: number): void => {
    const fields = { leaf: '0x1', eax: '0x800f12', ebx: `0x${ebx.toString(16)}`, cpu };
    recorder.emit('cpuid', fields, by('f'));
    recorder.emit('rdmsr', { msr: 'EFER', value: '0x0', cpu }, by('f'));
  };

  test('does not keep their lines apart, and is listed where it differs', () => {
    const events = eventsOf((recorder) => {
      for (const cpu of [1, 2, 3]) ask(recorder, cpu, cpu * 2 ** 24);
    });
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({
      cpuid: '0x1',
      eax: '0x800f12',
      ebx: '0x1000000,0x2000000,0x3000000',
      cpu: '1..3',
    });
  });

  test('stands once where it is the same', () => {
    const events = eventsOf((recorder) => {
      for (const cpu of [1, 2]) ask(recorder, cpu, 0x800);
    });
    expect(events[0]).toMatchObject({ ebx: '0x800', cpu: '1..2' });
  });
});
