/**
 * Checks reads against writes: the bytes that a producer (loader, firmware, device) put into memory, and whether each
 * consumer read the same. It sees both ends; nothing in the machine or the kernel model may read it.
 */
import { firstDifference } from '../base/bytes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { asSource, chunksOf, type ByteSource } from '../base/byte-source.js';
import type { Consumed } from './trace.js';

/** What a producer put into memory: the bytes, a source to read them from, or their SHA-256 in hexadecimal. */
export type Produced = Uint8Array | ByteSource | string;

/** The digest of bytes in a trace: SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array | ByteSource): string {
  const hash = sha256.create();
  for (const { bytes: chunk } of chunksOf(asSource(bytes))) hash.update(chunk);
  return bytesToHex(hash.digest());
}

/** Offset of the first difference between all that was produced and `bytes`; undefined if they are equal. */
function differenceToAll(made: Uint8Array | ByteSource, bytes: Uint8Array): number | undefined {
  if (made instanceof Uint8Array) return firstDifference(made, bytes);
  for (const chunk of chunksOf(made)) {
    const at = firstDifference(
      chunk.bytes,
      bytes.subarray(chunk.at, chunk.at + chunk.bytes.length),
    );
    if (at !== undefined) return chunk.at + at;
  }
  return made.length === bytes.length ? undefined : made.length;
}

/** Offset in `bytes` of the first difference to what was produced at offset `from`; undefined if they are equal. */
function differenceFrom(
  made: ByteSource,
  from: number,
  bytes: Uint8Array,
  scratch: Uint8Array,
): number | undefined {
  const expected = scratch.subarray(0, Math.max(0, Math.min(bytes.length, made.length - from)));
  if (expected.length > 0) made.readInto(from, expected);
  return firstDifference(expected, bytes);
}

/** The state of an {@link Integrity}, structured-clonable if no produced value is a ByteSource over a file. */
export interface IntegrityState {
  readonly produced: readonly (readonly [string, Produced])[];
  readonly consumed: readonly Consumed[];
  readonly prefix: string;
}

/** The check of one read. */
export interface ReadCheck {
  /** The blob or table that was read, with the kernel's prefix. */
  readonly name: string;
  /** The function or device that read it. */
  readonly by: string;
  /** Whether the bytes equal what was produced. */
  readonly intact: boolean;
  /** The bytes that the consumer read. */
  readonly bytes: Uint8Array;
  /** Offset of the first mismatch in `bytes`; undefined if there is none or what was produced is not known. */
  readonly at: number | undefined;
}

export class Integrity {
  /** Called for each read that is checked; null: no callback. */
  onReadCheck: ((check: ReadCheck) => void) | null = null;
  /** Receives each check as an entry of its own; null: not recorded. */
  readChecks: Consumed[] | null = null;
  private made = new Map<string, Produced>();
  private got = new Map<string, Consumed>();
  private scratch = new Uint8Array(0);
  /** Prefix of the names that are produced and consumed from now on. */
  private prefix = '';

  /** Sets the prefix of names from now on. A name that is not produced with the prefix is looked up without it. */
  within(prefix: string): void {
    this.prefix = prefix;
  }

  /** Records what was produced under a name (bytes are copied); it replaces an earlier value. */
  produced(name: string, what: Produced): void {
    const value = typeof what === 'string' ? what.toLowerCase() : what;
    this.made.set(this.prefix + name, value instanceof Uint8Array ? value.slice() : value);
  }

  /** Records for `name` what was produced as `earlier`; removes `name` if that was not produced. */
  producedAs(name: string, earlier: string): void {
    const made = this.lookUp(earlier);
    if (made === undefined) this.made.delete(this.prefix + name);
    else this.made.set(this.prefix + name, made);
  }

  /** Whether something was produced under a name. */
  has(name: string): boolean {
    return this.lookUp(name) !== undefined;
  }

  /** Checks what a consumer read as a whole. A name that was not produced is not intact. */
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

  /** Checks a part of what a consumer reads part by part; `offset` is in bytes from the start of what was produced. */
  consumedPart(name: string, by: string, offset: number, bytes: Uint8Array): void {
    const made = this.lookUp(name);
    if (made === undefined || typeof made === 'string') {
      this.note(name, by, false, undefined); // a digest cannot check a part
      return;
    }
    const at =
      made instanceof Uint8Array
        ? firstDifference(made.subarray(offset, offset + bytes.length), bytes)
        : differenceFrom(made, offset, bytes, this.scratchFor(bytes.length));
    this.note(name, by, at === undefined, at === undefined ? undefined : offset + at);
    this.checked(name, by, bytes, at === undefined, at);
  }

  /** The reads that were checked, one entry a name and consumer, in the order of first use. */
  list(): Consumed[] {
    return [...this.got.values()];
  }

  /** Adds checks that were recorded elsewhere, as if they had been made here. */
  replay(checks: readonly Consumed[]): void {
    for (const check of checks) this.add(check);
  }

  snapshot(): IntegrityState {
    return { produced: [...this.made], consumed: this.list(), prefix: this.prefix };
  }

  restore(state: IntegrityState): void {
    this.made = new Map(state.produced);
    this.prefix = state.prefix;
    this.got = new Map(state.consumed.map((each) => [key(each.name, each.by), each]));
  }

  /** A scratch buffer of at least `length` bytes. */
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
    const check = {
      name: this.prefix + what,
      by,
      intact,
      ...(at !== undefined && { firstDifference: at }),
    };
    this.readChecks?.push(check);
    this.add(check);
  }

  /** Merges a check into the entry of its name and consumer: intact if all its checks are, lowest offset. */
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
