/** Kernel command line options that a boot of the series does not model. */
import { notModelledOf, type NotModelled } from '../linux/options/options.js';
import type { Hunk } from '../kernel/hunk.js';
import { allHunks, alternatives } from './patches.js';

export type { NotModelled };

/** Names of options that patches add, and own hunks; 4.6 itself does not have them. */
export const seriesParameters = (own: readonly Hunk[] = []): readonly string[] =>
  [...allHunks(), ...alternatives(), ...own].flatMap(({ parameters }) => parameters ?? []);

/**
 * Options of a command line that are not modelled, as written, each with the reason: options of 4.6 that would change
 * what the model shows, values of modelled options that are not modelled, and words that 4.6 does not have. Options
 * without effect on what the model shows are not listed (src/linux/options/options.ts: withoutEffect).
 */
export const notModelled = (line: string, own: readonly Hunk[] = []): NotModelled[] =>
  notModelledOf(line, seriesParameters(own));
