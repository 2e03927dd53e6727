/** What always holds, with other CPUs, another kernel after the first, and no IOMMU. */
import { holdsAt, STAGES } from './invariants.js';

for (const name of ['ap-syscfg-clear', 'kexec', 'no-iommu']) holdsAt(name, STAGES);
