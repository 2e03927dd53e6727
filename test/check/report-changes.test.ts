import { describe, expect, test } from '@jest/globals';
import { placeName, reportChanges, reportChangeText } from '../../src/check/report-changes.js';
import { FULL_REPORT, REPORT } from '../trace/helpers.js';

describe('the changes between the reports of two boots', () => {
  test('are counted by rule, with each place once', () => {
    const dtb = { ...REPORT, at: '0x5000..0x5fff dtb', cpu: 1, in: 'f', what: 'w' };
    const other = { ...REPORT, at: '0x100040 initrd+0x40', outcome: 'data lost' as const, cpu: 1 };
    const changes = reportChanges([REPORT, FULL_REPORT], [{ ...REPORT, n: 2 }, other, dtb]);
    expect(changes).toEqual([
      { rule: 'wrong-key-read', added: 2, changed: 1, at: ['initrd', 'dtb'] },
      { rule: 'mixed-key-line', gone: 1, at: ['sme_workarea'] },
    ]);
    expect(changes.map(reportChangeText)).toEqual([
      'wrong-key-read: 2 came, 1 changed (initrd, dtb)',
      'mixed-key-line: 1 went (sme_workarea)',
    ]);
  });

  test('are none between equal ones', () => {
    expect(reportChanges([REPORT], [{ ...REPORT, suppressed: 'known' }])).toEqual([]);
  });
});

test.each([
  ['0x1000..0x1fff initrd+0x40', 'initrd'],
  ['0x1000 early_level4_pgt[511]', 'early_level4_pgt'],
  ['0x1000..0x1fff nic to device', 'nic to device'],
  ['0x1000 (empty) initrd', 'initrd'],
  ['0x1000..0x1fff', '0x1000..0x1fff'],
])('the name of the place %s is %s', (at, name) => {
  expect(placeName(at)).toBe(name);
});
