/** What an action is refused with, as text. */
import { InputError } from '../../src/base/errors.js';

export const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'no error';
};
