/** Releases of the kernel: 4.14, 6.1. */

/** Compares two releases, as for a sort. */
export function compareReleases(a: string, b: string): number {
  const [x = [], y = []] = [a, b].map((text) => text.split('.').map(Number));
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
}

/** The latest release that records name: all values of keys `from`, in what they have. */
export function latestOf(records: unknown): string {
  if (typeof records !== 'object' || records === null) return '';
  const own = 'from' in records && typeof records.from === 'string' ? records.from : '';
  const inner = Object.values(records).map(latestOf);
  return [own, ...inner].reduce((a, b) => (compareReleases(a, b) < 0 ? b : a));
}

/** The last of a list of steps, ordered by release, that is true for a release; undefined: the release is older. */
export function stepIn<S extends { readonly from: string }>(
  steps: readonly S[] | undefined,
  release: string,
): S | undefined {
  return steps?.findLast(({ from }) => compareReleases(from, release) <= 0);
}

/** What a step says about its release. */
interface Dated {
  readonly from: string;
  readonly gone?: string | undefined;
  readonly unverified?: true | undefined;
  readonly backported?: true | undefined;
}

/** A step that a release may have; undefined: it is as posted. */
export interface Candidate<S> {
  readonly step: S | undefined;
  /** The record has it for another release: why this one may have it too. */
  readonly uncertain?: string;
}

/**
 * The steps that a release may have, the recorded one first. If the record is not certain in which release a step came, or
 * stable kernels took it over, the steps beside it follow.
 */
export function stepsIn<S extends Dated>(
  steps: readonly S[],
  release: string,
): readonly [Candidate<S>, ...Candidate<S>[]] {
  const at = stepIn(steps, release);
  const index = at === undefined ? -1 : steps.indexOf(at);
  const next = steps[index + 1];
  const unsure = (from: string): string => `recorded from ${from} on; the release is not certain`;
  const others: Candidate<S>[] = [];
  if (next?.unverified === true) others.push({ step: next, uncertain: unsure(next.from) });
  if (next?.backported === true) {
    others.push({ step: next, uncertain: `as in ${next.from}; stable kernels have it too` });
  }
  if (at?.unverified === true && at.gone === undefined && at.backported === undefined) {
    others.push({ step: index > 0 ? steps[index - 1] : undefined, uncertain: unsure(at.from) });
  }
  return [{ step: at }, ...others];
}

/** The release and the full version in a kernel's Makefile: VERSION, PATCHLEVEL, SUBLEVEL, EXTRAVERSION. */
export function versionOf(makefile: string): { release: string; version: string } | undefined {
  const read = (name: string): string | undefined =>
    new RegExp(`^${name}[ \\t]*=[ \\t]*(.*?)[ \\t]*$`, 'm').exec(makefile)?.[1];
  const [version, patch] = [read('VERSION'), read('PATCHLEVEL')];
  if (version === undefined || patch === undefined) return undefined;
  if (!/^\d+$/.test(version) || !/^\d+$/.test(patch)) return undefined;
  const release = `${version}.${patch}`;
  const sub = read('SUBLEVEL');
  return { release, version: `${release}${sub ? `.${sub}` : ''}${read('EXTRAVERSION') ?? ''}` };
}
