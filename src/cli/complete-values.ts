/** The values of options and arguments that completion offers, from where the commands themselves read them. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { VIEWS } from '../analysis/effects/form.js';
import { scenarioJsonSchema } from '../scenario/scenario.js';
import { allHunks, alternatives, LAST_STAGE } from '../series/patches.js';
import { RULES } from '../sanitizer/rules.js';
import { ALL_OUTCOMES } from '../trace/trace.js';
import { TRACE_KINDS } from '../trace/vocabulary.js';
import type { Boot } from '../sequencer/boot.js';
import type { Candidate } from './complete.js';
import { findings } from './findings.js';
import { cpuNumbers } from './inspect-cpu.js';
import { DEFAULT_LINKS } from './links.js';
import { patchRecords } from './records.js';
import { packageQuestions } from './questions.js';
import { DEFAULT_SCENARIO, loadScenario, prepareUnwatched, scenarioNames } from './run-options.js';
import { loadSeries, seriesNames } from './series.js';
import { packageRoot } from './paths.js';
import { yamlNames } from './yaml-files.js';

/** What a value is of. */
export interface Kind {
  readonly of: 'option' | 'argument';
  /** `--stage`, or the argument's name, `SCENARIO`. */
  readonly name: string;
  readonly choices?: readonly string[] | undefined;
}

export interface Values {
  readonly candidates: readonly Candidate[];
  /** Names of files are values too. */
  readonly files?: boolean;
}

/** Where the values are for: the command, its words so far, and the word that is completed. */
interface Context {
  readonly command: Command;
  readonly words: readonly string[];
  readonly word: string;
}

const NONE: Values = { candidates: [] };
const FILES: Values = { candidates: [], files: true };

const plain = (values: readonly string[]): Candidate[] => values.map((value) => ({ value }));

const scenarios = (): Candidate[] =>
  scenarioNames().map((name) => ({ value: name, about: loadScenario(name, {}).scenario.title }));

const series = (): Candidate[] =>
  seriesNames().map((name) => ({ value: name, about: loadSeries(name).title }));

const hunks = (): Candidate[] => [
  ...patchRecords().map(({ number, subject }) => ({
    value: String(number).padStart(2, '0'),
    about: subject,
  })),
  ...allHunks().map(({ id, what }) => ({ value: id, about: what })),
];

const patches = (): Candidate[] =>
  patchRecords().map(({ number, subject }) => ({ value: String(number), about: subject }));

const questions = (): Candidate[] =>
  packageQuestions().map(({ id, question }) => ({ value: id, about: question }));

const probes = (): Candidate[] => plain(yamlNames(join(packageRoot(), 'probes')));

const stages = (): Candidate[] => [
  { value: '0', about: 'the base kernel' },
  ...Array.from({ length: LAST_STAGE }, (_, i) => ({
    value: String(i + 1),
    about: `with patches 1 to ${String(i + 1)}`,
  })),
];

/** The boot of the command's scenario, not begun; of the default one, if none is named yet. */
function bootOf({ words }: Context): Boot {
  const names = scenarioNames();
  return prepareUnwatched(words.find((word) => names.includes(word)) ?? DEFAULT_SCENARIO, {});
}

/** Symbols of the kernel and regions of memory, each followed by `end`. */
function places(context: Context, end: string): Candidate[] {
  const boot = bootOf(context);
  const regions = boot.regions().map(({ name }) => ({ value: name + end, about: 'region' }));
  const { program } = boot;
  const names = new Set([
    ...program.image.symbols.names(),
    ...[...program.modelled()].map(([name]) => name),
  ]);
  const symbols = [...names].map((name) => ({ value: name + end, about: 'symbol' }));
  return [...regions, ...symbols];
}

/** A part of a JSON Schema. */
interface Part {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Part>>;
  readonly enum?: readonly unknown[];
  readonly description?: string;
}

