/** Which options of a command line a boot of the series does not have. */
import { notModelledOf, type NotModelled } from '../linux/options/options.js';
import { allHunks, alternatives } from './patches.js';

export type { NotModelled };

/** Names of options that patches bring; 4.6 itself does not know them. */
export const seriesParameters = (): readonly string[] =>
  [...allHunks(), ...alternatives()].flatMap(({ parameters }) => parameters ?? []);

/**
 * Options of a command line that are not modelled, as they are written there, each with the reason: options of 4.6 that
 * would change what the model shows, values of modelled ones that are not, and words that 4.6 does not know. Options that
 * change nothing that the model shows are left out (src/linux/options/options.ts: withoutEffect).
 */
export const notModelled = (line: string): NotModelled[] => notModelledOf(line, seriesParameters());
