/** Selections of hunks, as programs state them. */
import { InputError } from '../base/errors.js';
import type { HunkSelection } from '../series/compose.js';
import { LAST_STAGE } from '../series/patches.js';
import { ownHunks, type OwnHunks } from './own-hunks.js';
import type { Selection } from './series.js';

/** The own hunks of a selection, checked. Throws E_OWN_HUNK. */
export function ownOf({ hunks }: Selection): OwnHunks | undefined {
  if (hunks === undefined) return undefined;
  if ('modules' in hunks) return hunks;
  return hunks.length === 0 ? undefined : ownHunks(hunks);
}

/** The selection with its defaults; `own`: its own hunks. Throws E_USAGE for stubs of nothing. */
export function selectionOf(selection: Selection, own = ownOf(selection)): HunkSelection {
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
    ...(own !== undefined && own.hunks.length > 0 && { extra: own.hunks }),
  };
}
