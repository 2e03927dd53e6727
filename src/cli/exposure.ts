/** `sme-boot exposure`: prints the memory that is in the clear at a label. */
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { jsonText, printable } from '../base/printable.js';
import { suggest } from '../base/suggest.js';
import { rangeText } from '../inspect/exposed.js';
import { changesOf, type Changes } from '../inspect/exposure/changes.js';
import {
  exposureAt,
  recordBus,
  type ExposedRange,
  type Exposure,
} from '../inspect/exposure/exposure.js';
import { LATER_REGIONS } from '../inspect/place.js';
import type { BusLog } from '../inspect/exposure/bus-log.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { addExecuteOptions, checkExecute, prepareInspected } from './execute-options.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { exposureData } from './exposure-data.js';
import { changesText, counted, rangesText } from './exposure-text.js';
import type { Io } from './io.js';
import { numberOf } from './numbers.js';
import { addOutput, checkOutput, formOf, openResult, type OutputFlags } from './output.js';
import { Progress } from './progress.js';
import { addRunOptions, DEFAULT_SCENARIO, repeated, type RunFlags } from './run-options.js';
import { sizeText } from './size-text.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends RunFlags, OutputFlags<(typeof FORMS)[number]> {
  at?: string[];
  region?: string;
  min?: number;
}

const EXAMPLES = `
A range is in the clear if its last write to DRAM had no key, or if the cache
has such a write that is not written back yet. Each has its writer, its owner,
the reason why it is in the clear, and what its bytes look like.

Examples:
  sme-boot exposure                                  at the end of the boot
  sme-boot exposure bios-minimal --at startup_64:phys_base
  sme-boot exposure --at drivers --region trampoline
  sme-boot exposure --at reserve_initrd --at smp_init      what came and went
  sme-boot exposure --without 11 --min 4096 --format json > exposed.json
${exitHelp({ mismatch: 'the boot ended before a label' })}`;

