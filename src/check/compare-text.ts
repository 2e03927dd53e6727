/** A difference between two traces as text for a terminal. */
import type { Difference, EventDifference, FieldDifference } from './compare.js';
import { printable } from '../base/printable.js';
import type { Scalar } from '../trace/trace.js';
import { printEvent } from '../trace/yaml-out.js';

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

function eventLines(difference: EventDifference, paint: Painter, wording: Wording): string[] {
  if (difference.change === 'gone') return [paint.gone(`  - ${printEvent(difference.event)}`)];
  if (difference.change === 'added') return [paint.added(`  + ${printEvent(difference.event)}`)];
  return [
    paint.changed(`  ~ ${printEvent(difference.found)}`),
    ...difference.fields.map((field) => paint.changed(`      ${fieldText(field, wording)}`)),
  ];
}

/** The differences, a line each: header, steps with `-` missing, `+` extra, `~` changed, then the rest. '' for none. */
export function differenceText(
  difference: Difference,
  paint: Painter = plainPainter,
  wording: Wording = 'expected',
): string {
  const section = (name: string, fields: readonly FieldDifference[]): string[] =>
    fields.length === 0
      ? []
      : [
          paint.heading(`${name}:`),
          ...fields.map((field) => paint.changed(`  ${fieldText(field, wording)}`)),
        ];
  const notes = { gone: ' (missing)', added: ' (extra)', changed: '' };
  return [
    ...section('header', difference.header),
    ...difference.steps.flatMap(({ label, change, events }) => [
      paint.heading(`${printable(label)}:${notes[change]}`),
      ...events.flatMap((event) => eventLines(event, paint, wording)),
    ]),
    ...section('consumed', difference.consumed),
    ...section('final state', difference.final),
    ...section('outcome', difference.outcome),
  ]
    .map((line) => `${line}\n`)
    .join('');
}
