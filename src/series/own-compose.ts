/** Own hunks among those of the series: in the place of a hunk, in its stead, or on top. */
import { addedNames, type Hunk, type OwnHunk } from '../kernel/hunk.js';
import { InputError } from '../base/errors.js';
import { allHunks, patchOf } from './patches.js';

const refuse = (hunk: OwnHunk, reason: string, expected?: string): InputError =>
  new InputError({
    code: 'E_OWN_HUNK',
    place: { path: hunk.id },
    reason,
    ...(expected !== undefined && { expected }),
  });

const isPosted = (id: string): boolean => allHunks().some((hunk) => hunk.id === id);

/** A form of a posted hunk; its stub is that of the posted one unless it has its own. */
function formOf(own: OwnHunk, posted: Hunk): OwnHunk {
  return own.stub === undefined && posted.stub !== undefined ? { ...own, stub: posted.stub } : own;
}

/**
 * The posted hunks of a stage with the own ones: those that have the id of a posted hunk are in its place, those without
 * `instead` at the end. `replacing`: those with `instead`, which are applied after the alternatives. Throws E_OWN_HUNK for
 * a form of a posted hunk that the stage does not have.
 */
export function ownForms(
  posted: readonly Hunk[],
  own: readonly OwnHunk[],
): { readonly stage: readonly Hunk[]; readonly replacing: readonly OwnHunk[] } {
  if (own.length === 0) return { stage: posted, replacing: [] };
  const forms = own.filter(({ id }) => isPosted(id));
  const absent = forms.find(({ id }) => !posted.some((hunk) => hunk.id === id));
  if (absent !== undefined) {
    throw refuse(
      absent,
      'it is a form of a hunk that this stage does not have',
      `stage ${String(patchOf(absent))} or a later one`,
    );
  }
  const inPlace = posted.map((hunk) => {
    const form = forms.find(({ id }) => id === hunk.id);
    return form === undefined ? hunk : formOf(form, hunk);
  });
  const others = own.filter((hunk) => !forms.includes(hunk));
  return {
    stage: [...inPlace, ...others.filter(({ instead }) => instead === undefined)],
    replacing: others.filter(({ instead }) => instead !== undefined),
  };
}

/** Throws E_OWN_HUNK for an own form of a hunk that an alternative has replaced: it would have no effect. */
export function checkApplied(
  before: readonly Hunk[],
  after: readonly Hunk[],
  own: readonly OwnHunk[],
): void {
  const lost = before.findIndex(
    (hunk, index) => after[index]?.id !== hunk.id && own.some(({ id }) => id === hunk.id),
  );
  const [form, by] = [before[lost], after[lost]];
  if (form === undefined || by === undefined) return;
  throw refuse(
    form,
    `the alternative ${by.id} replaces it`,
    `one of the two, or an own hunk with instead: '${by.id}'`,
  );
}

/** Applies an own hunk with `instead`. Throws E_OWN_HUNK if there is no such hunk in the selection. */
export function replaceOwn(hunks: readonly Hunk[], own: OwnHunk): readonly Hunk[] {
  const { instead } = own;
  if (!hunks.some(({ id }) => id === instead)) {
    throw refuse(
      own,
      `it replaces ${String(instead)}, which this hunk selection does not have`,
      'a hunk or alternative that is applied',
    );
  }
  return hunks.map((hunk) => (hunk.id === instead ? own : hunk));
}

/** Throws E_OWN_HUNK if an own hunk adds a name that another hunk of the kernel adds too. */
export function checkAdded(hunks: readonly Hunk[], own: readonly OwnHunk[]): void {
  const ids = new Set(own.map(({ id }) => id));
  for (const hunk of hunks) {
    if (!ids.has(hunk.id)) continue;
    for (const name of addedNames(hunk)) {
      const other = hunks.find((each) => each !== hunk && addedNames(each).includes(name));
      if (other === undefined) continue;
      throw refuse(
        hunk,
        `it adds ${name}, which ${other.id} adds too`,
        'a name of its own, or "replaces"',
      );
    }
  }
}
