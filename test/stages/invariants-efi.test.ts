/** What always holds, on the machine that has everything. */
import { holdsAt, sameAsBefore, STAGES } from './invariants.js';

const traces = holdsAt('epyc-efi', STAGES);
// 2 adds a configuration option that nothing asks for before 18; the flag of 15 is set where the mask is.
sameAsBefore('epyc-efi', traces, [2, 15]);
