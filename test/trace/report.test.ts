import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  comparedReport,
  countsByRule,
  flatReport,
  REPORT_FIELDS,
  reportInOrder,
  reportSchema,
} from '../../src/trace/report.js';
import { anyReport, FULL_REPORT, REPORT } from './helpers.js';

describe('a report', () => {
  test('that is arbitrary is accepted, with its keys in order', () => {
    fc.assert(
      fc.property(anyReport(['a', 'b']), (report) => {
        expect(reportSchema.parse(report)).toEqual(report);
        const { earlier: _earlier, ...others } = report;
        const order = Object.keys(reportInOrder(report)).filter((key) => key !== 'earlier');
        expect(order).toEqual(REPORT_FIELDS.filter((field) => Object.hasOwn(others, field)));
        expect(reportInOrder(report)).toEqual(report);
      }),
    );
  });

  test('as one record has the fields of its earlier event', () => {
    expect(Object.keys(flatReport(FULL_REPORT))).toEqual(REPORT_FIELDS);
    expect(flatReport(FULL_REPORT)).toMatchObject({
      n: 3,
      'earlier.what': 'written',
      'earlier.C': 0,
    });
    expect(flatReport(REPORT)).toEqual(REPORT);
  });

  test('is compared without the reason of its suppression', () => {
    expect(comparedReport({ ...REPORT, suppressed: 'why' })).toEqual(REPORT);
  });
});

test('reports are counted by rule, a folded one once', () => {
  const counts = countsByRule([FULL_REPORT, REPORT, { ...REPORT, n: 7 }]);
  expect([...counts]).toEqual([
    ['mixed-key-line', 1],
    ['wrong-key-read', 2],
  ]);
});
