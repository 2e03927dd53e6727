import { expect, test } from '@jest/globals';
import { wrongBytes } from './last-bytes.js';

test.each([
  ['bios-minimal', 'machine.cache.size=64KiB'],
  ['bios-minimal', 'machine.cache.size=0'],
  ['initrd-behind-kernel'],
  ['bios-devices'],
  ['epyc-efi'],
  ['no-iommu'],
])('%s %s: each wrong read of a CPU or device has a report', (name, ...settings) => {
  expect(wrongBytes(name, ...settings)).toBeGreaterThan(0);
});
