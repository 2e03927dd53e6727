/** A difference between two traces as text for a terminal. */
import type { Difference, EventDifference, FieldDifference, StepDifference } from './compare.js';
import type { ReportDifference } from './compare-reports.js';
import { printable } from '../base/printable.js';
import type { Scalar } from '../trace/trace.js';
import { printEvent, printReport } from '../trace/yaml-out.js';

/** Colours a text. The caller passes it in, so that plain text has no dependency. */
export interface Painter {
  heading(text: string): string;
  gone(text: string): string;
  added(text: string): string;
  changed(text: string): string;
}

const unchanged = (text: string): string => text;

/** A painter without colours. */
export const plainPainter: Painter = {
  heading: unchanged,
  gone: unchanged,
  added: unchanged,
  changed: unchanged,
};

const shown = (value: Scalar | undefined): string =>
  value === undefined ? '(none)' : printable(`${value}`);

/** Wording of a difference: `expected` (expected A, found B) or `before` (A → B). */
export type Wording = 'expected' | 'before';

/** `C: expected 1, found 0`, or `C: 1 → 0`. */
export function fieldText(
  { field, expected, found }: FieldDifference,
  wording: Wording = 'expected',
): string {
  const name = printable(field);
  return wording === 'before'
    ? `${name}: ${shown(expected)} → ${shown(found)}`
    : `${name}: expected ${shown(expected)}, found ${shown(found)}`;
}

const goneLine = (text: string, paint: Painter): string => paint.gone(`  - ${text}`);
const addedLine = (text: string, paint: Painter): string => paint.added(`  + ${text}`);

function changedLines(
  text: string,
  fields: readonly FieldDifference[],
  paint: Painter,
  wording: Wording,
): string[] {
  return [
    paint.changed(`  ~ ${text}`),
    ...fields.map((field) => paint.changed(`      ${fieldText(field, wording)}`)),
  ];
}

function eventLines(difference: EventDifference, paint: Painter, wording: Wording): string[] {
  if (difference.change === 'gone') return [goneLine(printEvent(difference.event), paint)];
  if (difference.change === 'added') return [addedLine(printEvent(difference.event), paint)];
  return changedLines(printEvent(difference.found), difference.fields, paint, wording);
}

function reportLines(difference: ReportDifference, paint: Painter, wording: Wording): string[] {
  if (difference.change === 'gone') return [goneLine(printReport(difference.report), paint)];
  if (difference.change === 'added') return [addedLine(printReport(difference.report), paint)];
  return changedLines(printReport(difference.found), difference.fields, paint, wording);
}

/** The differences of one boot step or of another section of a trace, as text. */
export interface Block {
  readonly section: keyof Difference;
  /** The step, in section `steps`. */
  readonly step?: StepDifference;
  /** The reports, in section `reports`. */
  readonly reports?: readonly ReportDifference[];
  /** The fields, in any other section. */
  readonly fields: readonly FieldDifference[];
  readonly heading: string;
  readonly lines: readonly string[];
}

const TITLES = {
  header: 'header',
  consumed: 'consumed',
  final: 'final state',
  outcome: 'outcome',
} as const;
const NOTES = { gone: ' (missing)', added: ' (extra)', changed: '' };

/** The differences, a block per step or other section, in the order of a trace; unpainted headings. */
export function differenceBlocks(
  difference: Difference,
  paint: Painter = plainPainter,
  wording: Wording = 'expected',
): Block[] {
  const block = (section: keyof typeof TITLES): Block[] => {
    const fields = difference[section];
    const lines = fields.map((field) => paint.changed(`  ${fieldText(field, wording)}`));
    return fields.length === 0 ? [] : [{ section, fields, heading: `${TITLES[section]}:`, lines }];
  };
  const steps = difference.steps.map((step): Block => ({
    section: 'steps',
    step,
    fields: [],
    heading: `${printable(step.label)}:${NOTES[step.change]}`,
    lines: step.events.flatMap((event) => eventLines(event, paint, wording)),
  }));
  const reports: Block = {
    section: 'reports',
    reports: difference.reports,
    fields: [],
    heading: 'reports:',
    lines: difference.reports.flatMap((report) => reportLines(report, paint, wording)),
  };
  return [
    ...block('header'),
    ...steps,
    ...block('consumed'),
    ...block('final'),
    ...block('outcome'),
    ...(difference.reports.length === 0 ? [] : [reports]),
  ];
}

/** The differences, a line each: header, steps with `-` missing, `+` extra, `~` changed, then the rest. '' for none. */
export function differenceText(
  difference: Difference,
  paint: Painter = plainPainter,
  wording: Wording = 'expected',
): string {
  return differenceBlocks(difference, paint, wording)
    .flatMap(({ heading, lines }) => [paint.heading(heading), ...lines])
    .map((line) => `${line}\n`)
    .join('');
}

/** The first difference of a block in one line: `~ {cr: CR3, …} C: expected 1, found 0`. */
export function firstOfBlock(block: Block, wording: Wording = 'expected'): string {
  const [field] = block.fields;
  if (field !== undefined) return fieldText(field, wording);
  const [event] = block.step?.events ?? [];
  const [report] = block.reports ?? [];
  const lines =
    event !== undefined
      ? eventLines(event, plainPainter, wording)
      : report !== undefined
        ? reportLines(report, plainPainter, wording)
        : [];
  return lines
    .slice(0, 2)
    .map((line) => line.trim())
    .join(' ');
}
