/** arch/x86/lib/cmdline.c: search for a word on the command line. */
import { va, type Va } from '../../../../machine/address.js';
import { COMMAND_LINE_SIZE } from '../../../../kernel/constants.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Position of the word's first character, counted from 1; 0: not found; −1: there is no command line. */
    cmdline_find_option_bool(k: Kernel, cmdline: Va, option: Va): number;
  }
}

const SPACE = 0x20;

/** cmdline_find_option_bool(). `optionByte` returns the option's byte at an index, and 0 (NUL) at its end. */
function find(k: Kernel, line: Va, optionByte: (index: number) => number): number {
  if (line === 0) return -1;
  let wordStart = 0;
  let matched = 0;
  let skipping = false;
  for (let pos = 1; pos <= COMMAND_LINE_SIZE; pos++) {
    const c = k.readU8(va(line + pos - 1));
    // myisspace(): every code up to the space is white space.
    const space = c <= SPACE && c !== 0;
    if (wordStart === 0) {
      if (c === 0) return 0;
      if (space) continue;
      wordStart = pos;
      matched = 0;
      skipping = false;
    }
    if (!skipping) {
      const expected = optionByte(matched);
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

/** The same search for a word that is not in simulated memory. */
export const findOption = (k: Kernel, line: Va, option: string): number =>
  find(k, line, (index) => (index < option.length ? option.charCodeAt(index) : 0));

export const cmdline = bodies({
  cmdline_find_option_bool: fn((k: Kernel, line: Va, option: Va) =>
    find(k, line, (index) => k.readU8(va(option + index))),
  ),
});
