/**
 * What was put into memory for the boot to use, and whether those who used it got the same. A ghost: it sees both ends,
 * nothing in the machine or the kernel may ask it.
 */
import { firstDifference } from '../base/bytes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { piecesOf, type ByteSource } from '../base/byte-source.js';
import type { Consumed } from './trace.js';

/** What a producer put: its bytes, where they are read again, or their SHA-256 in hexadecimal. */
export type Produced = Uint8Array | ByteSource | string;

/** The digest that stands for bytes in a trace: SHA-256 in hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** The first difference to all that was produced. */
function differenceToAll(made: Uint8Array | ByteSource, bytes: Uint8Array): number | undefined {
  if (made instanceof Uint8Array) return firstDifference(made, bytes);
  for (const piece of piecesOf(made)) {
    const at = firstDifference(
      piece.bytes,
      bytes.subarray(piece.at, piece.at + piece.bytes.length),
    );
    if (at !== undefined) return piece.at + at;
  }
  return made.length === bytes.length ? undefined : made.length;
}

/** The first difference to what was produced from an offset on. */
function differenceFrom(
  made: ByteSource,
  from: number,
  bytes: Uint8Array,
  scratch: Uint8Array,
): number | undefined {
  const there = scratch.subarray(0, Math.max(0, Math.min(bytes.length, made.length - from)));
  if (there.length > 0) made.readInto(from, there);
  return firstDifference(there, bytes);
}

/** A copy of what a {@link Integrity} knows, structured-clonable as long as all that was produced is in memory. */
export interface IntegrityState {
  readonly produced: readonly (readonly [string, Produced])[];
  readonly consumed: readonly Consumed[];
  readonly prefix: string;
}

/** One look of a consumer at a thing. */
export interface ReadCheck {
  readonly name: string;
  readonly by: string;
  readonly intact: boolean;
  /** The bytes that it got. */
  readonly bytes: Uint8Array;
  /** Of the first wrong byte, in what it got. */
  readonly at: number | undefined;
}

export class Integrity {
  /** Told of each look, if somebody wants to know. */
  onReadCheck: ((look: ReadCheck) => void) | null = null;
  /** Takes each look as an entry of its own, if somebody wants to know. */
  readChecks: Consumed[] | null = null;
  private made = new Map<string, Produced>();
  private got = new Map<string, Consumed>();
  private scratch = new Uint8Array(0);
  /** Before the names of what is put and read from now on. */
  private prefix = '';

  /** What is put and read from now on has names of its own; what nobody puts again is found under its old name. */
  within(prefix: string): void {
    this.prefix = prefix;
  }

  /** Remembers what was put under a name; a second time replaces the first. */
  produced(name: string, what: Produced): void {
    const kept = typeof what === 'string' ? what.toLowerCase() : what;
    this.made.set(this.prefix + name, kept instanceof Uint8Array ? kept.slice() : kept);
  }

  /** Remembers under a name what was put under another one; nothing, where that was not put. */
  producedAs(name: string, earlier: string): void {
    const made = this.lookUp(earlier);
    if (made === undefined) this.made.delete(this.prefix + name);
    else this.made.set(this.prefix + name, made);
  }

  /** Compares all that a consumer got. What nobody produced is not intact. */
  consumed(name: string, by: string, bytes: Uint8Array): void {
    const made = this.lookUp(name);
    if (typeof made === 'string') {
      const same = made === digestOf(bytes);
      this.note(name, by, same, undefined);
      this.checked(name, by, bytes, same, undefined);
      return;
    }
    const at = made === undefined ? undefined : differenceToAll(made, bytes);
    const intact = made !== undefined && at === undefined;
    this.note(name, by, intact, at);
    this.checked(name, by, bytes, intact, at);
  }

  /** Compares a part of what a consumer gets piece by piece; `offset` counts from the start of what was produced. */
  consumedPart(name: string, by: string, offset: number, bytes: Uint8Array): void {
    const made = this.lookUp(name);
    if (made === undefined || typeof made === 'string') {
      this.note(name, by, false, undefined); // a digest says nothing of a part
      return;
    }
    const at =
      made instanceof Uint8Array
        ? firstDifference(made.subarray(offset, offset + bytes.length), bytes)
        : differenceFrom(made, offset, bytes, this.scratchFor(bytes.length));
    this.note(name, by, at === undefined, at === undefined ? undefined : offset + at);
    this.checked(name, by, bytes, at === undefined, at);
  }

  /** What was consumed, in the order of first use. */
  list(): Consumed[] {
    return [...this.got.values()];
  }

  /** Looks that were made elsewhere, and are as if they had been made here. */
  replay(looks: readonly Consumed[]): void {
    for (const look of looks) this.add(look);
  }

  snapshot(): IntegrityState {
    return { produced: [...this.made], consumed: this.list(), prefix: this.prefix };
  }

  restore(state: IntegrityState): void {
    this.made = new Map(state.produced);
    this.prefix = state.prefix;
    this.got = new Map(state.consumed.map((each) => [key(each.name, each.by), each]));
  }

  /** Room for what is compared. */
  private scratchFor(length: number): Uint8Array {
    if (this.scratch.length < length) this.scratch = new Uint8Array(length);
    return this.scratch;
  }

  private checked(
    name: string,
    by: string,
    bytes: Uint8Array,
    intact: boolean,
    at: number | undefined,
  ): void {
    this.onReadCheck?.({ name: this.prefix + name, by, intact, bytes, at });
  }

  private lookUp(name: string): Produced | undefined {
    return this.made.get(this.prefix + name) ?? this.made.get(name);
  }

  private note(what: string, by: string, intact: boolean, at: number | undefined): void {
    const look = {
      name: this.prefix + what,
      by,
      intact,
      ...(at !== undefined && { firstDifference: at }),
    };
    this.readChecks?.push(look);
    this.add(look);
  }

  /** One consumer's pieces and repeated uses of one thing make one entry: intact if all were. */
  private add({ name, by, intact, firstDifference }: Consumed): void {
    const before = this.got.get(key(name, by));
    const offsets = [before?.firstDifference, firstDifference].filter((at) => at !== undefined);
    this.got.set(key(name, by), {
      name,
      by,
      intact: intact && before?.intact !== false,
      ...(offsets.length > 0 && { firstDifference: Math.min(...offsets) }),
    });
  }
}

const key = (name: string, by: string): string => JSON.stringify([name, by]);
