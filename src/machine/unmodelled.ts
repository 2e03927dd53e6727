/** The error for parts of a real machine that are known by name but not modelled. */
import { InputError } from '../base/errors.js';

/**
 * Code used a part of the machine that is known by name but not modelled. It is not an architectural event: a real
 * machine would continue.
 */
export class UnmodelledError extends InputError {
  override readonly name = 'UnmodelledError';

  /** @param what the register, bit or mechanism under the manual's name. */
  constructor(what: string, reason = 'the machine does not model this') {
    super({
      code: 'E_UNMODELLED',
      reason,
      expected: 'a modelled part of the machine',
      found: what,
    });
  }
}
