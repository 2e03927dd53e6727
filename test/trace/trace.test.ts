import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import {
  countOf,
  isSanitized,
  kindOf,
  reportsOf,
  schemaOf,
  traceJsonSchema,
  traceSchema,
  withReports,
} from '../../src/trace/trace.js';
import { TRACE_KINDS } from '../../src/trace/vocabulary.js';
import { anyEvent, FULL_REPORT, REPORT, reported, smallTrace } from './helpers.js';

describe('the schema of a trace', () => {
  test('accepts the trace of a recorder', () => {
    expect(traceSchema.parse(smallTrace())).toEqual(smallTrace());
  });

  test('has a schema for each kind of event, and an event is valid for one kind only', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const kind = kindOf(event);
        expect(TRACE_KINDS).toContain(kind);
        for (const each of TRACE_KINDS) {
          expect(schemaOf(each).safeParse(event).success).toBe(each === kind);
        }
      }),
    );
  });

  test('counts n events for a line, 1 without n', () => {
    expect(countOf({ console: 'x' })).toBe(1);
    expect(countOf({ console: 'x', n: 2 })).toBe(2);
  });

  test('tells a trace without reports from one without the sanitizer', () => {
    expect(isSanitized(smallTrace())).toBe(false);
    expect(smallTrace().header.sanitize).toBe(false);
    const none = withReports(smallTrace(), []);
    expect([isSanitized(none), none.reports]).toEqual([true, []]);
    expect(none.header).not.toHaveProperty('sanitize');
    expect(withReports(reported(REPORT), undefined)).toEqual(smallTrace());
    expect(reportsOf(smallTrace())).toEqual([]);
    expect(reportsOf(reported(REPORT, FULL_REPORT))).toEqual([REPORT, FULL_REPORT]);
  });
});

describe('the JSON Schema', () => {
  test('is draft-07 and closed at every level', () => {
    const text = JSON.stringify(traceJsonSchema());
    expect(text).toContain('http://json-schema.org/draft-07/schema#');
    const closed = text.match(/"additionalProperties":false/g) ?? [];
    // The trace, header, module of own hunks, its import, image, file, cache, step, consumed, final, region, outcome, report and its earlier event, and every kind of event.
    expect(closed).toHaveLength(14 + TRACE_KINDS.length);
  });

  test('is the one that is shipped', () => {
    const shipped: unknown = JSON.parse(readFileSync('schemas/trace.schema.json', 'utf8'));
    expect(shipped).toEqual(traceJsonSchema());
  });
});
