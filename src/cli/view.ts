/** `sme-boot view`: writes the page that shows a boot, or serves it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { readBytes, readText } from '../node/files.js';
import { STDIN } from '../node/stdin.js';
import { serveView } from '../node/view-server.js';
import { cmdlineAssignment } from '../scenario/settings.js';
import { ExecutedRun } from '../sequencer/executed-run.js';
import type { Choice } from '../view/choice.js';
import { glossaryOf } from '../view/glossary.js';
import { errorHtml, viewHtml, type ViewAssets } from '../view/html.js';
import type { ScenarioText } from '../view/messages.js';
import type { EncodedFiles, SeriesRow, ViewData } from '../view/page/data.js';
import { TOUR } from '../view/tour.js';
import { exitHelp } from './exit-codes.js';
import { addExecuteOptions, checkExecute, prepareExecuted } from './execute-options.js';
import { untilOf } from './executed-trace.js';
import type { Io } from './io.js';
import { numberOf } from './numbers.js';
import { addOutput, writeResult, type OutputFlags } from './output.js';
import { packageRoot } from './paths.js';
import {
  addRunOptions,
  DEFAULT_SCENARIO,
  loadScenario,
  prepareBoot,
  scenarioNames,
  scenarioSource,
  selectionOf,
  type RunFlags,
} from './run-options.js';
import { loadSeries, seriesNames } from './series.js';

interface Flags extends RunFlags, OutputFlags {
  port?: number;
}

const EXAMPLES = `
With --output the page is one file that needs no network and no other file: open
it from the disk, or pass it on. Without it, the page is served on
127.0.0.1 until Ctrl-C, and loads again when the scenario's file changes.

Examples:
  sme-boot view                                    serve the default scenario
  sme-boot view --output boot.html                 the same as a file
  sme-boot view bios-minimal --without 09/initrd --output initrd.html
  sme-boot view mine.yaml --port 8000              load again when mine.yaml changes
  sme-boot view --kernel vmlinuz --initrd initrd.img --output real.html
  sme-boot view firmware-syscfg --kernel vmlinuz --execute \\
      --until mem_encrypt_init --cmdline "console=ttyS0 mem_encrypt=on"
                                                   run the image's own code
${exitHelp()}`;

export function viewCommand(io: Io): Command {
  const command = new Command('view')
    .description('show a boot in a browser: memory, page tables, events, and what a change does')
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addExecuteOptions(addRunOptions(command), { until: true }).option(
    '--port <N>',
    'serve the page at this port of 127.0.0.1 (default: any that is free)',
    numberOf('E_USAGE', '--port', 0, 65_535),
  );
  return addOutput(command, { formats: ['html'], what: 'the page' })
    .addHelpText('after', EXAMPLES)
    .action((scenario: string, flags: Flags, self: Command) => {
      checkExecute(self, flags);
      return view(io, scenario, flags);
    });
}

const refused = (reason: string, found: string): InputError =>
  new InputError({ code: 'E_USAGE', place: { path: 'view' }, reason, found });

async function view(io: Io, scenario: string, flags: Flags): Promise<void> {
  const { output, port, hunks } = flags;
  if (hunks !== undefined) {
    throw refused('the page cannot run the code of own hunks', `--hunks ${hunks.join(' ')}`);
  }
  if (output !== undefined && port !== undefined) {
    throw refused('a page is written, or served', '--output --port');
  }
  const page = (reload: boolean): string => pageOf(scenario, flags, reload);
  if (output !== undefined) {
    writeResult(io, output, page(false));
    return;
  }
  // What is wrong is said now, not when a browser asks.
  checkBoot(scenario, flags);
  await served(io, scenario, port ?? 0, () => page(true));
}

/** Serves until Ctrl-C. */
async function served(io: Io, scenario: string, port: number, page: () => string): Promise<void> {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  try {
    await serveView({
      port,
      page,
      errorPage,
      files: isFile(scenario) ? [scenario] : [],
      signal: controller.signal,
      onListening: (url) => {
        io.stdout.write(`${url}\n`);
        io.stderr.write('Ctrl-C ends the server.\n');
      },
    });
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** Whether a scenario is the name of a file. */
const isFile = (nameOrFile: string): boolean =>
  nameOrFile !== STDIN && !/^[a-z0-9-]+$/.test(nameOrFile);

const integrity = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The page in place of one that cannot be made. */
export const errorPage = (error: InputError): string => errorHtml(error.format(), integrity);

/** Checks all that the page will read. Throws InputError for a boot that cannot be made. */
function checkBoot(scenario: string, flags: RunFlags): void {
  if (flags.execute === true) new ExecutedRun(prepareExecuted(scenario, flags), untilOf(flags));
  else prepareBoot(scenario, flags);
}

/** The page of a boot. Throws InputError for a boot that cannot be made. */
export function pageOf(scenario: string, flags: RunFlags, reload: boolean): string {
  checkBoot(scenario, flags);
  return viewHtml(viewData(scenario, flags, reload), assets(), integrity);
}

/** The parts of the page, from dist/view/. */
function assets(root = packageRoot()): ViewAssets {
  const read = (name: string): string =>
    readFileSync(join(root, 'dist', 'view', name), 'utf8').trim();
  return { script: read('page.js'), worker: read('worker.js'), style: read('style.css') };
}

/** Whether a boot is that of the default scenario with nothing changed, which the tour is about. */
const isPlain = (choice: Choice, { kernel, initrd, dtb, sanitize }: RunFlags): boolean =>
  JSON.stringify(choice) === JSON.stringify(choiceOf(DEFAULT_SCENARIO, {})) &&
  [kernel, initrd, dtb].every((file) => file === undefined) &&
  sanitize !== false;

function viewData(scenario: string, flags: RunFlags, reload: boolean): ViewData {
  const scenarios = scenariosOf(scenario);
  const choice = choiceOf(scenarios[0]?.name ?? scenario, flags);
  return {
    scenarios,
    series: seriesNames().map(seriesRow),
    choice,
    files: filesOf(flags),
    ...optional({ sanitize: flags.sanitize }),
    tour: isPlain(choice, flags) ? TOUR : [],
    glossary: glossaryOf(readText(join(packageRoot(), 'docs', 'glossary.md'))),
    reload,
  };
}

/** The scenarios of the page: the one that is asked for, then those of the package. */
function scenariosOf(given: string): ScenarioText[] {
  const named = (name: string, file: string, text: string): ScenarioText => ({
    name,
    title: loadScenario(file, {}).scenario.title,
    text,
  });
  const texts = scenarioNames().map((name) =>
    named(name, name, readText(join(packageRoot(), 'scenarios', `${name}.yaml`))),
  );
  const own =
    given === STDIN
      ? named('stdin', given, JSON.stringify(scenarioSource(given).value))
      : isFile(given)
        ? named(basename(given), given, readText(given))
        : texts.find(({ name }) => name === given);
  return own === undefined ? texts : [own, ...texts.filter((each) => each !== own)];
}

function seriesRow(name: string): SeriesRow {
  const { title, stage, activate, without = [], stub = false, with: extra = [] } = loadSeries(name);
  return { name, title, stage, activate, without, stub, with: extra };
}

function choiceOf(scenario: string, flags: RunFlags): Choice {
  const { stage, activate, without = [], stub = false, with: extra = [] } = selectionOf(flags);
  const { set = [], cmdline, execute = false, maxInstructions: most = 0 } = flags;
  return {
    scenario,
    execute,
    entry: flags.entry ?? 'kernel',
    until: untilOf(flags) ?? '',
    most,
    stage,
    activate,
    without,
    stub,
    with: extra,
    set: cmdline === undefined ? set : [...set, cmdlineAssignment(cmdline)],
  };
}

const base64 = (file: string): string => Buffer.from(readBytes(file)).toString('base64');

function filesOf({ kernel, systemMap, initrd, dtb }: RunFlags): EncodedFiles {
  return optional({
    kernel: kernel === undefined ? undefined : { name: basename(kernel), bytes: base64(kernel) },
    systemMap: systemMap === undefined ? undefined : readText(systemMap),
    initrd: initrd === undefined ? undefined : base64(initrd),
    dtb: dtb === undefined ? undefined : base64(dtb),
  });
}
