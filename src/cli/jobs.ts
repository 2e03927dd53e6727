/** The value of `--jobs`. */
import { InvalidArgumentError } from 'commander';
import { LIMITS } from '../base/limits.js';
import { wholeNumber } from '../base/whole-number.js';

/** Parses a number of worker threads. Throws InvalidArgumentError. */
export function jobsNumber(text: string): number {
  const jobs = wholeNumber(text) ?? 0;
  if (jobs >= 1 && jobs <= LIMITS.jobs.most) return jobs;
  throw new InvalidArgumentError(`expected a number of threads, 1 to ${LIMITS.jobs.most}.`);
}
