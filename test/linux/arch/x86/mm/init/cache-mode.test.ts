import { expect, test } from '@jest/globals';
import { cacheModeVariables } from '../../../../../../src/linux/arch/x86/mm/init/cache-mode.js';
import { va } from '../../../../../../src/machine/address.js';

test('__cachemode2pte_tbl has UC- (PCD) for every cache mode but WB and UC before pat_init()', () => {
  const table = cacheModeVariables.find((v) => v.name === '__cachemode2pte_tbl');
  const bytes = table?.init?.({ link: () => va(0) });
  expect([...(bytes ?? [])]).toEqual([
    0, 0, 0x10, 0, 0x10, 0, 0x18, 0, 0x10, 0, 0x10, 0, 0, 0, 0, 0,
  ]);
});
