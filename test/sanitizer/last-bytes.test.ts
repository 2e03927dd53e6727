/** The sanitizer against an independent record of the bytes that were written last. */
import { expect, test } from '@jest/globals';
import { wrongBytes } from './last-bytes.js';

test('bios-minimal: each wrong read of a CPU or device has a report', () => {
  expect(wrongBytes('bios-minimal')).toBeGreaterThan(0);
});
