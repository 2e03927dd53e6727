/** Ctrl-C: ends synchronous code at once, which no listener of SIGINT can, since none runs before the code returns. */
import { Script } from 'node:vm';

/** Thrown where a signal ended the code. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}

/** The name under which the script finds the function that it calls. */
const BODY: unique symbol = Symbol.for('sme-boot.interruptible');
/** The global object of scripts; in a test it is not that of this module. */
const scope = new Script('globalThis').runInThisContext() as { [BODY]?: unknown };
/** Calls the function: Node's watchdog for SIGINT exists only while a script runs. */
const CALL = new Script("globalThis[Symbol.for('sme-boot.interruptible')]()");

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** Whether an error says that SIGINT ended a script, or a system call in it. */
export const isInterrupt = (error: unknown): boolean =>
  error instanceof Interrupted ||
  codeOf(error) === 'ERR_SCRIPT_EXECUTION_INTERRUPTED' ||
  codeOf(error) === 'EINTR';

/**
 * Calls `body`; throws Interrupted if SIGINT arrives before it returns. No catch or finally of `body` runs then. Code
 * after the first `await` of an asynchronous body is not covered.
 */
export function interruptible<T>(body: () => T): T {
  const before = scope[BODY];
  scope[BODY] = body;
  try {
    return CALL.runInThisContext({ breakOnSigint: true }) as T;
  } catch (error) {
    throw isInterrupt(error) ? new Interrupted() : error;
  } finally {
    scope[BODY] = before;
  }
}