/** Keys of a scenario with `=`, or, behind it, the values of one that has a fixed list. */
function settings({ word }: Context): Candidate[] {
  const leaves = (part: Part, path: string): [string, Part][] =>
    part.properties === undefined
      ? [[path, part]]
      : Object.entries(part.properties).flatMap(([key, inner]) =>
          leaves(inner, path === '' ? key : `${path}.${key}`),
        );
  const all = leaves(scenarioJsonSchema(), '');
  const at = word.indexOf('=');
  if (at < 0) {
    return all.map(([path, { description = '' }]) => ({ value: `${path}=`, about: description }));
  }
  const [path, part] = all.find(([each]) => each === word.slice(0, at)) ?? [];
  const values = part?.type === 'boolean' ? [true, false] : (part?.enum ?? []);
  return plain(values.map((value) => `${path ?? ''}=${String(value)}`));
}

const rules = (): Candidate[] => RULES.map(({ id, title }) => ({ value: id, about: title }));

/** The predicates of bisect. */
function predicates(context: Context): Candidate[] {
  const { word } = context;
  const [, form] = /^(garbage|intact)=/.exec(word) ?? [];
  if (form !== undefined) {
    return bootOf(context)
      .regions()
      .map(({ name }) => ({ value: `${form}=${name}` }));
  }
  if (word.startsWith('outcome=')) return plain(ALL_OUTCOMES.map((kind) => `outcome=${kind}`));
  if (word.startsWith('report='))
    return rules().map((rule) => ({ ...rule, value: `report=${rule.value}` }));
  return plain(['outcome=', 'garbage=', 'intact=', 'report=', 'event=', 'console=']);
}

type Source = (context: Context) => Values;

const of =
  (make: (context: Context) => readonly Candidate[], files = false): Source =>
  (context) => ({ candidates: make(context), files });

/** By the option's name, or the argument's; behind the command's, where others have an argument of that name. */
const SOURCES = new Map<string, Source>([
  ['--stage', of(stages)],
  ['--series', of(series, true)],
  ['--without', of(hunks)],
  ['--only', of(hunks)],
  ['--with', of(() => alternatives().map(({ id, what }) => ({ value: id, about: what })))],
  ['--at', of((context) => plain(bootOf(context).labels))],
  ['--match-step', of((context) => plain(bootOf(context).labels))],
  ['--match-kind', of(() => plain(TRACE_KINDS))],
  ['--cpu', of((context) => plain(cpuNumbers(bootOf(context))))],
  ['--vtop', of((context) => places(context, ''))],
  ['--cache', of((context) => places(context, ''))],
  ['--mem', of((context) => places(context, ':'))],
  [
    '--region',
    of((context) =>
      bootOf(context)
        .regions()
        .map(({ name }) => ({ value: name })),
    ),
  ],
  ['--set', of(settings)],
  ['--expect', of(predicates)],
  ['--fail-on-report', of(rules)],
  ['--view', of(() => plain(VIEWS))],
  ['--scenario', of(scenarios, true)],
  ['SCENARIO', of(scenarios, true)],
  ['SCENARIOS', of(() => [{ value: 'all', about: 'every scenario' }, ...scenarios()], true)],
  ['SERIES', of(series, true)],
  ['A', of(scenarios, true)],
  ['PLACE', of((context) => places(context, ''))],
  ['PATCHES', of(patches)],
  ['--patch', of(patches)],
  ['--links', of(() => plain(Object.keys(DEFAULT_LINKS).map((name) => `${name}=`)))],
  ['FINDING', of(() => findings().map(({ id, title }) => ({ value: id, about: title })))],
  ['N', of(patches)],
  ['QUESTIONS', of(questions, true)],
  ['probe FILES', of(probes, true)],
]);

/** Options and arguments whose values are names of files: told by the placeholder. */
const FILE_NAMES = /FILE|DIR|PATH/;

/** The values of an option or argument. */
export function valuesOf(kind: Kind, context: Context): Values {
  const { name, choices } = kind;
  if (choices !== undefined) return { candidates: plain(choices) };
  const source = SOURCES.get(`${context.command.name()} ${name}`) ?? SOURCES.get(name);
  if (source !== undefined) {
    // The first argument of effects may be a patch.
    const also = context.command.name() === 'effects' && name === 'SCENARIO' ? patches() : [];
    const { candidates, files = false } = source(context);
    return { candidates: [...candidates, ...also], files };
  }
  const { options } = context.command;
  const flags = kind.of === 'argument' ? name : options.find(({ long }) => long === name)?.flags;
  if (name === 'B' || FILE_NAMES.test(flags ?? '')) return FILES;
  return NONE;
}
