import { expect, test } from '@jest/globals';
import { BASE_SLOTS, patValue } from '../../../../../../src/linux/arch/x86/mm/pat/pat.js';

test('the slots of the base give 0x0407010600070106 for IA32_PAT', () => {
  expect(patValue(BASE_SLOTS)).toBe(0x0407_0106_0007_0106n);
});