export function exposureCommand(io: Io): Command {
  const command = new Command('exposure')
    .description(
      'print the memory that is in the clear at a label: what a probe on the memory bus would read',
    )
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addExecuteOptions(addRunOptions(command, { unwatched: true }))
    .option(
      '--at <LABEL>',
      'after the step of this label, with --execute at this function, or F:return (default: at the end of the boot); can be repeated: also what came and went',
      repeated,
    )
    .option('--region <NAME>', 'only ranges in this region')
    .option(
      '--min <BYTES>',
      'only ranges of at least this size',
      numberOf('E_USAGE', '--min', 1, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText('after', EXAMPLES)
    .action((scenario: string, flags: Flags, self: Command) => {
      checkExecute(self, flags);
      exposure(io, scenario, flags);
    });
  return addOutput(command, { formats: FORMS });
}

/** The memory in the clear at a label, or at the end. */
interface Section {
  /** undefined: at the end of the boot. */
  readonly label: string | undefined;
  readonly exposure: Exposure;
  readonly since?: { readonly label: string; readonly changes: Changes };
  /** The ranges that `--region` and `--min` select. */
  readonly shown: readonly ExposedRange[];
}

function exposure(io: Io, scenario: string, flags: Flags): void {
  const progress = new Progress(io);
  const boot = prepareInspected(scenario, flags, (label) => {
    progress.step(label);
    log.step = boot.labels.indexOf(label);
  });
  const log = recordBus(boot);
  // The code before the first of its labels.
  if (boot.executed) log.step = boot.labels.length - 1;
  const wanted = labelsOf(boot, flags.at ?? []);
  checkRegion(boot, flags.region);
  checkOutput(flags.output);
  const sections = sectionsOf(boot, log, wanted, flags);
  progress.clear();
  const missing = wanted.filter((label) => !boot.reached(label));
  if (missing.length > 0) {
    io.stderr.write(`sme-boot: ${printable(unreached(boot, missing))}\n`);
    io.exitCode = EXIT.mismatch;
  }
  const out = openResult(io, flags.output);
  if (formOf(flags, FORMS) === 'json') {
    const data = sections.map(({ label, exposure: each, shown, since }) => ({
      ...(label !== undefined && { at: label }),
      ...exposureData({ ...each, ranges: shown }, boot.labels, since),
      hiddenRanges: each.ranges.length - shown.length,
    }));
    out.write(jsonText({ sections: data, ...(missing.length > 0 && { notReached: missing }) }));
  } else {
    const text = sections.map((section) => sectionText(section, boot, flags, out.columns));
    out.print(text.join('\n'));
  }
  out.end();
}

/** The labels in the order of the boot, if it is known, else as given; each once. Throws E_LABEL. */
function labelsOf(boot: InspectedBoot, at: readonly string[]): string[] {
  const places = [...new Set(at)].map((label) => {
    try {
      return { label, index: boot.indexOf(label) ?? 0 };
    } catch (error) {
      throw error instanceof InputError ? error.within({ path: '--at' }) : error;
    }
  });
  return places.sort((a, b) => a.index - b.index).map(({ label }) => label);
}

/** The regions that a boot has or will have, by name. */
const regionNames = (boot: InspectedBoot): string[] => [
  ...new Set([
    ...boot.regions().map(({ name }) => name),
    ...boot.loaded.blobs.map(({ name }) => name),
    ...LATER_REGIONS,
  ]),
];

function checkRegion(boot: InspectedBoot, region: string | undefined): void {
  if (region === undefined) return;
  const names = regionNames(boot);
  if (names.includes(region)) return;
  throw new InputError({
    code: 'E_PLACE',
    place: { path: '--region' },
    reason: 'no such region',
    expected: 'a region (sme-boot list regions)',
    found: region,
    ...suggest(region, names),
  });
}

/** Boots, and takes a section after the step of each label; without labels one at the end. */
function sectionsOf(
  boot: InspectedBoot,
  log: BusLog,
  labels: readonly string[],
  flags: Flags,
): Section[] {
  const sections: Section[] = [];
  const take = (label: string | undefined): void => {
    const now = exposureAt(boot, log);
    const last = sections.at(-1);
    const comparable = last !== undefined && last.exposure.encryption.length > 0;
    const since = comparable
      ? { label: last.label ?? '', changes: changesOf(boot, last.exposure, now) }
      : undefined;
    const shown = selected(boot, now.ranges, flags);
    sections.push({ label, exposure: now, shown, ...(since !== undefined && { since }) });
  };
  for (const label of labels) {
    boot.runTo(label);
    if (boot.reached(label)) take(label);
  }
  if (labels.length === 0) {
    boot.runToEnd();
    take(undefined);
  }
  log.detach();
  return sections;
}

/** The ranges that `--region` and `--min` leave. */
function selected(
  boot: InspectedBoot,
  ranges: readonly ExposedRange[],
  { region, min = 0 }: Flags,
): ExposedRange[] {
  const named = [
    ...boot.regions(),
    ...boot.loaded.blobs.map((b) => ({ ...b, size: b.bytes.length })),
  ];
  const spans = named.filter(({ name }) => name === region);
  return ranges.filter(
    ({ start, bytes }) =>
      bytes >= min &&
      (region === undefined ||
        spans.some(({ base, size }) => start < base + size && base < start + bytes)),
  );
}

function unreached(boot: InspectedBoot, labels: readonly string[]): string {
  const { kind = '', where, message } = boot.outcome ?? {};
  const how = `${kind}${where === undefined ? '' : ` in ${where}`}${message === undefined ? '' : `: ${message}`}`;
  return `the boot did not reach ${labels.join(', ')}, it ended in ${boot.lastLabel ?? ''}: ${how}`;
}

function sectionText(
  { label, exposure: each, shown, since }: Section,
  boot: InspectedBoot,
  { region, min }: Flags,
  columns: number | undefined,
): string {
  const { encryption, written, dram, cache, ranges, remnants } = each;
  const place = label === undefined ? 'at the end' : `${boot.executed ? 'at' : 'after'} ${label}`;
  if (encryption.length === 0) {
    return `${place}: no CPU has encryption on, so all memory is in the clear: ${sizeText(written)} were written\n`;
  }
  const more = cache > 0 ? `, and ${sizeText(cache)} that only the cache has so far` : '';
  const head = `${place}: ${sizeText(dram)} in the clear${more}, in ${counted(ranges.length)}\n`;
  const filters = [
    ...(region === undefined ? [] : [`outside ${region}`]),
    ...(min === undefined ? [] : [`below ${String(min)} bytes`]),
  ];
  const hidden = ranges.length - shown.length;
  const left = hidden > 0 ? `\nnot shown: ${counted(hidden)} ${filters.join(' or ')}\n` : '';
  const changes = since === undefined ? '' : changesText(since.changes, since.label, columns);
  const under =
    remnants.length === 0
      ? ''
      : `\nunder writes with a key that left it as it was:\n${remnants
          .map((range) => `  ${rangeText(range)}  ${sizeText(range.bytes)}\n`)
          .join('')}`;
  return head + changes + rangesText(shown, boot.labels, columns) + under + left;
}
