/** A kind of input: how inputs of it are made, and what reads them. */
import type fc from 'fast-check';

export interface Kind {
  /** Lower-case letters, digits and dashes: the name on the command line and in the names of cases. */
  readonly name: string;
  /** What reads the input, in a few words. */
  readonly what: string;
  /** Ending of the case files. */
  readonly ext: 'bin' | 'txt' | 'yaml' | 'json' | 'log';
  /** Inputs of the suite in CI. */
  readonly inputs: number;
  /** Share of a run over all kinds, in relation to the other kinds; 0: a run over all kinds has `inputs` of it. */
  readonly share: number;
  /** Errors have no place: the input has no file. */
  readonly placeless?: boolean;
  readonly arbitrary: fc.Arbitrary<Uint8Array>;
  /**
   * Reads an input as the tool does, and verifies what it gives. Returns whether it was accepted; an InputError is a
   * refusal; anything else that is thrown is a failure.
   */
  read(bytes: Uint8Array): boolean | Promise<boolean>;
}

/** What an oracle throws: an accepted input whose value is wrong. */
export class WrongValue extends Error {
  override readonly name = 'WrongValue';
}

/** Throws WrongValue unless `ok`. */
export function verify(ok: boolean, what: string): asserts ok {
  if (!ok) throw new WrongValue(what);
}

/** Throws WrongValue unless two values are the same as JSON. */
export function verifySame(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [found, expected].map((value) =>
    JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)),
  );
  verify(a === b, `${what}: ${a?.slice(0, 300)} is not ${b?.slice(0, 300)}`);
}
