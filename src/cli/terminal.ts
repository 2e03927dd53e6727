/** The terminals of a command: their widths, whether they have colours and a cursor that moves. */
import type { ColorSupportLevel } from 'chalk';
import { fitted } from './fit.js';
import type { Io, Output } from './io.js';

/** Columns of a terminal that does not state its width, as the pseudo-terminals of most CI services (our choice). */
const UNKNOWN_WIDTH = 80;
/** Fewest columns that texts are laid out for (our choice). */
const LEAST_WIDTH = 20;

export type ColorWhen = 'auto' | 'always' | 'never';

/** The variable COLUMNS, which users set for a program whose output goes elsewhere (POSIX.1-2017 XBD 8.3). */
function columnsVariable({ env }: Io): number | undefined {
  const text = env.COLUMNS ?? '';
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}

/** Columns that a text on a stream may take: COLUMNS, else the terminal's; undefined: it is no terminal, any number. */
export function columnsOf(io: Io, stream: Output): number | undefined {
  const columns =
    columnsVariable(io) ?? (stream.isTTY ? stream.columns || UNKNOWN_WIDTH : undefined);
  return columns === undefined ? undefined : Math.max(LEAST_WIDTH, columns);
}

/** An error as stderr has it: fitted into a terminal; elsewhere, where programs read it, as it is. */
export const onTerminal = (io: Io, text: string): string =>
  io.stderr.isTTY ? fitted(text, columnsOf(io, io.stderr)) : text;

/** Whether a status line can be replaced in place. */
export const hasCursor = (io: Io, stream: Output): boolean =>
  stream.isTTY && io.env.TERM !== 'dumb';

/** FORCE_COLOR as Node and most tools read it: 0 or false for none, else at least a level of 1. */
function forced(value: string): ColorSupportLevel {
  if (value === '0' || value === 'false') return 0;
  return value === '2' ? 2 : value === '3' ? 3 : 1;
}

/** Whether a terminal of this kind shows colours. */
function knowsColors({ TERM, COLORTERM }: Io['env']): boolean {
  if (TERM === 'dumb') return false;
  return (TERM ?? '') !== '' || (COLORTERM ?? '') !== '' || process.platform === 'win32';
}

/**
 * The colours of a stream: from the flag, then FORCE_COLOR, then NO_COLOR (no-color.org: set and not empty), then whether it
 * is a terminal that shows them. The program uses the eight colours of level 1 only.
 */
export function colorLevel(when: ColorWhen, { env }: Io, stream: Output): ColorSupportLevel {
  if (when === 'always') return 1;
  if (when === 'never') return 0;
  if (env.FORCE_COLOR !== undefined) return forced(env.FORCE_COLOR);
  if ((env.NO_COLOR ?? '') !== '' || !stream.isTTY) return 0;
  return knowsColors(env) ? 1 : 0;
}
