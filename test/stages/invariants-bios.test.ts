/** Invariants on the smallest machine, and on those that never turn encryption on. */
import { holdsAt, sameAsBefore, STAGES } from './invariants.js';

const traces = holdsAt('bios-minimal', STAGES);
// Code that 12 and 16 change runs only with EFI, an IOMMU or a screen; for 2 and 15 see invariants-efi.test.ts.
sameAsBefore('bios-minimal', traces, [2, 12, 15, 16]);

for (const name of ['intel', 'amd-fam15h', 'option-absent', 'config-off']) holdsAt(name, STAGES);
