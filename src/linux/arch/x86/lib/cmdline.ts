/** arch/x86/lib/cmdline.c: is a word on the command line? */
import { va, type Va } from '../../../../machine/address.js';
import { COMMAND_LINE_SIZE } from '../../../../kernel/constants.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** The position of the word, from 1; 0 where it is not there; −1 where there is no command line. */
    cmdline_find_option_bool(k: Kernel, cmdline: Va, option: Va): number;
  }
}

const SPACE = 0x20;

/** cmdline_find_option_bool() with the option's bytes as `wanted` gives them; 0 is the NUL at their end. */
function find(k: Kernel, line: Va, wanted: (index: number) => number): number {
  if (line === 0) return -1;
  let wordStart = 0;
  let matched = 0;
  let skipping = false;
  for (let pos = 1; pos <= COMMAND_LINE_SIZE; pos++) {
    const c = k.readU8(va(line + pos - 1));
    // Everything up to the space counts as white space (myisspace).
    const space = c <= SPACE && c !== 0;
    if (wordStart === 0) {
      if (c === 0) return 0;
      if (space) continue;
      wordStart = pos;
      matched = 0;
      skipping = false;
    }
    if (!skipping) {
      const expected = wanted(matched);
      if (expected === 0) {
        if (c === 0 || space) return wordStart;
      } else if (c === expected) {
        matched++;
        continue;
      }
      if (c === 0) return 0;
      skipping = true;
    }
    if (c === 0) return 0;
    if (space) wordStart = 0;
  }
  return 0;
}

/** The same search for a word that has no place in simulated memory. */
export const findOption = (k: Kernel, line: Va, option: string): number =>
  find(k, line, (index) => (index < option.length ? option.charCodeAt(index) : 0));

export const cmdline = bodies({
  cmdline_find_option_bool: fn((k: Kernel, line: Va, option: Va) =>
    find(k, line, (index) => k.readU8(va(option + index))),
  ),
});
