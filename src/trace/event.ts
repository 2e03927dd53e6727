/** What a driver tells the recorder: kinds of events, their fields, and who did it. */
import type { FieldName, TraceKind } from './vocabulary.js';

export type { FieldName, TraceKind } from './vocabulary.js';

/** A run of addresses in an event; it coalesces with a neighbour that continues it. */
export interface Span {
  readonly space: 'va' | 'pa';
  /** First address; a virtual address is signed, so that 0xffffffff81000000 is -0x7f000000. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

/** The value of one field. A bigint is printed in hexadecimal, a number in decimal. */
export type Field = string | number | bigint | boolean | Span;

/** The fields of one event by name; one that is undefined is left out. */
export type EventFields = Readonly<Partial<Record<FieldName, Field | undefined>>>;

/** One event as it is emitted. */
export interface EventInput {
  readonly kind: TraceKind;
  readonly fields: EventFields;
}

/** Who did it: the function, the kernel source file it stands for, and the patch and hunk that gave it its form. */
export interface Origin {
  readonly fn: string;
  readonly file?: string;
  readonly patch?: number;
  readonly hunk?: string;
}

/** Whether a field is a run of addresses. */
export function isSpan(field: Field | undefined): field is Span {
  return typeof field === 'object';
}

/** The address after a span's last one. */
export function endOf(span: Span): number {
  return span.start + span.length;
}
