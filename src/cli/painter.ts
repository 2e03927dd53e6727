/** The colours of differences. */
import type { ChalkInstance } from 'chalk';
import type { Painter } from '../check/compare-text.js';

export function painterOf(paint: ChalkInstance): Painter {
  return {
    heading: (text) => paint.bold(text),
    gone: (text) => paint.red(text),
    added: (text) => paint.green(text),
    changed: (text) => paint.yellow(text),
  };
}
