/** What the machine does not model is listed by name and fails loudly. */
import { InputError } from '../base/errors.js';

/**
 * Code asked for a part of the machine that is known by name but not modelled. It is no architectural event: a real
 * machine would have gone on.
 */
export class UnmodelledError extends InputError {
  override readonly name = 'UnmodelledError';

  /** @param what the register, bit or mechanism under its manual's name. */
  constructor(what: string, reason = 'the machine does not model this') {
    super({
      code: 'E_UNMODELLED',
      reason,
      expected: 'a modelled part of the machine',
      found: what,
    });
  }
}
