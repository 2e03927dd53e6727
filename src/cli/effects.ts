/** `sme-boot effects`: what each patch changes, in each of the views. */
import { wholeNumber } from '../base/whole-number.js';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { readText } from '../node/files.js';
import {
  effectsOf,
  printEffects,
  VIEWS,
  type Effects,
  type TraceView,
  type ViewName,
} from '../analysis/effects/form.js';
import type { ScriptAnswers } from '../analysis/effects/effects.js';
import { effectsOn, viewPlans } from '../analysis/effects/plan.js';
import { runScript } from '../analysis/calls/calls.js';
import { answersOf } from '../analysis/calls/answers.js';
import { effectsText } from '../analysis/effects/text.js';
import { LAST_STAGE } from '../series/patches.js';
import type { HunkSelection } from '../series/compose.js';
import { InputError } from '../base/errors.js';
import { readYaml } from '../base/yaml-source.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { GOLDEN_EFFECTS, type GoldenEffects } from './golden.js';
import { painterOf } from './painter.js';
import { packageRoot } from './paths.js';
import { optionsOf, scriptsFor } from './probe.js';
import { progress } from './progress.js';
import { patchRecords } from './records.js';
import { runOfSelection, Runs, wordsOf } from './runs.js';

interface Flags {
  view?: ViewName[];
  scenario?: string;
  format: 'text' | 'yaml' | 'json';
}

const EXAMPLES = `
Views:
  stage      the stage before the patch against the patch's own stage; encryption is off up to patch 18
  activated  the same two stages, each with patch 18 on top
  without    the whole series with the patch against the whole series without it
  probes     results of the call scripts for the patch, without it and with it

Examples:
  sme-boot effects                            all patches, in all views
  sme-boot effects 12 --view without          what breaks without patch 12
  sme-boot effects 13 --scenario no-iommu
  sme-boot effects 5 --format yaml            in the form of traces/effects/
${exitHelp()}`;

export function effectsCommand(io: Io): Command {
  const views = (text: string, before: ViewName[] = []): ViewName[] => {
    const view = VIEWS.find((name) => name === text);
    if (view === undefined) {
      throw new InputError({ code: 'E_VIEW', expected: VIEWS.join(', '), found: text });
    }
    return [...before, view];
  };
  return new Command('effects')
    .description('show what each patch changes: outcome, data read intact, memory, events')
    .argument('[PATCHES...]', 'patch numbers (default: all)')
    .option('--view <VIEW>', `one of ${VIEWS.join(', ')}; can be repeated (default: all)`, views)
    .option(
      '--scenario <SCENARIO>',
      'name of a scenario, or a file (default: those of traces/effects/)',
    )
    .addOption(
      new Option('--format <FORMAT>', 'output format')
        .choices(['text', 'yaml', 'json'])
        .default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action((patches: string[], flags: Flags) => {
      effects(io, patches, flags);
    });
}

function patchNumber(text: string): number {
  const patch = wholeNumber(text) ?? 0;
  if (patch >= 1 && patch <= LAST_STAGE) return patch;
  throw new InputError({ code: 'E_PATCH', expected: `1 to ${String(LAST_STAGE)}`, found: text });
}

function effects(io: Io, patches: readonly string[], { view, scenario, format }: Flags): void {
  const selected = patches.map(patchNumber);
  const all = Array.from({ length: LAST_STAGE }, (_, index) => index + 1);
  const jobs = (selected.length === 0 ? all : selected).flatMap((patch) =>
    scenario === undefined
      ? GOLDEN_EFFECTS.filter((golden) => golden.patch === patch)
      : [{ file: '', patch, scenario }],
  );
  const runs = new Runs();
  const subjects = new Map(patchRecords().map(({ number, subject }) => [number, subject]));
  const print: Readonly<Record<Flags['format'], (each: Effects) => string>> = {
    text: (each) =>
      `${effectsText(each, {
        paint: painterOf(io.paint),
        subject: subjects.get(each.patch) ?? '',
        commandOf: (name) => diffCommandOf(each, name),
      })}\n`,
    yaml: (each) => `${jobs.length > 1 ? '---\n' : ''}${printEffects(each)}`,
    json: () => '',
  };
  const found = jobs.map((job, index) => {
    progress(io, index, jobs.length, `patch ${String(job.patch)} on ${job.scenario}`);
    const each = effectsOfRuns(runs, job, {
      ...(view && { views: view }),
      reason: goldenReason(job),
    });
    progress(io, jobs.length, jobs.length, '');
    io.stdout.write(print[format](each));
    return each;
  });
  if (format === 'json') io.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
}

/** The effects of a patch, from boots. */
export function effectsOfRuns(
  runs: Runs,
  { patch, scenario }: Pick<GoldenEffects, 'patch' | 'scenario'>,
  options: Parameters<typeof effectsOn>[3] = {},
): Effects {
  const traceOf: Parameters<typeof effectsOn>[2]['traceOf'] = (selection) =>
    runs.trace(runOfSelection(scenario, selection));
  return effectsOn(patch, scenario, { traceOf, scriptsOf }, options);
}

/**
 * The results of a patch's call scripts, without it and with it: in the stage before it and its own, and with encryption
 * on where those stages link with patch 18, else in the whole series.
 */
function scriptsOf(patch: number): ScriptAnswers[] {
  const { stage, activated, without } = viewPlans(patch);
  const plans = Object.entries({ stage, ...('none' in activated ? { without } : { activated }) });
  return scriptsFor(patch).flatMap((file) =>
    plans.flatMap(([name, plan]): ScriptAnswers[] => {
      if ('none' in plan) return [];
      const answer = (selection: HunkSelection): Record<string, string> => {
        const { flags } = runOfSelection(file.probe.scenario, selection);
        return answersOf(runScript(file, optionsOf(file, flags)));
      };
      const title = `${basename(file.file, '.yaml')}, ${name}`;
      return [{ probe: title, before: answer(plan.before), after: answer(plan.after) }];
    }),
  );
}

/** The reason that the golden file states for a patch that shows in no view. */
function goldenReason({ file }: Pick<GoldenEffects, 'file'>): string | undefined {
  const path = join(packageRoot(), 'traces', file);
  if (file === '' || !existsSync(path)) return undefined;
  return effectsOf(readYaml(file, readText(path))).reason;
}

/** The command that prints the whole difference of a view. */
function diffCommandOf({ patch, scenario }: Effects, view: TraceView): string | undefined {
  const plan = viewPlans(patch)[view];
  if ('none' in plan) return undefined;
  const [before, after] = [plan.before, plan.after].map((selection) =>
    wordsOf(runOfSelection(scenario, selection)),
  );
  return `sme-boot diff "${before ?? ''}" "${after ?? ''}"`;
}
