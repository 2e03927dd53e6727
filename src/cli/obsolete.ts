/** Expected traces that have lost what they are about: named on stderr, deleted by the user. */
import { dirname, join, sep } from 'node:path';
import { InputError } from '../base/errors.js';
import { own } from '../base/own.js';
import { readYaml, valueAt } from '../base/yaml-source.js';
import { readText } from '../node/files.js';
import { basePath, fileKey } from '../node/trace-files.js';
import type { Checked } from './check-file.js';
import { nameOf, type Planned } from './check-plan.js';
import { GOLDEN_EFFECTS, GOLDEN_RUNS } from './golden.js';
import { packageRoot } from './paths.js';
import { yamlFiles } from './yaml-files.js';

/** What does not exist any more, by the code of the error. */
const GONE: Readonly<Record<string, string>> = {
  E_SCENARIO_UNKNOWN: 'its scenario does not exist',
  E_SERIES_UNKNOWN: 'its series does not exist',
  E_BASE: 'its base does not exist',
  E_HUNK: 'a hunk or patch that it names does not exist',
  E_ALTERNATIVE: 'an alternative that it names does not exist',
};

/** The reason for which a file is obsolete; undefined if it is not. */
function goneOf({ error }: Checked): string | undefined {
  const gone = error === undefined ? undefined : own(GONE, error.code);
  if (error === undefined || gone === undefined) return undefined;
  // A base that exists and is not a trace is a mistake.
  const missing = error.cause instanceof InputError && error.cause.code === 'E_READ';
  if (error.code === 'E_BASE' && !missing) return undefined;
  const { found } = error;
  return `${gone}${found === undefined ? '' : ` (${found})`}`;
}

const traces = (): string => fileKey(join(packageRoot(), 'traces'));

/** The expected traces and effects of the project itself that no run of the project writes. */
function unreferenced(planned: readonly Planned[]): Planned[] {
  const folder = traces();
  const golden = new Set(
    [...GOLDEN_RUNS, ...GOLDEN_EFFECTS].map(({ file }) => fileKey(join(folder, file))),
  );
  return planned.filter(({ file, kind }) => {
    const key = fileKey(file);
    const written = kind === 'exact' || kind === 'effects';
    return written && key.startsWith(`${folder}${sep}`) && !golden.has(key);
  });
}

/** A line for each obsolete file. */
export function obsoleteLines(planned: readonly Planned[], results: readonly Checked[]): string[] {
  return [
    ...results.flatMap((each) => {
      const gone = goneOf(each);
      return gone === undefined ? [] : [`obsolete: ${each.name}: ${gone}`];
    }),
    ...unreferenced(planned).map(
      ({ name }) => `obsolete: ${name}: no run that check --update writes has this file`,
    ),
  ];
}

/** The base that a file names; undefined if it names none or cannot be parsed, which its own check reports. */
function namedBase(file: string): string | undefined {
  const text = readText(file);
  if (!text.includes('base')) return undefined;
  try {
    const base = valueAt(readYaml(file, text).value, ['base']);
    return typeof base === 'string' ? base : undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return undefined;
  }
}

/** A line for each file, not among those given, whose base was rewritten: it now describes another trace. */
export function staleLines(rewritten: ReadonlySet<string>, planned: readonly Planned[]): string[] {
  if (rewritten.size === 0) return [];
  const given = new Set(planned.map(({ file }) => fileKey(file)));
  const keys = new Set([...rewritten].map(fileKey));
  const folders = new Set([...keys].map(dirname));
  if ([...folders].some((folder) => folder.startsWith(traces()))) folders.add(traces());
  const candidates = new Set([...folders].flatMap((folder) => yamlFiles([folder], '')));
  return [...candidates].flatMap((file) => {
    if (given.has(fileKey(file))) return [];
    const base = namedBase(file);
    if (base === undefined || !keys.has(fileKey(basePath(file, base)))) return [];
    return [`${nameOf(file)} is a difference from a file that was rewritten: check it too`];
  });
}
