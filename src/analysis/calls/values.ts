/** Evaluates places and arguments of a call script in a stopped boot, and prints values. */
import { hex, va, vaOfText, vaOfU64, type Va } from '../../machine/address.js';
import type { Boot } from '../../sequencer/boot.js';
import { parsePlace, placeName, virtualOf } from '../../inspect/place.js';
import type { Place } from '../../inspect/place.js';
import { hexBytes } from '../../base/bytes.js';
import { InputError } from '../../base/errors.js';
import { MACRO, REFERENCE, type ScriptArgument, type ScriptPlace } from './file.js';
import { patchAdding } from '../../series/series-names.js';

/** A name that this kernel lacks and a later patch adds. */
export interface Absent {
  readonly absent: string;
  readonly patch?: number;
}
/** The name of a result that has no value, because its step was not done. */
export interface NoResult {
  readonly noResult: string;
}
export type Missing = Absent | NoResult;

/** A value, or what is missing for it. */
export type Evaluated<T> = { readonly value: T } | Missing;

const BIGINT = /^(-?)(0x[0-9a-fA-F]+|\d+)n$/;
const NUMBER = /^(-?)(0x[0-9a-fA-F]+|\d+)$/;

const refuse = (code: string, expected: string, found: string): InputError =>
  new InputError({ code, expected, found });

/** Results of earlier calls by name. */
export class ScriptValues {
  private readonly results = new Map<string, unknown>();

  constructor(private readonly boot: Boot) {}

  /** Stores the return value of a call. */
  store(id: string, value: unknown): void {
    this.results.set(id, value);
  }

  /** A place; `numbers` is the address space of a bare number. Throws E_PLACE, E_PROBE_RESULT. */
  place(where: ScriptPlace, numbers: 'va' | 'pa'): Evaluated<Place> {
    if (typeof where === 'number') return { value: placeAt(where, numbers) };
    const text = where.trim();
    const [, macro, inner] = MACRO.exec(text) ?? [];
    if (macro !== undefined && inner !== undefined) {
      const evaluated = this.place(inner, macro === 'va' ? 'pa' : 'va');
      if (!('value' in evaluated)) return evaluated;
      const address = virtualOf(evaluated.value);
      if (macro === 'va') return { value: { space: 'va', address } };
      if (evaluated.value.space === 'pa') return evaluated;
      return { value: { space: 'pa', address: this.boot.kernel.__pa(address) } };
    }
    if (REFERENCE.test(text)) {
      const evaluated = this.reference(text);
      if (!('value' in evaluated)) return evaluated;
      const address = addressOf(evaluated.value);
      if (address === undefined)
        throw refuse('E_PROBE_RESULT', 'an address', `${text}, which is not one`);
      return { value: placeAt(address, numbers) };
    }
    const name = placeName(text);
    const patch = this.boot.program.has(name) ? undefined : patchAdding(name);
    if (patch !== undefined) return { absent: name, patch };
    return { value: parsePlace(this.boot, text, numbers) };
  }

  /** An argument as passed to the function. Throws E_PLACE, E_PROBE_ARGUMENT, E_PROBE_RESULT. */
  argument(argument: ScriptArgument): Evaluated<unknown> {
    if (typeof argument === 'object') {
      return { value: 'text' in argument ? argument.text : this.device(argument.device) };
    }
    if (typeof argument !== 'string') return { value: argument };
    const text = argument.trim();
    const [, minus, digits] = BIGINT.exec(text) ?? [];
    if (digits !== undefined) return { value: minus === '-' ? -BigInt(digits) : BigInt(digits) };
    if (NUMBER.test(text)) return { value: exactly(text) };
    if (REFERENCE.test(text)) return this.reference(text);
    const evaluated = this.place(text, 'pa');
    return 'value' in evaluated ? { value: evaluated.value.address } : evaluated;
  }

  /** `$id`, `$id+8`: with an offset, a bigint stays a bigint. */
  private reference(text: string): Evaluated<unknown> {
    const [, id = '', sign, offset] = REFERENCE.exec(text) ?? [];
    if (!this.results.has(id)) return { noResult: id };
    const value = this.results.get(id);
    if (offset === undefined) return { value };
    const shift = sign === '-' ? -Number(offset) : Number(offset);
    if (typeof value === 'number') return { value: value + shift };
    if (typeof value === 'bigint') return { value: value + BigInt(shift) };
    throw refuse('E_PROBE_RESULT', 'a number', `$${id} is ${valueText(value) ?? 'nothing'}`);
  }

  private device(name: string): unknown {
    const { devices } = this.boot.kernel.state;
    const found = devices.find((device) => device.name === name);
    if (found !== undefined) return found;
    const names = devices.map((device) => device.name).join(', ');
    throw refuse('E_PROBE_ARGUMENT', names || 'none: the kernel has found no device yet', name);
  }
}

/** A number of an argument: one that a double represents exactly, or a canonical address. */
function exactly(text: string): number {
  const [, minus, digits = ''] = NUMBER.exec(text) ?? [];
  const size = BigInt(digits);
  if (size <= BigInt(Number.MAX_SAFE_INTEGER)) return minus === '-' ? -Number(size) : Number(size);
  const address = vaOfText(digits);
  if (address !== undefined && minus === '') return address;
  throw refuse('E_PROBE_ARGUMENT', 'a number below 2^53, an address, or 64 bits as 0x…n', text);
}

/** A number as an address; a negative one is virtual, in the upper half, whatever `numbers` is. */
function placeAt(address: number, numbers: 'va' | 'pa'): Place {
  return numbers === 'va' || address < 0
    ? { space: 'va', address: va(address) }
    : { space: 'pa', address };
}

function addressOf(value: unknown): Va | number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? vaOfU64(value) : undefined;
}

/** Levels of structures that are printed (our choice; the IOMMU driver's domains and devices refer to each other). */
const DEPTH = 3;

/** A value in text: numbers in hexadecimal, structures field by field; undefined for nothing. */
export function valueText(value: unknown, depth = DEPTH): string | undefined {
  switch (typeof value) {
    case 'undefined':
      return undefined;
    case 'number':
      return Number.isInteger(value) ? hex(value) : String(value);
    case 'bigint':
      return hex(BigInt.asUintN(64, value));
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'NULL';
      return depth > 0 ? structureText(value, depth - 1) : '…';
    default:
      return `a ${typeof value}`;
  }
}

function structureText(value: object, depth: number): string {
  if (value instanceof Uint8Array) return hexBytes(value);
  const text = (inner: unknown): string => valueText(inner, depth) ?? '';
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
  const fields = Object.entries(value).map(([key, each]) => `${key}: ${text(each)}`);
  return `{${fields.join(', ')}}`;
}
