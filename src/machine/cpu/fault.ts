/** Making faults and telling them from values. */
import { VECTOR, type Fault } from '../types.js';

/** Whether a result is a fault and not a value. */
export function isFault(result: unknown): result is Fault {
  return typeof result === 'object' && result !== null && 'vector' in result;
}

/** A #GP; error code 0 unless a selector is to blame (APM 8.4.1). */
export function generalProtection(why: string, address?: number | bigint, error = 0): Fault {
  return { vector: VECTOR.GP, error, why, ...(address !== undefined && { address }) };
}
