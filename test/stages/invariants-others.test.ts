/** Invariants with other CPUs, with kexec, and without an IOMMU. */
import { holdsAt, STAGES } from './invariants.js';

for (const name of ['ap-syscfg-clear', 'kexec', 'no-iommu']) holdsAt(name, STAGES);
