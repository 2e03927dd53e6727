/** The message of the InputError that an action throws; 'no error' if it throws none. */
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
