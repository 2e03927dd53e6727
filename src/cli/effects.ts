/** `sme-boot effects`: what each patch changes, in each of the views. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { readText } from '../node/files.js';
import { schemaOption } from '../node/schema-path.js';
import { STDIN } from '../node/stdin.js';
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
import { commandLine } from '../base/shell-words.js';
import { optional } from '../base/optional.js';
import { suggest } from '../base/suggest.js';
import { readYaml } from '../base/yaml-source.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { GOLDEN_EFFECTS, type GoldenEffects } from './golden.js';
import { painterOf } from './painter.js';
import { numberOf } from './numbers.js';
import { packageRoot } from './paths.js';
import { optionsOf, scriptsFor } from './probe.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { Progress } from './progress.js';
import { patchRecords } from './records.js';
import { loadScenario } from './run-options.js';
import { runOfSelection, Runs, wordsOf } from './runs.js';
import { addSanitizeOption, type SanitizeFlags } from './sanitize-option.js';
import { scenarioOf } from './scenario-argument.js';

const FORMS = ['text', 'yaml', 'json'] as const;
type Form = (typeof FORMS)[number];

interface Flags extends SanitizeFlags, OutputFlags<Form> {
  view?: ViewName[];
  /** The former way to name the scenario. */
  scenario?: string;
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
  sme-boot effects no-iommu 13
  sme-boot effects 5 --format yaml            in the form of traces/effects/
${exitHelp()}`;

export function effectsCommand(io: Io): Command {
  const views = (text: string, before: ViewName[] = []): ViewName[] => {
    const view = VIEWS.find((name) => name === text);
    if (view === undefined) {
      throw new InputError({
        code: 'E_VIEW',
        place: { path: '--view' },
        expected: VIEWS.join(', '),
        found: JSON.stringify(text),
        ...suggest(text, VIEWS),
      });
    }
    return [...before, view];
  };
  const command = new Command('effects')
    .description('show what each patch changes: outcome, data read intact, memory, events')
    .argument('[SCENARIO]', 'name of a scenario, or a file (default: those of traces/effects/)')
    .argument('[PATCHES...]', 'patch numbers (default: all)')
    .option('--view <VIEW>', `one of ${VIEWS.join(', ')}; can be repeated (default: all)`, views)
    .addOption(new Option('--scenario <SCENARIO>').hideHelp())
    .addHelpText('after', EXAMPLES)
    .action((first: string | undefined, others: string[], flags: Flags) => {
      // A scenario or the first patch: a number is a patch.
      const isPatch = first === undefined || /^[-+.]?\d/.test(first);
      const patches = first === undefined || !isPatch ? others : [first, ...others];
      const named = isPatch ? undefined : first;
      const known = named !== undefined || flags.scenario !== undefined;
      effects(io, patches, {
        ...flags,
        ...(known && { scenario: scenarioOf(named, flags.scenario) }),
      });
    });
  return addOutput(addSanitizeOption(command), { formats: FORMS });
}

const patchNumber = numberOf('E_PATCH', 'effects', 1, LAST_STAGE);

function effects(io: Io, patches: readonly string[], flags: Flags): void {
  const { view, scenario } = flags;
  const form = formOf(flags, FORMS);
  const out = openResult(io, flags.output);
  const selected = patches.map(patchNumber);
  if (scenario !== undefined) {
    loadScenario(scenario, {});
    if (view?.every((name) => name === 'probes') === true) {
      throw new InputError({
        code: 'E_USAGE',
        place: { path: 'effects' },
        reason: 'call scripts have scenarios of their own: --scenario would have no effect',
        expected: `another view than probes, or no --scenario`,
        found: `--scenario ${scenario}`,
      });
    }
  }
  const all = Array.from({ length: LAST_STAGE }, (_, index) => index + 1);
  const jobs = (selected.length === 0 ? all : selected).flatMap((patch) =>
    scenario === undefined
      ? GOLDEN_EFFECTS.filter((golden) => golden.patch === patch)
      : [{ file: '', patch, scenario }],
  );
  const progress = new Progress(io);
  const runs = new Runs(progress.step);
  const subjects = new Map(patchRecords().map(({ number, subject }) => [number, subject]));
  const schema = schemaOption(flags.output ?? STDIN, 'effects');
  const print: Readonly<Record<Form, (each: Effects) => string>> = {
    text: (each) =>
      `${effectsText(each, {
        paint: painterOf(out.paint),
        subject: subjects.get(each.patch) ?? '',
        commandOf: (name) => diffCommandOf(each, name),
      })}\n`,
    yaml: (each) => (jobs.length > 1 ? `---\n${printEffects(each)}` : printEffects(each, schema)),
    json: () => '',
  };
  const found = jobs.map((job, index) => {
    progress.next(index, jobs.length, `patch ${String(job.patch)} on ${job.scenario}`);
    const each = effectsOfRuns(runs, job, {
      ...(view && { views: view }),
      reason: goldenReason(job),
      ...optional({ sanitize: flags.sanitize }),
    });
    progress.clear();
    if (form === 'text') out.print(print.text(each));
    else out.write(print[form](each));
    return each;
  });
  if (form === 'json') out.write(`${JSON.stringify(found, null, 2)}\n`);
  out.end();
}

/** The effects of a patch, from boots. */
export function effectsOfRuns(
  runs: Runs,
  { patch, scenario }: Pick<GoldenEffects, 'patch' | 'scenario'>,
  { sanitize, ...options }: Parameters<typeof effectsOn>[3] & SanitizeFlags = {},
): Effects {
  const traceOf: Parameters<typeof effectsOn>[2]['traceOf'] = (selection) => {
    const { flags } = runOfSelection(scenario, selection);
    return runs.trace({ scenario, flags: { ...flags, ...optional({ sanitize }) } });
  };
  const scripts = (of: number): ScriptAnswers[] => scriptsOf(of, runs.onStep);
  return effectsOn(patch, scenario, { traceOf, scriptsOf: scripts }, options);
}

/**
 * The results of a patch's call scripts, without it and with it: in the stage before it and its own, and with encryption
 * on where those stages link with patch 18, else in the whole series.
 */
function scriptsOf(patch: number, onStep: Runs['onStep']): ScriptAnswers[] {
  const { stage, activated, without } = viewPlans(patch);
  const plans = Object.entries({ stage, ...('none' in activated ? { without } : { activated }) });
  return scriptsFor(patch).flatMap((file) =>
    plans.flatMap(([name, plan]): ScriptAnswers[] => {
      if ('none' in plan) return [];
      const answer = (selection: HunkSelection): Record<string, string> => {
        const { flags } = runOfSelection(file.probe.scenario, selection);
        // The answers have no reports.
        const options = optionsOf(file, { ...flags, sanitize: false }, onStep);
        return answersOf(runScript(file, options));
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
  return commandLine(['sme-boot', 'diff', before ?? '', after ?? '']);
}
