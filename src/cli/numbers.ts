/** Numbers of the command line: plain decimal, no sign, no exponent, no hexadecimal. */
import { InputError } from '../base/errors.js';
import { wholeNumber } from '../base/whole-number.js';

/** The number that a text is in plain decimal, if it is one from `min` to `max`; else undefined. */
export function plainNumber(text: string, min: number, max: number): number | undefined {
  const number = wholeNumber(text);
  return number !== undefined && number >= min && number <= max ? number : undefined;
}

/** The parser of an option or argument that takes a number; it throws an error with `code` and `path`. */
export function numberOf(code: string, path: string, min: number, max: number) {
  return (text: string): number => {
    const number = plainNumber(text, min, max);
    if (number !== undefined) return number;
    throw new InputError({
      code,
      place: { path },
      expected:
        max >= Number.MAX_SAFE_INTEGER
          ? `a plain number, ${min} or more`
          : `a plain number from ${min} to ${max}`,
      found: JSON.stringify(text),
    });
  };
}
