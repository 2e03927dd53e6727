/** What always holds, with other CPUs, another kernel after the first, and no IOMMU. */
import { holdsAt } from './invariants.js';

// The patches that touch other CPUs (15), the bounce buffers (13) and kexec (10) stand between these.
for (const name of ['ap-syscfg-clear', 'kexec', 'no-iommu']) holdsAt(name, [0, 12, 17, 18]);
