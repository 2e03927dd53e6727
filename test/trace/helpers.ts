/** Shared by the tests of traces: a small boot, and arbitrary events for property tests. */
import fc from 'fast-check';
import { InputError } from '../../src/base/errors.js';
import type { FieldsOf, Origin, Span } from '../../src/trace/event.js';
import type { RecorderState } from '../../src/trace/recorder.js';
import { Recorder } from '../../src/trace/recorder.js';
import { REPORT_OUTCOMES, type SanitizerReport } from '../../src/trace/report.js';
import {
  withReports,
  type Scalar,
  type Trace,
  type TraceEvent,
  type TraceHeader,
} from '../../src/trace/trace.js';
import {
  COMMON_FIELDS,
  KINDS,
  type ORIGIN_FIELDS,
  TRACE_KINDS,
  type TraceKind,
} from '../../src/trace/vocabulary.js';

export const PAGE = 0x1000;
export const pa = (start: number, length = PAGE): Span => ({ space: 'pa', start, length });
export const va = (start: number, length = PAGE): Span => ({ space: 'va', start, length });
export const by = (fn: string): Origin => ({ fn, file: 'arch/x86/mm/mem_encrypt.c', patch: 8 });

export const HEADER: TraceHeader = {
  scenario: 'plain',
  scenarioDigest: '00ff',
  stage: 8,
  activate: true,
  without: ['09/initrd'],
  with: [],
  settings: { cache: '512K', cpus: 1, eager: false },
  seed: '0x5eed',
  sanitize: false,
  image: { name: 'built-in', digest: 'abcd' },
  config: { CONFIG_AMD_MEM_ENCRYPT: true },
  overlay: ['sme_me_mask'],
};

/** A recorder with a header and one open step. */
export function recording(label = 'startup_64'): Recorder {
  const recorder = new Recorder();
  recorder.header(HEADER);
  recorder.step(label);
  return recorder;
}

/** The events of a trace of one step, recorded by `record`. */
export function eventsOf(record: (recorder: Recorder) => void): TraceEvent[] {
  const recorder = recording();
  record(recorder);
  const state: RecorderState = recorder.snapshot();
  return state.steps[0]?.events ?? [];
}

/** A trace of two steps, with an entry in each section. */
export function smallTrace(): Trace {
  const recorder = recording();
  recorder.emit('cpuid', { leaf: 0x8000001fn, ebx: 0x16fn }, by('sme_enable'));
  recorder.emit('console', { text: 'Linux version 4.6: "tip"' }, by('printk'));
  recorder.step('reserve_initrd');
  recorder.emit('map', { va: va(-0x80_0000), pa: pa(0x1000), C: 1, type: 'WB' }, by('map'));
  recorder.produced('initrd', Uint8Array.of(1, 2, 3));
  recorder.consumed('initrd', 'unpack_to_rootfs', Uint8Array.of(1, 2, 4));
  recorder.outcome({ kind: 'panic', where: 'panic', message: 'VFS: Unable to mount root fs' });
  return recorder.finish({
    regions: [{ name: 'initrd', pa: pa(0x10_0000), state: 'ciphertext', digest: 'beef' }],
  });
}

/** The small trace with other steps: events by label. */
export function traceWith(steps: Readonly<Record<string, readonly TraceEvent[]>>): Trace {
  return {
    ...smallTrace(),
    steps: Object.entries(steps).map(([label, events]) => ({ label, events: [...events] })),
  };
}

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('0x10', '1e3', 'yes', 'null', '~', '~x', '- a', 'a: b', '#x', 'a[1]', '2M', '01'),
);
const scalar: fc.Arbitrary<Scalar> = fc.oneof(text, fc.integer(), fc.boolean());

const originOf: Readonly<Record<(typeof ORIGIN_FIELDS)[number], fc.Arbitrary<Scalar>>> = {
  in: text,
  file: text,
  patch: fc.integer({ min: 1, max: 18 }),
  hunk: text,
  n: fc.integer({ min: 2, max: 512 }),
};

function eventOfKind(kind: TraceKind): fc.Arbitrary<TraceEvent> {
  const shape: Record<string, fc.Arbitrary<Scalar>> = { [kind]: scalar, ...originOf };
  for (const field of [...KINDS[kind].fields.slice(1), ...COMMON_FIELDS]) shape[field] = scalar;
  return fc
    .record(shape, { requiredKeys: [kind], noNullPrototype: true })
    .map((event): TraceEvent => event as Record<string, Scalar>);
}

