/** What always holds, on the smallest machine, and where nothing turns encryption on. */
import { holdsAt, sameAsBefore, STAGES } from './invariants.js';

const traces = holdsAt('bios-minimal', STAGES);
// What 12 and 16 edit is reached with EFI, an IOMMU or a screen only; for 2 and 15 see the machine that has them.
sameAsBefore('bios-minimal', traces, [2, 12, 15, 16]);

for (const name of ['intel', 'amd-fam15h', 'option-absent', 'config-off']) holdsAt(name, STAGES);
