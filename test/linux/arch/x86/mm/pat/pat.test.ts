import { describe, expect, test } from '@jest/globals';
import {
  BASE_SLOTS,
  patValue,
  patVariables,
} from '../../../../../../src/linux/arch/x86/mm/pat/pat.js';
import { va } from '../../../../../../src/machine/address.js';

describe('pat.c', () => {
  test('the base writes 0x0407010600070106 to IA32_PAT', () => {
    expect(patValue(BASE_SLOTS)).toBe(0x0407_0106_0007_0106n);
  });

  test('before pat_init every cache mode but WB and UC is UC-, that is PCD', () => {
    const table = patVariables.find((v) => v.name === '__cachemode2pte_tbl');
    const bytes = table?.init?.({ link: () => va(0) });
    expect([...(bytes ?? [])]).toEqual([
      0, 0, 0x10, 0, 0x10, 0, 0x18, 0, 0x10, 0, 0x10, 0, 0, 0, 0, 0,
    ]);
  });
});
