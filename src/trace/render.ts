/** Text of the values of an event: addresses in hexadecimal with their symbol, all others unchanged. */
import { own } from '../base/own.js';
import { endOf, isSpan, type Field, type Origin, type Span } from './event.js';
import type { Scalar, TraceEvent } from './trace.js';
import { COMMON_FIELDS, KINDS, type TraceKind } from './vocabulary.js';

/** The symbol of an address, for example `early_level4_pgt[511]`; undefined if it has none. */
export type Symbolize = (space: Span['space'], address: number) => string | undefined;

const HEX_RADIX = 16;
const ADDRESS_BITS = 64;

/** A signed address as 64 unsigned bits in hexadecimal. */
export function hexAddress(address: number): string {
  return `0x${BigInt.asUintN(ADDRESS_BITS, BigInt(address)).toString(HEX_RADIX)}`;
}

/** A range, first to last address: `0x1000..0x1fff`; of one byte, `0x1000`; of none, `0x1000 (empty)`. */
export function rangeText(span: Span): string {
  const first = hexAddress(span.start);
  if (span.length === 0) return `${first} (empty)`;
  return span.length === 1 ? first : `${first}..${hexAddress(endOf(span) - 1)}`;
}

/** A field as a value of a trace. */
export function renderField(field: Field, symbolize: Symbolize): Scalar {
  if (typeof field === 'bigint') {
    return field < 0n ? `-0x${(-field).toString(HEX_RADIX)}` : `0x${field.toString(HEX_RADIX)}`;
  }
  if (field === 0) return 0; // -0 is 0
  if (!isSpan(field)) return field;
  const symbol = symbolize(field.space, field.start);
  return symbol === undefined ? rangeText(field) : `${rangeText(field)} ${symbol}`;
}

/** An event as a line of a trace: kind and principal value, fields in the vocabulary's order, origin, count `n`. */
export function renderEvent(
  kind: TraceKind,
  fields: Readonly<Record<string, Field | undefined>>,
  origin: Origin,
  n: number,
  symbolize: Symbolize,
): TraceEvent {
  const out: Record<string, Scalar> = {};
  const names: readonly string[] = [...KINDS[kind].fields, ...COMMON_FIELDS];
  names.forEach((name, index) => {
    const field = own(fields, name);
    if (field !== undefined) out[index === 0 ? kind : name] = renderField(field, symbolize);
  });
  out.in = origin.fn;
  if (origin.file !== undefined) out.file = origin.file;
  if (origin.patch !== undefined) out.patch = origin.patch;
  if (origin.hunk !== undefined) out.hunk = origin.hunk;
  if (n > 1) out.n = n;
  return out;
}
