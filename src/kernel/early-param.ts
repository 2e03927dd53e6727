/** init/main.c: early parameters of the command line (parse_early_param), and `console=` (parse_args). */
import { COMMAND_LINE_SIZE } from './constants.js';
import { inline, kernelFile } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    parse_early_param(k: Kernel): void;
    /** The parameters that the kernel's own parts take, as far as the model has them. */
    'start_kernel:parse_args'(k: Kernel): void;
  }
}

/** A parameter; `value` is undefined where there is no `=`. */
export interface Param {
  readonly name: string;
  readonly value: string | undefined;
}

/** Bytes of saved_root_name[] (init/do_mounts.c). */
const SAVED_ROOT_NAME = 64;

/** Early parameters by name: who takes the value. Others of the kernel's are not modelled: they are left alone. */
const EARLY: Readonly<Record<string, (k: Kernel, value: string | undefined) => void>> = {
  earlyprintk: (k, value) => {
    k.fn.setup_early_printk(value);
  },
};

const SETUP: Readonly<Record<string, (k: Kernel, value: string) => void>> = {
  console: (k, value) => {
    k.fn.console_setup(value);
  },
  // init/main.c: init_setup, rdinit_setup; init/do_mounts.c: root_dev_setup, fs_names_setup.
  init: (k, value) => {
    k.state.init.executeCommand = value;
  },
  rdinit: (k, value) => {
    k.state.init.ramdiskExecuteCommand = value;
  },
  root: (k, value) => {
    k.state.init.savedRootName = value.slice(0, SAVED_ROOT_NAME - 1);
  },
  rootfstype: (k, value) => {
    k.state.init.rootFsNames = value;
  },
};

/** Takes a command line apart as kernel/params.c does (next_arg): at white space outside of quotes. */
export function parseArgs(line: string): Param[] {
  const words = line.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  return words.map((word) => {
    const at = word.indexOf('=');
    const value = at < 0 ? undefined : word.slice(at + 1).replace(/^"|"$/g, '');
    // parameq(): dashes and underscores are alike.
    return { name: (at < 0 ? word : word.slice(0, at)).replaceAll('-', '_'), value };
  });
}

function params(k: Kernel): Param[] {
  const line = k.readBytes(k.sym('boot_command_line'), COMMAND_LINE_SIZE);
  const end = line.indexOf(0);
  return parseArgs(String.fromCharCode(...line.subarray(0, end < 0 ? line.length : end)));
}

export const earlyParam = kernelFile('init/main.c', {
  parse_early_param: inline((k: Kernel) => {
    for (const { name, value } of params(k)) EARLY[name]?.(k, value);
  }),
  'start_kernel:parse_args': inline((k: Kernel) => {
    for (const { name, value } of params(k)) if (value !== undefined) SETUP[name]?.(k, value);
  }),
});
