/** What each file of `sme-boot check` boots, read before the first boot; and which of the files are checked. */
import { relative } from 'node:path';
import { effectsOf } from '../analysis/effects/form.js';
import { viewPlans } from '../analysis/effects/plan.js';
import { shardOf, type Shard } from '../analysis/matrix/plan.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { commandLine } from '../base/shell-words.js';
import { readYaml, valueAt, type PathKey, type YamlSource } from '../base/yaml-source.js';
import { isQuestion, questionOf } from '../check/question.js';
import type { Expectation } from '../check/expectation.js';
import { readText } from '../node/files.js';
import { namedIn } from '../node/relative-paths.js';
import type { TraceFiles } from '../node/trace-files.js';
import { LAST_STAGE } from '../series/patches.js';
import { TRACE_SCHEMA, type Trace } from '../trace/trace.js';
import { matchRun } from './match-run.js';
import { checkRunFiles } from './run-files.js';
import { commandOf, runOfHeader, runOfSelection, optionsText, type Run } from './runs.js';

/** A file with what it boots, or the error for which it boots nothing. */
export interface Planned {
  readonly file: string;
  /** The file's name as reports print it: relative to the working directory. */
  readonly name: string;
  readonly kind: 'exact' | 'match' | 'effects' | 'question' | 'invalid';
  /** The scenario, and the stage with the other options. */
  readonly group: readonly string[];
  readonly runs: readonly Run[];
  readonly error?: InputError;
}

/** The name of a file in reports. */
export const nameOf = (file: string): string => relative('.', file);

/** Whether a parsed file has effects. */
export const isEffects = ({ value }: YamlSource): boolean =>
  valueAt(value, ['expect']) === 'effects';

/** The path of the value that states what a file boots. */
export function runPath({ value }: YamlSource): PathKey[] {
  if (valueAt(value, ['run']) !== undefined) return ['run'];
  if (valueAt(value, ['expect']) === 'effects') return ['scenario'];
  return valueAt(value, ['trace']) === undefined ? ['header'] : ['trace', 'header'];
}

/** The scenario and the other options of a run as two words: `bios-minimal`, `stage 18 --activate`. An executed boot has no stage. */
export function groupOf({ scenario, flags }: Run): string[] {
  const { stage, ...others } = flags;
  if (flags.execute === true) return [scenario, `executed ${optionsText(others)}`];
  const number = stage ?? (flags.series === undefined ? LAST_STAGE : 'of the series');
  const rest = optionsText(others);
  return [scenario, `stage ${String(number)}${rest === '' ? '' : ` ${rest}`}`];
}

/** Reads a file and states what it boots. An invalid file is an entry with its error. `rewrites`: as for `runOf`. */
export function planOf(file: string, files: TraceFiles, rewrites: boolean): Planned {
  const name = nameOf(file);
  try {
    const source = readYaml(name, readText(file));
    if (isEffects(source)) {
      const { patch, scenario: stated } = effectsOf(source);
      const scenario = namedIn(name, stated);
      const runs = Object.values(viewPlans(patch)).flatMap((plan) =>
        'none' in plan ? [] : [plan.before, plan.after].map((one) => runOfSelection(scenario, one)),
      );
      return { file, name, kind: 'effects', group: [scenario, `patch ${String(patch)}`], runs };
    }
    if (isQuestion(source)) {
      const { state } = questionOf(source);
      return { file, name, kind: 'question', group: ['questions', state], runs: [] };
    }
    const expectation = files.read(file, source);
    const run = runOf(name, expectation, rewrites);
    return { file, name, kind: expectation.expect, group: groupOf(run), runs: [run] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { file, name, kind: 'invalid', group: ['invalid'], runs: [], error };
  }
}

/** Whether a trace is of the version that did not say that the sanitizer was off: it had to be turned on then. */
export const predatesDefault = ({ schema, header }: Trace): boolean =>
  schema !== TRACE_SCHEMA && header.sanitize === false;

/**
 * The run of an expectation. `rewrites`: of the trace that may replace it, in this version of the format, with the
 * sanitizer if it does not say that it was off. Throws E_RUN_FILE for a trace of files that cannot be read again.
 */
export function runOf(file: string, expectation: Expectation, rewrites: boolean): Run {
  if (expectation.expect === 'match') return matchRun(file, expectation.run);
  const { trace } = expectation;
  const { sanitize, ...others } = trace.header;
  const header =
    rewrites && predatesDefault(trace) ? others : { ...others, ...optional({ sanitize }) };
  const run = runOfHeader(header, file);
  checkRunFiles(header, file, `${commandOf(run)} --output ${commandLine([file])}`);
  return run;
}

const SPECIAL = /[.*+?^${}()|[\]\\]/g;
/** The parts of a glob: `**`, `*`, `?`, or other text. */
const GLOB_PARTS = /\*\*\/?|\*|\?|[^*?]+/g;

/**
 * Whether a name is selected by `--filter`: `/…/` is a regular expression, found anywhere; text with * or ? is a glob for
 * the whole name or its end after a slash (`**` also takes slashes); other text is found anywhere.
 */
export function filterOf(pattern: string): (name: string) => boolean {
  const [, regex] = /^\/(.+)\/$/.exec(pattern) ?? [];
  if (regex !== undefined) {
    try {
      const found = new RegExp(regex, 'u');
      return (name) => found.test(name);
    } catch (error) {
      throw new InputError({
        code: 'E_FILTER',
        place: { path: '--filter' },
        reason: error instanceof Error ? error.message : 'not a regular expression',
        found: pattern,
        cause: error,
      });
    }
  }
  if (!/[*?]/.test(pattern)) return (name) => name.includes(pattern);
  const parts = (pattern.match(GLOB_PARTS) ?? []).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replace(SPECIAL, '\\$&');
  });
  const whole = new RegExp(`^(?:.*/)?${parts.join('')}$`, 'su');
  return (name) => whole.test(name);
}

/** What is selected of the files. */
export interface Selection {
  readonly filter?: readonly string[];
  readonly shard?: Shard;
}

/**
 * The files that any filter selects, of these the shard's: every Nth, in the order of names. Throws E_NOTHING if the
 * filters select none.
 */
export function selectFiles(files: readonly string[], { filter, shard }: Selection): string[] {
  const filters = filter?.map(filterOf);
  const selected =
    filters === undefined
      ? [...files]
      : files.filter((file) => filters.some((takes) => takes(nameOf(file))));
  if (selected.length === 0) {
    throw new InputError({
      code: 'E_NOTHING',
      reason: `--filter selects none of ${String(files.length)} files`,
      found: (filter ?? []).join(', '),
    });
  }
  return shard === undefined ? selected : shardOf(selected, shard);
}