/** Any event that the schema accepts. */
export const anyEvent: fc.Arbitrary<TraceEvent> = fc
  .constantFrom(...TRACE_KINDS)
  .chain(eventOfKind);

/** Any name except `__proto__`, which a YAML file may not have as a key. */
const settingName = fc.string().filter((name) => name !== '__proto__');

/** Any values of a header that differ from boot to boot; those that may be missing are so at times. */
const anyHeader = fc.record(
  {
    stub: fc.boolean(),
    settings: fc.dictionary(settingName, scalar),
    seed: fc.string(),
    cache: fc.record({ size: fc.nat(), writeBack: fc.string() }, { requiredKeys: [] }),
    optionsNotModelled: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['settings', 'seed'], noNullPrototype: true },
);

/** Any header, and any list of steps with unique labels; the first has an event. */
export const anyTrace: fc.Arbitrary<Trace> = fc
  .tuple(
    anyEvent,
    fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.array(anyEvent, { maxLength: 6 })), {
      selector: ([label]) => label,
      minLength: 1,
      maxLength: 4,
    }),
    anyHeader,
  )
  .map(([first, steps, some]) => ({
    ...smallTrace(),
    header: { ...HEADER, ...some },
    steps: steps.map(([label, events], index) => ({
      label,
      events: index === 0 ? [first, ...events] : events,
    })),
  }));

/** A report about a step of the small trace, and one with all fields. */
export const REPORT: SanitizerReport = {
  rule: 'wrong-key-read',
  step: 'reserve_initrd',
  at: '0x100000..0x100fff initrd',
  in: 'unpack_to_rootfs',
  what: 'bytes written with C=0 are read with C=1',
  outcome: 'garbage consumed',
};
export const FULL_REPORT = {
  rule: 'mixed-key-line',
  n: 3,
  step: 'startup_64',
  at: '0x9000..0x903f sme_workarea',
  va: '0xffff880000009000..0xffff88000000903f',
  C: 1,
  in: 'sme_encrypt_kernel',
  file: 'arch/x86/mm/mem_encrypt.c',
  patch: 18,
  hunk: '18/sme_encrypt_kernel',
  cpu: 2,
  what: 'a line that is dirty with C=0 is touched with C=1',
  earlier: {
    what: 'written',
    in: 'copy_bootdata',
    file: 'arch/x86/kernel/head64.c',
    patch: 9,
    hunk: '09/copy_bootdata',
    step: 'startup_64',
    C: 0,
  },
  outcome: 'data lost',
  suppressed: 'known: the line is flushed later',
} as const satisfies Required<SanitizerReport>;

/** The small trace with these reports. */
export const reported = (...reports: readonly SanitizerReport[]): Trace =>
  withReports(smallTrace(), reports);

const cBit = fc.constantFrom<(0 | 1)[]>(0, 1);
const codeOf = {
  in: text.map((name) => `f${name}`),
  file: text,
  patch: fc.integer({ min: 1, max: 18 }),
  hunk: text,
};

/** Any report about one of these steps. */
export const anyReport = (steps: readonly string[]): fc.Arbitrary<SanitizerReport> =>
  fc.record(
    {
      rule: fc.constantFrom('wrong-key-read', 'mixed-key-line'),
      n: fc.integer({ min: 2, max: 9 }),
      step: fc.constantFrom(...steps),
      at: fc.constantFrom('0x1000', '0x2000..0x2fff initrd'),
      va: text,
      C: cBit,
      ...codeOf,
      cpu: fc.nat(3),
      what: text.map((what) => `w${what}`),
      earlier: fc.record(
        { what: fc.constantFrom('written', 'freed'), ...codeOf, step: text, C: cBit },
        { requiredKeys: ['what', 'in'], noNullPrototype: true },
      ),
      outcome: fc.constantFrom(...REPORT_OUTCOMES),
      suppressed: text.map((reason) => `s${reason}`),
    },
    { requiredKeys: ['rule', 'step', 'at', 'in', 'what', 'outcome'], noNullPrototype: true },
  );

/** Fields as a driver would emit them for a copy between physical pages. */
export function copyFields(from: Span, to: Span, fromC: 0 | 1, toC: 0 | 1): FieldsOf<'copy'> {
  const virtual = (span: Span): Span => va(span.start - 2 ** 46, span.length);
  return { from: virtual(from), to: virtual(to), fromPa: from, toPa: to, fromC, toC };
}

/** The InputError that `act` throws; anything else fails the test. */
export function refusal(act: () => unknown): InputError {
  try {
    act();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('no InputError was thrown');
}
