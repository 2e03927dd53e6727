/** The input of the recorder: kinds of events, their fields, and their origin. */
import type {
  CommonField,
  FieldName,
  KindsWith,
  OwnField,
  PrincipalOf,
  TraceKind,
} from './vocabulary.js';

export type { FieldName, TraceKind } from './vocabulary.js';

/** A range of addresses in an event; it coalesces with an adjacent one. */
export interface Span {
  readonly space: 'va' | 'pa';
  /** First address; a virtual address is signed: 0xffffffff81000000 is -0x7f000000. */
  readonly start: number;
  /** Size in bytes. */
  readonly length: number;
}

/** The value of one field. A bigint is printed in hexadecimal, a number in decimal. */
export type Field = string | number | bigint | boolean | Span;

/** Fields by name, of an event of any kind; one that is undefined is not recorded. */
export type EventFields = Readonly<Partial<Record<FieldName, Field | undefined>>>;

/**
 * The fields of an event of kind K: the principal one, and any others that the vocabulary gives that kind. A field of
 * another kind must be undefined, so that it is an error in a spread and in a variable too, where TypeScript does not
 * check excess properties. Where K is a union of kinds, the fields must suit each of them.
 */
export type FieldsOf<K extends TraceKind> = Readonly<Record<PrincipalOf<K>, Field>> & {
  readonly [N in OwnField]?: [K] extends [KindsWith<N>] ? Field | undefined : undefined;
} & Readonly<Partial<Record<CommonField, Field | undefined>>>;

/** One event as it is emitted: a kind and the fields of that kind. */
export type EventInput<K extends TraceKind = TraceKind> = {
  [P in K]: { readonly kind: P; readonly fields: FieldsOf<P> };
}[K];

/** The origin of an event: the function, its kernel source file, and the patch and hunk that its code comes from. */
export interface Origin {
  readonly fn: string;
  readonly file?: string;
  readonly patch?: number;
  readonly hunk?: string;
}

/** Whether a field is a range of addresses. */
export function isSpan(field: Field | undefined): field is Span {
  return typeof field === 'object';
}

/** The address after the last one of a span. */
export function endOf(span: Span): number {
  return span.start + span.length;
}
