/** One input: read, and the error that it ends with examined. */
import { InputError } from '../../src/base/errors.js';
import { isPrintable } from '../../src/base/printable.js';
import { UnmodelledError } from '../../src/machine/unmodelled.js';
import { verify, type Kind } from './kind.js';

/** Longest message of an error: four parts of LIMITS.message each, with their words. */
const LONGEST_MESSAGE = 9000;
/** Most seconds for one input. The slowest take some tenths of a second on an idle machine. */
export const SECONDS_MAX = 10;

/** Verifies what an error promises: a code, a place, one line without control characters. */
function examine(kind: Kind, error: InputError): void {
  const { code, place, message } = error;
  verify(/^E_[A-Z0-9_]+$/.test(code), `the error has no code: ${code}`);
  verify(
    message.length <= LONGEST_MESSAGE,
    `the message of ${code} has ${message.length} characters`,
  );
  verify(isPrintable(message), `the message of ${code} has control characters`);
  // Where a boot leaves the model is no place in a file.
  const placed =
    kind.placeless === true ||
    error instanceof UnmodelledError ||
    Object.values(place).some((part) => part !== undefined);
  verify(placed, `${code} has no place: ${message}`);
}

/** Reads an input; whether it was accepted. Throws for anything but an acceptance or a refusal. */
export async function tryInput(kind: Kind, bytes: Uint8Array): Promise<boolean> {
  const began = performance.now();
  let accepted: boolean;
  try {
    const result = kind.read(bytes);
    accepted = typeof result === 'boolean' ? result : await result;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    examine(kind, error);
    accepted = false;
  }
  const seconds = (performance.now() - began) / 1000;
  verify(seconds <= SECONDS_MAX, `it took ${seconds.toFixed(1)} s`);
  return accepted;
}
