/** What differs between an expected trace and a boot, as failures with their places in the file of the trace. */
import type { Place } from '../base/errors.js';
import { valueAt, type PathKey, type YamlSource } from '../base/yaml-source.js';
import type { SanitizerReport } from '../trace/report.js';
import { reportsOf, type Trace, type TraceEvent } from '../trace/trace.js';
import type { ReportDifference } from './compare-reports.js';
import { differenceBlocks, firstOfBlock, type Block, type Painter } from './compare-text.js';
import type { Difference, EventDifference, StepDifference } from './compare.js';
import { neighbourText } from './match-text.js';
import { placePrefix, type Failure } from './result.js';

/** The traces that were compared; the events of the difference are theirs. */
interface Compared {
  readonly expected: Trace;
  readonly found: Trace;
}

/** The index of a step by its label in a list of a file; -1 if there is none. */
const stepIndex = (list: unknown, label: string): number =>
  Array.isArray(list)
    ? list.findIndex((each) =>
        [['label'], ['step'], ['add', 'label']].some((path) => valueAt(each, path) === label),
      )
    : -1;

/** Path of a step's first difference in the file: a whole trace, one under `trace`, or a difference from a base. */
function stepPath(source: YamlSource, step: StepDifference, expected: Trace): PathKey[] {
  const changes = valueAt(source.value, ['changes']) !== undefined;
  const nested = valueAt(source.value, ['trace']) !== undefined;
  const steps: PathKey[] = changes ? ['changes', 'steps'] : nested ? ['trace', 'steps'] : ['steps'];
  const at = stepIndex(valueAt(source.value, steps), step.label);
  // A step that no edit of the file names comes from its base.
  if (at < 0) return changes ? ['base'] : steps;
  const event = expectedEvent(step.events[0]);
  if (event === undefined || changes) return [...steps, at];
  const events = expected.steps.find(({ label }) => label === step.label)?.events ?? [];
  const index = events.indexOf(event);
  return index < 0 ? [...steps, at] : [...steps, at, 'events', index];
}

function expectedEvent(difference: EventDifference | undefined): TraceEvent | undefined {
  if (difference?.change === 'gone') return difference.event;
  return difference?.change === 'changed' ? difference.expected : undefined;
}

function foundEvent(difference: EventDifference | undefined): TraceEvent | undefined {
  if (difference?.change === 'added') return difference.event;
  return difference?.change === 'changed' ? difference.found : undefined;
}

/** The lines of the trace around the first difference of a step: of the boot, or, for a missing event, as expected. */
function neighbours({ label, events: [first] }: StepDifference, traces: Compared): string[] {
  const event = foundEvent(first) ?? expectedEvent(first);
  const trace = foundEvent(first) === undefined ? traces.expected : traces.found;
  const lines = trace.steps.flatMap(({ label: step, events }) =>
    events.map((each) => ({ step, event: each })),
  );
  const at = lines.findIndex((line) => line.step === label && line.event === event);
  if (at < 0) return [];
  return [['before:', lines[at - 1]] as const, ['after: ', lines[at + 1]] as const].flatMap(
    ([word, line]) => (line === undefined ? [] : [`      ${word} ${neighbourText(line)}`]),
  );
}

/** The report of the expected trace that a difference is about; undefined if it has none. */
function expectedReport(difference: ReportDifference | undefined): SanitizerReport | undefined {
  if (difference?.change === 'gone') return difference.report;
  return difference?.change === 'changed' ? difference.expected : undefined;
}

/** Path of the first difference of the reports in a file of a whole trace: the report, or the section. */
function reportPath([first]: readonly ReportDifference[], expected: Trace): PathKey[] {
  const report = expectedReport(first);
  const index = report === undefined ? -1 : reportsOf(expected).indexOf(report);
  return index < 0 ? ['reports'] : ['reports', index];
}

/** The place of a block in the file. */
function placeOf(
  source: YamlSource,
  { section, step, fields, reports }: Block,
  { expected }: Compared,
): Place {
  if (step !== undefined) return source.place(stepPath(source, step, expected));
  const changes = valueAt(source.value, ['changes']) !== undefined;
  if (reports !== undefined && !changes) {
    const nested = valueAt(source.value, ['trace']) !== undefined;
    return source.place([...(nested ? ['trace'] : []), ...reportPath(reports, expected)]);
  }
  const path: PathKey[] = [
    ...['changes', 'trace'].filter((key) => valueAt(source.value, [key]) !== undefined),
    section,
    ...(section === 'header' || section === 'outcome' ? (fields[0]?.field.split('.') ?? []) : []),
  ];
  return source.place(path);
}

/** A failure for each step and other section that differs; `paint` colours the lines below the heading. */
export function exactFailures(
  difference: Difference,
  traces: Compared,
  source: YamlSource,
  paint?: Painter,
): Failure[] {
  return differenceBlocks(difference, paint).map((block) => {
    const place = placeOf(source, block, traces);
    const around = block.step === undefined ? [] : neighbours(block.step, traces);
    const [first = [], rest = []] = splitFirst(block);
    const heading = `${placePrefix(place)}${block.heading}`;
    return {
      place,
      headline: `${block.heading.replace(/:$/, '')}: ${firstOfBlock(block)}`,
      lines: [paint?.heading(heading) ?? heading, ...first, ...around, ...rest],
    };
  });
}

/** The lines of a step's first difference, and the others. */
function splitFirst({ step, lines }: Block): [string[], string[]] {
  const [first] = step?.events ?? [];
  if (first === undefined) return [[], [...lines]];
  const count = first.change === 'changed' ? 1 + first.fields.length : 1;
  return [lines.slice(0, count), lines.slice(count)];
}

/** `2 events changed, 1 event added`, a text for each. */
function changeCounts(
  differences: readonly { readonly change: EventDifference['change'] }[],
  noun: string,
): string[] {
  const words = [
    ['changed', 'changed'] as const,
    ['added', 'added'] as const,
    ['gone', 'removed'] as const,
  ];
  return words.flatMap(([change, word]) => {
    const number = differences.filter((each) => each.change === change).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? noun : `${noun}s`} ${word}`];
  });
}

/** What changed, in one line: counts and the first difference. */
export function changeSummary(difference: Difference): string {
  const blocks = differenceBlocks(difference, undefined, 'before');
  const events = difference.steps.flatMap((step) => step.events);
  const fields = blocks
    .filter(({ fields: { length } }) => length > 0)
    .map((block) => `${block.fields.length} of ${block.heading.replace(/:$/, '')}`);
  const counts = [
    ...changeCounts(events, 'event'),
    ...fields,
    ...changeCounts(difference.reports, 'report'),
  ].join(', ');
  const [first] = blocks;
  if (first === undefined) return 'the form only';
  const heading = first.heading.replace(/ \(.*\):$|:$/, '');
  return `${counts}; first in ${heading}: ${firstOfBlock(first, 'before')}`;
}
