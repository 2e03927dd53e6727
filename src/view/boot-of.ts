/** The boot of a choice: its options, and the command line that makes the same boot. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { asSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { commandLine } from '../base/shell-words.js';
import { suggest } from '../base/suggest.js';
import { readYaml } from '../base/yaml-source.js';
import { readKernelImage, type KernelImage } from '../firmware/image/kernel-image.js';
import { nobleCipher } from '../machine/memory/noble-cipher.js';
import { cmdlineAssignment, scenarioWith } from '../scenario/settings.js';
import type { BootOptions } from '../sequencer/boot.js';
import type { ExecutedBootOptions } from '../sequencer/executed-boot.js';
import { executedHeader } from '../sequencer/trace-header.js';
import { selectionFlags, type HunkSelection } from '../series/compose.js';
import { canonicalName } from '../series/without.js';
import { digestOf } from '../trace/integrity.js';
import type { Choice } from './choice.js';
import type { ExecutionOptions } from './labelled-execution.js';
import type { BootFiles, Setup } from './messages.js';

/** The kernel image of the files; undefined: the built-in one. Throws InputError for a file that is not a kernel. */
export function imageOfFiles({ kernel, systemMap }: BootFiles): KernelImage | undefined {
  if (kernel === undefined) return undefined;
  return readKernelImage(kernel.bytes, {
    file: kernel.name,
    ...(systemMap !== undefined && { systemMap: { file: 'System.map', text: systemMap } }),
  });
}

function selectionOf({ stage, activate, without, stub, with: extra }: Choice): HunkSelection {
  return {
    stage,
    activate,
    ...(without.length > 0 && { without: without.map(canonicalName), ...(stub && { stub }) }),
    ...(extra.length > 0 && { with: extra.map(canonicalName) }),
  };
}

/** The settings as a trace's header has them: values by path. */
function settingsOf(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((each) => {
      const at = each.indexOf('=');
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}

/** What boots of both kinds have of a choice. */
type Basis = Pick<
  BootOptions,
  'scenario' | 'scenarioDigest' | 'settings' | 'initrd' | 'deviceTree' | 'cipher'
>;

/** Throws InputError for an unknown scenario or value. */
function basisOf(
  { scenarios, files }: Setup,
  image: KernelImage | undefined,
  choice: Choice,
): Basis {
  const text = scenarios.find(({ name }) => name === choice.scenario);
  if (text === undefined) {
    const names = scenarios.map(({ name }) => name);
    throw new InputError({
      code: 'E_SCENARIO_UNKNOWN',
      expected: names.join(', '),
      found: choice.scenario,
      ...suggest(choice.scenario, names),
    });
  }
  const given = choice.set.some((each) => each.startsWith('cmdline='));
  const fromUki = given ? undefined : image?.uki?.cmdline;
  const assignments = [
    ...choice.set,
    ...(fromUki === undefined ? [] : [cmdlineAssignment(fromUki)]),
  ];
  const scenario = scenarioWith(readYaml(text.name, text.text), assignments);
  const initrd = files.initrd === undefined ? image?.uki?.initrd : asSource(files.initrd);
  return {
    scenario,
    scenarioDigest: digestOf(utf8ToBytes(JSON.stringify(scenario))),
    settings: settingsOf(assignments),
    ...optional({ initrd, deviceTree: files.dtb }),
    cipher: nobleCipher,
  };
}

/** The options of a choice's boot of the model. Throws InputError for an unknown scenario, hunk or value. */
export function bootOf(setup: Setup, image: KernelImage | undefined, choice: Choice): BootOptions {
  return {
    ...basisOf(setup, image, choice),
    ...selectionOf(choice),
    ...optional({ image }),
    sanitize: setup.sanitize !== false,
    digest: digestOf,
  };
}

/** The options of a choice's executed boot. Throws E_USAGE without an image, InputError for an unknown scenario or value. */
export function executionOf(
  setup: Setup,
  image: KernelImage | undefined,
  choice: Choice,
): ExecutionOptions {
  if (image === undefined) {
    throw new InputError({
      code: 'E_USAGE',
      reason: 'the built-in kernel has no code that could be executed',
      expected: 'the file of a kernel: a bzImage or vmlinux',
    });
  }
  const basis = basisOf(setup, image, choice);
  // The label of the end may be given too.
  const until = choice.until.replace(/:return$/, '') || undefined;
  const boot: ExecutedBootOptions = {
    ...basis,
    image,
    // By default off, as in `run`: the boot takes several times as long with it.
    sanitize: setup.sanitize === true,
    entry: choice.entry,
    ...(choice.most > 0 && { maxInstructions: choice.most }),
  };
  return {
    boot,
    header: executedHeader(boot, { ...basis, ...optional({ until }) }),
    ...optional({ until }),
  };
}

/** The command line of a choice's boot. Of the page's files only the kernel has a name: the others are `FILE`. */
export function wordsOf(choice: Choice, { sanitize, files }: Setup): string {
  const { execute, entry, until, most } = choice;
  const file = (option: string, given: unknown, name = 'FILE'): string[] =>
    given === undefined ? [] : [option, name];
  return commandLine([
    'sme-boot',
    'run',
    choice.scenario,
    ...(execute ? ['--execute'] : selectionFlags(selectionOf(choice))),
    ...(execute && entry !== 'kernel' ? ['--entry', entry] : []),
    ...(execute && until !== '' ? ['--until', until] : []),
    ...(execute && most > 0 ? ['--max-instructions', String(most)] : []),
    ...choice.set.flatMap((each) => ['--set', each]),
    ...file('--kernel', files.kernel, files.kernel?.name),
    ...file('--system-map', files.systemMap),
    ...file('--initrd', files.initrd),
    ...file('--dtb', files.dtb),
    ...(sanitize === undefined || sanitize === !execute
      ? []
      : [sanitize ? '--sanitize' : '--no-sanitize']),
  ]);
}
