import { describe, expect, test } from '@jest/globals';
import { Recorder } from '../../src/trace/recorder.js';
import type { Origin } from '../../src/trace/event.js';
import { by, eventsOf, HEADER, PAGE, pa, recording, refusal, smallTrace, va } from './helpers.js';

describe('the recorder', () => {
  test('stores the events of each boot step under its label, in order', () => {
    const trace = smallTrace();
    expect(trace.steps.map(({ label, events }) => [label, events.length])).toEqual([
      ['startup_64', 2],
      ['reserve_initrd', 2],
    ]);
    expect(trace.header).toEqual(HEADER);
    expect(trace.consumed).toEqual([
      { name: 'initrd', by: 'unpack_to_rootfs', intact: false, firstDifference: 2 },
    ]);
    expect(trace.final.regions).toEqual([
      {
        name: 'initrd',
        pa: '0x100000..0x100fff',
        bytes: PAGE,
        state: 'ciphertext',
        digest: 'beef',
      },
    ]);
  });

  test('records the outcome as the last event of the step it ended in', () => {
    const trace = smallTrace();
    expect(trace.outcome.kind).toBe('panic');
    expect(trace.steps.at(-1)?.events.at(-1)).toMatchObject({ outcome: 'panic', where: 'panic' });
  });

  test('has no events of a step that is not there', () => {
    const recorder = recording('startup_64');
    recorder.emit('fill', { at: pa(0) }, by('f'));
    expect(recorder.eventsOf('startup_64').length).toBe(1);
    expect(recorder.eventsOf('start_kernel')).toEqual([]);
  });

  test('does not merge events of two boot steps', () => {
    const recorder = recording();
    recorder.emit('fill', { at: pa(0) }, by('f'));
    recorder.step('next');
    recorder.emit('fill', { at: pa(PAGE) }, by('f'));
    expect(recorder.snapshot().steps.map(({ events }) => events.length)).toEqual([1, 1]);
  });

  test('merges events of a function that the same caller calls several times', () => {
    const events = eventsOf((recorder) => {
      for (let page = 0; page < 4; page++) {
        recorder.scopeEnter('__early_set_fixmap');
        recorder.emit('map', { va: va(0), pa: pa(page * PAGE), C: 1 }, by('f'));
        recorder.scopeLeave();
      }
    });
    expect(events).toEqual([expect.objectContaining({ pa: '0x0..0x3fff', n: 4 })]);
  });

  test('does not merge events of a function called by two callers', () => {
    const events = eventsOf((recorder) => {
      ['caller', 'other'].forEach((caller, page) => {
        recorder.scopeEnter(caller);
        recorder.scopeEnter('__early_set_fixmap');
        recorder.emit('fill', { at: pa(page * PAGE) }, by('f'));
        recorder.scopeLeave();
        recorder.scopeLeave();
      });
    });
    expect(events).toHaveLength(2);
  });

  test('accepts more returns than calls', () => {
    const events = eventsOf((recorder) => {
      recorder.scopeLeave();
      recorder.emit('console', { text: 'still here' }, by('f'));
    });
    expect(events).toHaveLength(1);
  });

  test('names addresses with its symbolize option', () => {
    const recorder = new Recorder({ symbolize: (space, at) => `${space}:${at}` });
    recorder.step('a');
    recorder.emit('fill', { at: va(16, 1) }, by('f'));
    expect(recorder.snapshot().steps[0]?.events[0]?.fill).toBe('0x10 va:16');
  });

  test('interns equal names as the same integer, and the hardware itself as 0', () => {
    const recorder = new Recorder();
    expect(recorder.intern('')).toBe(0);
    expect(recorder.intern('a')).toBe(1);
    expect(recorder.intern('b')).toBe(2);
    expect(recorder.intern('a')).toBe(1);
    expect([0, 1, 2, 3].map((each) => recorder.nameOf(each))).toEqual(['', 'a', 'b', undefined]);
  });
});

interface Untyped {
  emit(kind: string, fields: object, origin: Origin): void;
}

describe('the recorder refuses', () => {
  /** The recorder as a caller in JavaScript sees it: without types. */
  const untyped = (recorder: Recorder): Untyped => recorder;
  const unknown = { text: 'x', flavour: 'y' };

  test.each([
    [
      'an unknown kind',
      'E_TRACE_FIELD',
      () => untyped(recording()).emit('flavour', { text: 'x' }, by('f')),
    ],
    [
      'a kind that is a property of every object',
      'E_TRACE_FIELD',
      () => untyped(recording()).emit('constructor', { name: 'x' }, by('f')),
    ],
    ['an unknown field', 'E_TRACE_FIELD', () => recording().emit('console', unknown, by('f'))],
    [
      'a field of another kind',
      'E_TRACE_FIELD',
      () => untyped(recording()).emit('console', { text: 'x', C: 1 }, by('f')),
    ],
    [
      'an event without its principal field',
      'E_TRACE_FIELD',
      () => untyped(recording()).emit('map', { pa: pa(0) }, by('f')),
    ],
    [
      'an event before the first step',
      'E_TRACE_STEP',
      () => new Recorder().emit('console', { text: 'x' }, by('f')),
    ],
    ['a label twice', 'E_TRACE_STEP', () => recording('a').step('a')],
    [
      'to finish without a header',
      'E_TRACE_UNFINISHED',
      () => new Recorder().finish({ regions: [] }),
    ],
    [
      'to finish without an outcome',
      'E_TRACE_UNFINISHED',
      () => recording().finish({ regions: [] }),
    ],
    [
      'to finish without a step',
      'E_TRACE_UNFINISHED',
      () => {
        const recorder = new Recorder();
        recorder.header(HEADER);
        recorder.outcome({ kind: 'booted' });
        recorder.finish({ regions: [] });
      },
    ],
  ])('%s', (_what, code, act) => {
    expect(refusal(act).code).toBe(code);
  });

  test('an event without recording a part of it', () => {
    const events = eventsOf((recorder) => {
      expect(refusal(() => recorder.emit('console', unknown, by('f'))).code).toBe('E_TRACE_FIELD');
    });
    expect(events).toEqual([]);
  });
});

describe('a recorder restored from a snapshot', () => {
  const first = (recorder: Recorder): void => {
    recorder.scopeEnter('start_kernel');
    recorder.intern('dma');
    recorder.emit('fill', { at: pa(0) }, by('f'));
    recorder.produced('initrd', Uint8Array.of(1));
  };
  const second = (recorder: Recorder): string => {
    recorder.step('second');
    recorder.emit('fill', { at: pa(PAGE) }, by('f'));
    recorder.consumed('initrd', 'x', Uint8Array.of(1));
    recorder.outcome({ kind: 'booted' });
    return JSON.stringify([recorder.intern('dma'), recorder.finish({ regions: [] })]);
  };

  test('records the same remaining trace, also from a clone of the state', () => {
    const recorder = recording();
    first(recorder);
    const state = structuredClone(recorder.snapshot());
    const straight = second(recorder);
    const resumed = new Recorder();
    resumed.restore(state);
    expect(second(resumed)).toBe(straight);
  });

  test('does not share state with the recorder that made the snapshot', () => {
    const recorder = recording();
    first(recorder);
    const state = recorder.snapshot();
    const before = structuredClone(state);
    second(recorder);
    expect(state).toEqual(before);
  });
});
