import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withReports, type Trace } from '../../src/trace/trace.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import {
  canonical,
  inOrder,
  printEvent,
  printReport,
  printTrace,
  printTraceJson,
  printTraceLines,
} from '../../src/trace/yaml-out.js';
import {
  anyEvent,
  anyReport,
  anyTrace,
  FULL_REPORT,
  REPORT,
  reported,
  smallTrace,
} from './helpers.js';

const SMALL = `schema: 2
header:
  scenario: plain
  scenarioDigest: 00ff
  stage: 8
  activate: true
  without: [09/initrd]
  with: []
  settings:
    cache: 512K
    cpus: 1
    eager: false
  seed: 0x5eed
  sanitize: false
  image:
    name: built-in
    digest: abcd
  config:
    CONFIG_AMD_MEM_ENCRYPT: true
  overlay: [sme_me_mask]
steps:
  - label: startup_64
    events:
      - {cpuid: 0x8000001f, ebx: 0x16f, in: sme_enable, file: arch/x86/mm/mem_encrypt.c, patch: 8}
      - {console: 'Linux version 4.6: "tip"', in: printk, file: arch/x86/mm/mem_encrypt.c, patch: 8}
  - label: reserve_initrd
    events:
      - {map: 0xffffffffff800000..0xffffffffff800fff, pa: 0x1000..0x1fff, C: 1, type: WB, in: map, file: arch/x86/mm/mem_encrypt.c, patch: 8}
      - {outcome: panic, where: panic, message: 'VFS: Unable to mount root fs', in: boot}
consumed:
  - {name: initrd, by: unpack_to_rootfs, intact: false, firstDifference: 2}
final:
  regions:
    - {name: initrd, pa: 0x100000..0x100fff, bytes: 4096, state: ciphertext, digest: beef}
outcome:
  kind: panic
  where: panic
  message: 'VFS: Unable to mount root fs'
`;

/** The same trace with the keys of every mapping in reverse order. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, reversed(each)] as const);
  return Object.fromEntries(entries.reverse()) as T;
}

describe('a trace as YAML', () => {
  test('has a line for each event, the kind first, the C-bit as a separate field', () => {
    expect(printTrace(smallTrace())).toBe(SMALL);
  });

  test('has an empty collection on the line of its key', () => {
    const { header } = smallTrace();
    const text = printTrace({ ...smallTrace(), header: { ...header, settings: {} }, consumed: [] });
    expect(text).toContain('\n  settings: {}\n');
    expect(text).toContain('\nconsumed: []\n');
  });

  test('names its schema in the first line with that option', () => {
    const text = printTrace(smallTrace(), { schema: '../../schemas/trace.schema.json' });
    expect(text).toBe(`# yaml-language-server: $schema=../../schemas/trace.schema.json\n${SMALL}`);
  });

  test('is the same bytes for any order of the keys', () => {
    expect(printTrace(reversed(smallTrace()))).toBe(SMALL);
    fc.assert(
      fc.property(anyTrace, (trace) => {
        expect(printTrace(reversed(trace))).toBe(printTrace(trace));
      }),
    );
  });

  test('is parsed back to the same trace', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        expect(parseTrace('t.yaml', printTrace(trace))).toEqual(trace);
      }),
    );
  });

  test('is written again as the same bytes', () => {
    expect(printTrace(parseTrace('t.yaml', SMALL))).toBe(SMALL);
  });

  test('repeats equal values instead of using aliases', () => {
    const events = smallTrace().steps[0]?.events ?? [];
    const twice: Trace = {
      ...smallTrace(),
      steps: ['a', 'b'].map((label) => ({ label, events })),
    };
    expect(printTrace(twice)).not.toMatch(/[&*]a?\d/);
  });
});

describe('a trace as JSON', () => {
  test('has the same data as the trace', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        expect(JSON.parse(printTraceJson(trace))).toEqual(JSON.parse(JSON.stringify(trace)));
        expect(parseTrace('t.json', printTraceJson(trace))).toEqual(trace);
      }),
    );
  });
});

describe('lines of JSON', () => {
  interface Line {
    readonly schema?: number;
    readonly header?: unknown;
    readonly step?: string;
    readonly event?: unknown;
    readonly [section: string]: unknown;
  }

  /** The trace that the lines hold. */
  function rebuilt(text: string): unknown {
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const all = (key: string): unknown[] =>
      lines.flatMap((line) => (Object.hasOwn(line, key) ? [line[key]] : []));
    const steps = new Map<string, unknown[]>();
    for (const { step, event } of lines) {
      if (step === undefined) continue;
      steps.set(step, [...(steps.get(step) ?? []), ...(event === undefined ? [] : [event])]);
    }
    const [screen] = all('screen');
    return {
      schema: lines[0]?.schema,
      header: lines[0]?.header,
      steps: [...steps].map(([label, events]) => ({ label, events })),
      consumed: all('consumed'),
      final: { regions: all('region'), ...(screen !== undefined && { screen }) },
      outcome: all('outcome')[0],
      reports: all('report'),
    };
  }

  test('hold the whole trace', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        fc.pre(new Set(trace.steps.map(({ label }) => label)).size === trace.steps.length);
        const { reports = [], ...rest } = trace;
        const expected: unknown = JSON.parse(JSON.stringify({ ...rest, reports }));
        expect(rebuilt(printTraceLines(trace))).toEqual(expected);
      }),
    );
  });

  test('have the reports of the sanitizer', () => {
    const trace = withReports(smallTrace(), [REPORT]);
    expect(printTraceLines(trace)).toContain(`\n{"report":${JSON.stringify(REPORT)}}\n`);
  });
});

