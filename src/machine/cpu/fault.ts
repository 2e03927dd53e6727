/** Constructors and a type guard for faults. */
import { VECTOR, type Fault } from '../types.js';

/** Whether a result is a fault and not a value. */
export function isFault(result: unknown): result is Fault {
  return (
    typeof result === 'object' && result !== null && (result as Partial<Fault>).vector !== undefined
  );
}

/** A #GP; the error code is 0 unless a selector caused it (APM 8.4.1). */
export function generalProtection(why: string, address?: number | bigint, error = 0): Fault {
  return { vector: VECTOR.GP, error, why, ...(address !== undefined && { address }) };
}
