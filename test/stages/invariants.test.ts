/** Invariants of every boot, on representatives: no patch, all patches, and a processor without encryption. */
import { holdsAt } from './invariants.js';

holdsAt('bios-minimal', [0, 18]);
holdsAt('intel', [18]);