describe('an event', () => {
  test('is printed on one line for any values', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(printEvent(event)).not.toMatch(/\n/);
      }),
    );
  });

  test('has all its fields after inOrder()', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(inOrder(event)).toEqual(event);
      }),
    );
    expect(Object.keys(inOrder({ n: 2, in: 'f', C: 1, map: '0x0', pa: '0x0' }))).toEqual([
      ...['map', 'pa', 'C', 'in', 'n'],
    ]);
  });

  test('without a kind is not changed by inOrder()', () => {
    expect(inOrder({ z: 1, a: 2 })).toEqual({ z: 1, a: 2 });
  });
});

test('canonical() neither adds nor drops anything', () => {
  const full = reported(REPORT, FULL_REPORT);
  expect(canonical(reversed(full))).toEqual(full);
  expect(JSON.stringify(canonical(reversed(full)))).toBe(JSON.stringify(full));
});

describe('the reports', () => {
  const trace = reported(REPORT, FULL_REPORT);

  test('have a line each at the end, and are parsed back', () => {
    const text = printTrace(trace);
    expect(text).toMatch(/^schema: 2\n/);
    const [, section] = text.split('\nreports:\n');
    expect(section).toBe(
      '  - {rule: wrong-key-read, step: reserve_initrd, at: 0x100000..0x100fff initrd, in: unpack_to_rootfs, ' +
        'what: bytes written with C=0 are read with C=1, outcome: garbage consumed}\n' +
        '  - {rule: mixed-key-line, n: 3, step: startup_64, at: 0x9000..0x903f sme_workarea, ' +
        'va: 0xffff880000009000..0xffff88000000903f, C: 1, in: sme_encrypt_kernel, ' +
        'file: arch/x86/mm/mem_encrypt.c, patch: 18, hunk: 18/sme_encrypt_kernel, cpu: 2, ' +
        'what: a line that is dirty with C=0 is touched with C=1, ' +
        'earlier: {what: written, in: copy_bootdata, file: arch/x86/kernel/head64.c, patch: 9, ' +
        'hunk: 09/copy_bootdata, step: startup_64, C: 0}, outcome: data lost, ' +
        "suppressed: 'known: the line is flushed later'}\n",
    );
    expect(parseTrace('t.yaml', text)).toEqual(trace);
    expect(parseTrace('t.json', printTraceJson(trace))).toEqual(trace);
    expect(printReport(REPORT)).toBe(section?.split('\n')[0]?.replace('  - ', ''));
  });

  test('of any trace are parsed back from YAML and JSON', () => {
    const traces = anyTrace.chain((each) =>
      fc
        .array(anyReport(each.steps.map(({ label }) => label)), { maxLength: 4 })
        .map((reports) => withReports(each, reports)),
    );
    fc.assert(
      fc.property(traces, (each) => {
        expect(parseTrace('t.yaml', printTrace(each))).toEqual(each);
        expect(parseTrace('t.json', printTraceJson(each))).toEqual(each);
      }),
    );
  });

  test('that are none are an empty section', () => {
    const empty = withReports(smallTrace(), []);
    const text = printTrace(empty);
    expect(text).toBe(`${SMALL.replace('  sanitize: false\n', '')}reports: []\n`);
    expect(parseTrace('t.yaml', text)).toEqual(empty);
  });
});

test('the header says that the sanitizer was off, and nothing if it was on', () => {
  const off = withReports(withReports(smallTrace(), [REPORT]), undefined);
  expect(off.header.sanitize).toBe(false);
  expect(printTrace(off)).toBe(SMALL);
  expect(parseTrace('t.yaml', SMALL)).toEqual(off);
});

describe('a screen', () => {
  const screen = ['', '  - leading', '0x10', 'a: b # c', 'x'.repeat(80), '│ ☺'];
  const trace: Trace = { ...smallTrace(), final: { ...smallTrace().final, screen } };

  test('has one line below the other, and is parsed back to the same text', () => {
    const text = printTrace(trace);
    expect(text).toContain("\n  screen:\n    - ''\n    - '  - leading'\n    - 0x10\n");
    expect(parseTrace('t.yaml', text)).toEqual(trace);
    expect(JSON.parse(printTraceJson(trace))).toEqual(trace);
  });

  test('without lines is an empty list', () => {
    const blank: Trace = { ...trace, final: { ...trace.final, screen: [] } };
    expect(parseTrace('t.yaml', printTrace(blank)).final.screen).toEqual([]);
  });
});
