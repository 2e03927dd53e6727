/** A review of a kernel source tree, read from its folder. */
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { BASE_FILES } from '../linux/index.js';
import { interruptible } from '../node/interrupt.js';
import { cParser } from '../node/c-parser.js';
import { SourceTree } from '../node/source-tree.js';
import { TraceFiles } from '../node/trace-files.js';
import { compareReleases, latestOf } from '../review/release.js';
import { filesRead, reviewTree, seriesNames } from '../review/review-tree.js';
import { reviewTrace } from '../review/trace-functions.js';
import type { Row } from '../review/result.js';
import { functionOf } from '../review/tree-model.js';
import { appliedIn } from '../review/tree-names.js';
import type { Trace } from '../trace/trace.js';
import { printEvent } from '../trace/yaml-out.js';
import type { Io } from './io.js';
import { openResult } from './output.js';
import { packageRoot } from './paths.js';
import type { ReviewedRecords } from './records.js';
import type { WrittenReview } from './review-out.js';

/** The names of the model's functions, as the base kernel lists them. */
const modelled = (): { name: string; file: string }[] =>
  BASE_FILES.flatMap(({ file, defs }) => Object.keys(defs).map((name) => ({ name, file })));

/** The trace beside the claims of a page, if the user gives none: that of the scenario with most of the series' data. */
const SHOWN_TRACE = 'traces/epyc-efi/stage-18.yaml';

/** The lines of a trace by the function of their events. */
function linesByFunction(trace: Trace): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const event of trace.steps.flatMap(({ events }) => events)) {
    if (typeof event.in !== 'string') continue;
    const name = functionOf(event.in);
    const lines = found.get(name) ?? [];
    lines.push(printEvent(event).trimEnd());
    found.set(name, lines);
  }
  return found;
}

/** Lines of an excerpt: those before the definition's, and from it on (our choice). */
const BEFORE = 1;
const AFTER = 14;

function excerptOf(tree: SourceTree): WrittenReview['excerpt'] {
  return ({ source }: Row) => {
    const lines = source?.line === undefined ? undefined : tree.text(source.file)?.split('\n');
    if (lines === undefined || source?.line === undefined) return undefined;
    const first = Math.max(1, source.line - BEFORE);
    return { first, lines: lines.slice(first - 1, source.line - 1 + AFTER) };
  };
}

/**
 * Reviews the tree in a folder; with a trace, the functions that it names instead of the records. Throws E_TREE, E_READ and
 * the errors of a trace.
 */
export async function treeReview(
  folder: string,
  traceFile: string | undefined,
  records: ReviewedRecords,
): Promise<WrittenReview> {
  const parser = await cParser();
  return interruptible(() => {
    const traces = new TraceFiles();
    const given =
      traceFile === undefined ? undefined : { file: traceFile, trace: traces.trace(traceFile) };
    return reviewOf(new SourceTree(folder, parser), given, records);
  });
}

/** The sentence for a release that the records do not know yet; undefined: they know it. */
function laterThan(release: string, records: ReviewedRecords): string | undefined {
  const latest = latestOf([records.patches.map(({ record }) => record), records.base.record]);
  if (compareReleases(release, latest) <= 0) return undefined;
  return `The records end at ${latest}: what follows is as of that release.`;
}

/** Throws E_TREE for a tree of a release before that of the base kernel. */
function checkRelease(tree: SourceTree, base: string): void {
  if (compareReleases(tree.release, base) >= 0) return;
  throw new InputError({
    code: 'E_TREE',
    place: { file: join(tree.folder, 'Makefile') },
    expected: `a release from ${base} on`,
    found: tree.version,
  });
}

function reviewOf(
  tree: SourceTree,
  given: { readonly file: string; readonly trace: Trace } | undefined,
  records: ReviewedRecords,
): WrittenReview {
  const { patches } = records;
  const base = records.base.record;
  checkRelease(tree, base.release);
  const later = laterThan(tree.release, records);
  const shown = join(packageRoot(), SHOWN_TRACE);
  const applied = appliedIn(patches, tree, base);
  const model = modelled();
  const has =
    applied.size === 0
      ? 'It does not have the series as it was posted.'
      : `It has patches ${[...applied].join(', ')} as they were posted.`;
  const reviewed = { tree, base, applied, ofSeries: seriesNames(patches) };
  return {
    title: `Linux ${tree.version}${given === undefined ? '' : `: the functions of ${given.file}`}`,
    remarks: [has, ...(later === undefined ? [] : [later])],
    rows: given
      ? reviewTrace(given, { records: patches, model }, reviewed)
      : reviewTree(patches, model, tree, base).rows,
    excerpt: excerptOf(tree),
    traceName: given?.file ?? SHOWN_TRACE,
    traceLines: () => linesByFunction(given?.trace ?? new TraceFiles().trace(shown)),
  };
}

/** Writes the paths of the files that a review of a release reads, a line each. Throws E_USAGE for what is no release. */
export function writeFiles(
  io: Io,
  release: string,
  { output, records }: { readonly output: string | undefined; readonly records: ReviewedRecords },
): void {
  const { record: base } = records.base;
  if (!/^\d+\.\d+$/.test(release) || compareReleases(release, base.release) < 0) {
    throw new InputError({
      code: 'E_USAGE',
      place: { path: 'review --files' },
      expected: `a release from ${base.release} on, as ${base.release} or 6.1`,
      found: JSON.stringify(release),
    });
  }
  const later = laterThan(release, records);
  const out = openResult(io, output);
  if (later !== undefined) io.stderr.write(`${later}\n`);
  const paths = filesRead(records.patches, modelled(), base, release);
  out.write(paths.map((path) => `${path}\n`).join(''));
  out.end();
}
