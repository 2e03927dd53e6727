/** The physical ranges that the events of a trace write and read, from their text: `0x1000..0x1fff symbol`. */
import { own } from '../base/own.js';
import { kindOf, type TraceEvent } from './trace.js';

/** Addresses from `start` up to, not including, `end`. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The range that a value begins with; undefined if it has none. */
export function rangeIn(value: unknown): TextRange | undefined {
  const [, first, last] =
    typeof value === 'string' ? (/^(0x[0-9a-f]+)(?:\.\.(0x[0-9a-f]+))?/.exec(value) ?? []) : [];
  return first === undefined ? undefined : { start: Number(first), end: Number(last ?? first) + 1 };
}

/** Whether two ranges have an address in common. */
export const overlap = (a: TextRange, b: TextRange): boolean => a.start < b.end && b.start < a.end;

const TO_DEVICE = 'to device';
/** The field with the range that an event of a kind writes, if it is one of memory's contents. */
const WRITTEN: ReadonlyMap<string, string> = new Map([
  ['fill', 'pa'],
  ['copy', 'toPa'],
  ['dma', 'pa'],
]);
/** The field with the range that it reads. */
const READ: ReadonlyMap<string, string> = new Map([
  ['read', 'pa'],
  ['copy', 'fromPa'],
  ['dma', 'pa'],
]);

function rangeOf(event: TraceEvent, fields: ReadonlyMap<string, string>): TextRange | undefined {
  const field = fields.get(kindOf(event) ?? '');
  return field === undefined ? undefined : rangeIn(own(event, field));
}

/** What an event writes. A transfer of firmware or the loader has no direction, and writes. */
export const writtenRange = (event: TraceEvent): TextRange | undefined =>
  event.direction === TO_DEVICE ? undefined : rangeOf(event, WRITTEN);

/** What an event reads. */
export const readRange = (event: TraceEvent): TextRange | undefined =>
  kindOf(event) === 'dma' && event.direction !== TO_DEVICE ? undefined : rangeOf(event, READ);

/** What an event encrypts or decrypts in place. */
export function inPlaceRange(event: TraceEvent): TextRange | undefined {
  const kind = kindOf(event);
  return kind === 'encrypt' || kind === 'decrypt' ? rangeIn(event[kind]) : undefined;
}
