/** Signals that end an instruction before it completes. Thrown and caught inside src/x86 only. */
import type { Fault } from '../machine/types.js';

/** An exception that the instruction raises: the state is as before it. */
export class FaultSignal extends Error {
  constructor(readonly fault: Fault) {
    super(fault.why);
  }
}

/** The run ends here: something is known by name and not modelled. */
export class NotModelledSignal extends Error {
  constructor(readonly what: string) {
    super(what);
  }
}

/** An instruction that accesses a device whose answer depends on time: nothing has happened, it is executed again, alone. */
export class AloneSignal extends Error {}

/** Vectors of the exceptions that instructions raise (APM vol. 2, table 8-1). */
export const EXCEPTION = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  UD: 6,
  NM: 7,
  NP: 11,
  SS: 12,
  GP: 13,
} as const;

export function raise(vector: number, why: string, error = 0): never {
  throw new FaultSignal({ vector, error, why });
}

export function invalidOpcode(why: string): never {
  return raise(EXCEPTION.UD, why);
}
export function protectionFault(why: string, error = 0): never {
  return raise(EXCEPTION.GP, why, error);
}
