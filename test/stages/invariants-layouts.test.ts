/** Invariants on machines and layouts that the other scenarios do not have. */
import { holdsAt, STAGES } from './invariants.js';

const LAYOUTS = [
  'bios-devices',
  'c-bit-51',
  'cmdline-across-2mib',
  'encrypted-tail',
  'firmware-syscfg',
  'gpu-40-bit',
  'initrd-behind-kernel',
  'kernel-above-4gib',
  'no-command-line',
  'ram-1tib',
  'ram-above-reduction',
];
for (const name of LAYOUTS) holdsAt(name, STAGES);
