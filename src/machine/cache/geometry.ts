/** The geometry of a set-associative cache. */
import { InputError } from '../../base/errors.js';
import { LINE_SIZE } from '../address.js';

/** The number of sets, a power of two; 0 for a size of 0. Throws E_CACHE_GEOMETRY if size and ways do not give one. */
export function setsOf(size: number, ways: number): number {
  if (size === 0) return 0;
  const sets = size / LINE_SIZE / ways;
  const whole = Number.isInteger(Math.log2(sets)) && Number.isInteger(ways) && sets >= 1;
  if (whole && ways > 0) return sets;
  throw new InputError({
    code: 'E_CACHE_GEOMETRY',
    place: { path: 'machine.cache' },
    reason: 'the number of sets is not a power of two',
    expected: 'a size of 64 bytes × ways × 2^n, or 0',
    found: `${size} bytes in ${ways} ways`,
  });
}
