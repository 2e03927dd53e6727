/** Selections of hunks, as programs state them. */
import { InputError } from '../base/errors.js';
import type { HunkSelection } from '../series/compose.js';
import { LAST_STAGE } from '../series/patches.js';
import type { Selection } from './series.js';

/** The selection with its defaults. Throws E_USAGE for stubs of nothing. */
export function selectionOf(selection: Selection): HunkSelection {
  const { stage = LAST_STAGE, activate = false, without, stub, with: extra } = selection;
  if (stub === true && (without ?? []).length === 0) {
    throw new InputError({ code: 'E_USAGE', reason: 'stub needs without' });
  }
  return {
    stage,
    activate,
    ...(without !== undefined && without.length > 0 && { without }),
    ...(stub !== undefined && { stub }),
    ...(extra !== undefined && extra.length > 0 && { with: extra }),
  };
}
