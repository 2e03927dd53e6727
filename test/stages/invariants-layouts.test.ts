/** What always holds, on machines and layouts that the other scenarios do not have. */
import { holdsAt } from './invariants.js';

/** The base kernel, boot data mapped (9), what precedes the last patch, and all of it. */
const ENDS = [0, 9, 17, 18];
const LAYOUTS = [
  'bios-devices',
  'c-bit-51',
  'cmdline-across-2mib',
  'firmware-syscfg',
  'initrd-behind-kernel',
  'kernel-above-4gib',
  'ram-1tib',
];
for (const name of LAYOUTS) holdsAt(name, ENDS);
