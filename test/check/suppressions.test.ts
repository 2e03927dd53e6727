import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  readSuppressions,
  suppress,
  suppressionsJsonSchema,
} from '../../src/check/suppressions.js';
import type { SanitizerReport } from '../../src/trace/report.js';
import { FULL_REPORT, refusal, REPORT } from '../trace/helpers.js';

const RULES = ['wrong-key-read', 'mixed-key-line'];
const read = (text: string) => readSuppressions('s.yaml', text, RULES);

/** Whether an entry with these fields covers a report at a place. */
function covers(fields: string, at: string, more: Partial<SanitizerReport> = {}): boolean {
  const file = read(`[{rule: wrong-key-read, ${fields}, reason: r}]`);
  const { reports, unused } = suppress([{ ...REPORT, at, ...more }], file);
  expect(unused).toHaveLength(reports[0]?.suppressed === undefined ? 1 : 0);
  return reports[0]?.suppressed === 'r';
}

describe('a suppression covers', () => {
  test.each([
    ['at: initrd', '0x1000..0x1fff initrd', true],
    ['at: initrd', '0x1000..0x1fff initrd+0x40', true],
    ['at: initrd', '0x1000..0x1fff initrd2', false],
    ['at: initrd', '0x1000..0x1fff', false],
    ['at: early_level4_pgt', '0x1000..0x1007 early_level4_pgt[511]', true],
    ['at: nic to device', '0x1000..0x1fff nic to device', true],
    ['at: to device', '0x1000..0x1fff nic to device', false],
    ['at: 0x1000..0x1fff', '0x1000..0x1fff initrd', true],
    ['at: 0x1000..0x1fff', '0x1800 initrd', true],
    ['at: 0x1000..0x1fff', '0x1800..0x2000 initrd', false],
    ['at: 0x1000', '0x1000', true],
    ['at: 0x1000', '0x1000..0x1001', false],
    ['at: 0x100', '0x1000', false],
    ['in: unpack_to_rootfs', '0x1', true],
    ['in: unpack', '0x1', false],
    ['at: initrd, in: unpack_to_rootfs', '0x1 initrd', true],
    ['at: initrd, in: populate_rootfs', '0x1 initrd', false],
    ['at: initrd, in: unpack_to_rootfs', '0x1 dtb', false],
  ])('{%s} a report at %s: %s', (fields, at, expected) => {
    expect(covers(fields, at)).toBe(expected);
  });

  test('a point within its function, but no report of another rule', () => {
    expect(covers('in: setup_arch', '0x1', { in: 'setup_arch:paging' })).toBe(true);
    expect(covers('in: unpack_to_rootfs', '0x1', { rule: 'mixed-key-line' })).toBe(false);
  });
});

describe('the suppressions of a file', () => {
  test('mark reports with the reason of the first entry; another that covers it is used too', () => {
    const file = read(
      '- {rule: wrong-key-read, at: initrd, reason: one}\n- {rule: wrong-key-read, in: unpack_to_rootfs, reason: two}\n',
    );
    const { reports, unused } = suppress([REPORT, { ...FULL_REPORT }], file);
    expect(reports).toEqual([{ ...REPORT, suppressed: 'one' }, FULL_REPORT]);
    expect(unused).toEqual([]);
  });

  test('that are unused are errors at their lines', () => {
    const file = read(
      '# known\n- {rule: wrong-key-read, at: initrd, reason: one}\n- rule: mixed-key-line\n  in: f\n  at: 0x1\n  reason: two\n',
    );
    const { unused } = suppress([REPORT], file);
    expect(unused.map(({ code, place }) => [code, place.file, place.line, place.column])).toEqual([
      ['E_SUPPRESSION_UNUSED', 's.yaml', 3, 3],
    ]);
    expect(unused[0]?.message).toContain('no report of mixed-key-line at 0x1 in f');
  });

  test.each([
    ['a mapping', 'rule: wrong-key-read', 1, 'expected a list'],
    ['an unknown rule', '- {rule: wrong-key-reed, at: x, reason: r}', 1, 'mean wrong-key-read?'],
    ['no reason', '- {rule: wrong-key-read, at: x}', 1, 'reason'],
    ['a blank reason', "- {rule: wrong-key-read, at: x, reason: ' '}", 1, 'reason'],
    ['no place', '- {rule: wrong-key-read, reason: r}', 1, 'needs at or in'],
    ['an unknown key', '- {rule: wrong-key-read, a: x, reason: r}', 1, 'unknown key "a"'],
    ['a range that ends early', '- {rule: wrong-key-read, at: 0x2..0x1, reason: r}', 1, '0x2..0x1'],
    ['no range', '- {rule: wrong-key-read, at: 0x2..initrd, reason: r}', 1, '0x1000..0x1fff'],
  ])('are refused with %s', (_what, text, line, message) => {
    const error = refusal(() => read(text));
    expect([error.code, error.place.line]).toEqual(['E_SUPPRESSION', line]);
    expect(error.message).toContain(message);
  });

  test('have a schema that is shipped', () => {
    const shipped: unknown = JSON.parse(readFileSync('schemas/suppressions.schema.json', 'utf8'));
    expect(shipped).toEqual(suppressionsJsonSchema());
  });
});
