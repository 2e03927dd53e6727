/** Known names near a misspelt one, for "did you mean", and lists of names for errors. */
import leven from 'leven';

/** Most names suggested for one misspelt name (our choice). */
const MOST = 3;
/** The part of a name's characters that may differ (our choice). */
const PART = 0.4;
/** The longest name that is compared, in characters (our choice: the time grows with its square). */
const LONGEST = 100;
/** The longest list of names in an error, in characters (our choice: about two lines of a terminal). */
const LIST = 160;

/** A name as it is compared: case and kind of separator are ignored. */
const folded = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, '-');

/** Insertions, deletions, replacements and swaps of adjacent characters (at most one swap is counted) between two texts. */
function distance(from: string, to: string, limit: number): number {
  const options = { maxDistance: limit + 1 };
  let best = leven(from, to, options);
  for (let at = 0; at + 1 < from.length && best > 1; at++) {
    const swapped = `${from.slice(0, at)}${from[at + 1] ?? ''}${from[at] ?? ''}${from.slice(at + 2)}`;
    best = Math.min(best, 1 + leven(swapped, to, options));
  }
  return best;
}

/**
 * The names nearest to `given`: those of the smallest distance, at most 40 % of its characters; if there are none, those
 * that contain it, shortest first. At most three.
 */
export function nearest(given: string, names: Iterable<string>): string[] {
  const wanted = folded(given.trim());
  if (wanted === '' || wanted.length > LONGEST) return [];
  const limit = Math.max(1, Math.floor(wanted.length * PART));
  const known = [...new Set(names)].filter((name) => name !== given);
  const ranked = known
    .map((name) => ({ name, by: distance(wanted, folded(name), limit) }))
    .filter(({ by }) => by <= limit);
  const smallest = Math.min(...ranked.map(({ by }) => by));
  const near = ranked.filter(({ by }) => by === smallest).map(({ name }) => name);
  if (near.length > 0) return near.slice(0, MOST);
  if (wanted.length < MOST) return [];
  return known
    .filter((name) => folded(name).includes(wanted))
    .sort((a, b) => a.length - b.length)
    .slice(0, MOST);
}

/** The part `suggestion` of an error for a misspelt name; empty if no name is near. */
export function suggest(given: string, names: Iterable<string>): { suggestion?: string } {
  const near = nearest(given, names);
  return near.length === 0 ? {} : { suggestion: near.join(' or ') };
}

/** `; did you mean NAME?` for the end of a sentence, or an empty text. */
export function didYouMean(given: string, names: Iterable<string>): string {
  const { suggestion } = suggest(given, names);
  return suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
}

/** Names for `expected` of an error, or `otherwise` (which says where the names are) if they are too many for a line. */
export function oneOf(names: Iterable<string>, otherwise: string): string {
  const list = [...names].join(', ');
  return list.length > LIST || list === '' ? otherwise : list;
}
