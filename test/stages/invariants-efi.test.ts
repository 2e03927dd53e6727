/** Invariants on the machine with all devices and tables. */
import { holdsAt, sameAsBefore, STAGES } from './invariants.js';

const traces = holdsAt('epyc-efi', STAGES);
// 2 adds a configuration option that nothing tests before 18; the flag of 15 is set only with the mask.
sameAsBefore('epyc-efi', traces, [2, 15]);
