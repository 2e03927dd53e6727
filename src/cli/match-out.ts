/** `run --match-out`: writes a match file from a boot. */
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import type { RunOf } from '../check/run-section.js';
import { suggest } from '../base/suggest.js';
import { matchFileText } from '../check/match-out.js';
import { inFile, nameIn, outputFile } from '../node/relative-paths.js';
import { LABELS } from '../sequencer/boot.js';
import { labelIndex } from '../sequencer/label-index.js';
import { LAST_STAGE, TURN_ON } from '../series/patches.js';
import type { Trace } from '../trace/trace.js';
import { isKind, TRACE_KINDS, type TraceKind } from '../trace/vocabulary.js';
import type { Io } from './io.js';
import { toFile, writeResult } from './output.js';
import type { RunFlags } from './run-options.js';
import type { Form } from './run-output.js';
import { isWatched } from './sanitize-option.js';

/** The options of `run` for a match file. */
export interface MatchOutFlags {
  matchOut?: string;
  matchStep?: string[];
  matchKind?: string[];
}

/** Checks the options before the boot. Throws E_USAGE, E_KIND for an unknown kind of event, E_LABEL. */
export function checkMatchOut(
  flags: RunFlags & MatchOutFlags & { readonly output?: string },
  form: Form,
): void {
  if (form !== 'text' && !toFile(flags.output) && flags.matchOut === '-') {
    throw new InputError({
      code: 'E_USAGE',
      reason: 'only one of --output and --match-out can be -',
    });
  }
  if (flags.matchOut === undefined) {
    if (flags.matchStep === undefined && flags.matchKind === undefined) return;
    throw new InputError({
      code: 'E_USAGE',
      reason: '--match-step and --match-kind need --match-out',
    });
  }
  kindsOf(flags);
  // The steps of an executed boot are functions of its image: what it reached is known at its end.
  if (flags.execute === true) return;
  flags.matchStep?.forEach(checkLabel);
}

/** Throws E_LABEL for a label that no boot has. */
function checkLabel(label: string): void {
  try {
    labelIndex(LABELS, label);
  } catch (error) {
    throw error instanceof InputError ? error.within({ path: '--match-step' }) : error;
  }
}

function kindsOf({ matchKind }: MatchOutFlags): TraceKind[] | undefined {
  return matchKind?.map((name) => {
    if (isKind(name)) return name;
    throw new InputError({
      code: 'E_KIND',
      place: { path: '--match-kind' },
      reason: 'there is no such kind of event',
      expected: `one of ${TRACE_KINDS.join(', ')}`,
      found: name,
      ...suggest(name, TRACE_KINDS),
    });
  });
}

/** The labels of `--match-step`. Throws E_LABEL for one that the boot did not reach. */
function stepsOf(trace: Trace, { matchStep }: MatchOutFlags): string[] | undefined {
  const labels = trace.steps.map(({ label }) => label);
  const unknown = matchStep?.find((name) => !labels.includes(name));
  if (unknown === undefined) return matchStep;
  throw new InputError({
    code: 'E_LABEL',
    place: { path: '--match-step' },
    reason: 'the boot has no step of this label with events',
    expected: `one of ${labels.join(', ')}`,
    found: unknown,
  });
}

/** A setting of a match file: text that `--set` reads as the value `text`. */
const settingText = (text: string): string => {
  try {
    JSON.parse(text);
    return JSON.stringify(text);
  } catch {
    return /^0x[0-9a-f]+$/i.test(text) ? JSON.stringify(text) : text;
  }
};

/** The stage of a boot of the model, unless a series has one; the sanitizer where it is not the default. */
function stageOf({ execute, series, stage }: RunFlags): Partial<RunOf> {
  if (stage !== undefined) return { stage };
  return execute === true || series !== undefined ? {} : { stage: LAST_STAGE };
}
function sanitizeOf(flags: RunFlags): Partial<RunOf> {
  if (flags.execute === true) return flags.sanitize === true ? { sanitize: true } : {};
  return isWatched(flags) ? {} : { sanitize: false };
}

/** A run as the match file `to` states it: with paths relative to it. */
function runSection(to: string, scenario: string, flags: RunFlags): RunOf {
  const path = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : inFile(to, file);
  const { series, activate, without, stub = flags.neutral, with: extra } = flags;
  const settings = (flags.set ?? []).map((each): [string, string] => {
    const at = each.indexOf('=');
    return [each.slice(0, at), each.slice(at + 1)];
  });
  if (flags.cmdline !== undefined) settings.push(['cmdline', settingText(flags.cmdline)]);
  return {
    scenario: nameIn(to, scenario),
    ...(series !== undefined && { series: nameIn(to, series) }),
    ...stageOf(flags),
    ...(activate !== undefined && { activate }),
    ...(without !== undefined && { without }),
    ...(stub !== undefined && { stub }),
    ...(extra !== undefined && { with: extra }),
    ...(flags.hunks !== undefined && { hunks: flags.hunks.map((module) => inFile(to, module)) }),
    ...(settings.length > 0 && { set: Object.fromEntries(settings) }),
    ...sanitizeOf(flags),
    ...optional({
      execute: flags.execute,
      entry: flags.entry,
      until: flags.until,
      'max-instructions': flags.maxInstructions,
      kernel: path(flags.kernel),
      'system-map': path(flags.systemMap),
      initrd: path(flags.initrd),
      dtb: path(flags.dtb),
    }),
  };
}

/** The patches that a trace is of, by its header. */
function patchesOf({ header }: Trace): number[] {
  if (header.execute === true) return [];
  const out = new Set(header.without.filter((id) => !id.includes('/')).map(Number));
  const last = header.activate ? [TURN_ON] : [];
  const own = (header.ownHunks ?? []).flatMap(({ hunks }) =>
    hunks.map((id) => Number(id.slice(0, 2))),
  );
  const all = [...Array.from({ length: header.stage }, (_, index) => index + 1), ...last, ...own];
  return [...new Set(all)].filter((patch) => !out.has(patch));
}

/** Writes the match file of a boot, if it is asked for. */
export function writeMatchOut(
  io: Io,
  scenario: string,
  flags: RunFlags & MatchOutFlags & { readonly suppress?: string },
  trace: Trace,
): void {
  if (flags.matchOut === undefined) return;
  const [steps, kinds] = [stepsOf(trace, flags), kindsOf(flags)];
  const text = matchFileText(trace, {
    run: runSection(outputFile(flags.matchOut), scenario, flags),
    patches: patchesOf(trace),
    ...(flags.suppress !== undefined && {
      suppress: inFile(outputFile(flags.matchOut), flags.suppress),
    }),
    ...(steps !== undefined && { steps }),
    ...(kinds !== undefined && { kinds }),
  });
  writeResult(io, flags.matchOut, text);
}
