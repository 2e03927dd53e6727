/**
 * The options of Linux 4.6 for x86, and the options of a command line that are not modelled. The rows come from the source
 * of 4.6.5: the arguments of early_param(), early_param_on_off(), __setup(), core_param(), module_param*() (with
 * MODULE_PARAM_PREFIX or the module's name) and cmdline_find_option*() in all files that an x86 kernel can be built from;
 * parameters of modules only from the directories that every kernel uses. The marks are our choice.
 */
import { CORE_OPTIONS } from './core.js';
import { DRIVER_OPTIONS } from './drivers.js';
import { MODULE_OPTIONS } from './modules.js';
import { REASONS, type Mark, type OptionRow, type Reason } from './types.js';
import { X86_OPTIONS } from './x86.js';
import { parameq, parameqn, parse_args, type Param } from '../kernel/params.js';

export const OPTIONS: readonly OptionRow[] = [
  ...X86_OPTIONS,
  ...CORE_OPTIONS,
  ...DRIVER_OPTIONS,
  ...MODULE_OPTIONS,
];

/** An option of a command line, as it is written there, and why it is not modelled or has no effect. */
export interface NotModelled {
  readonly option: string;
  readonly why: string;
}

/** COMMAND_LINE_SIZE without the NUL (include/asm-generic or asm/setup.h): a longer line is truncated. */
const LINE_MAX = 2047;

/**
 * Values of modelled options that are not modelled: those that begin with one of `words`, or all but `only`. Each word of
 * a comma-separated list is checked.
 */
const VALUES: Readonly<Record<string, { words?: readonly string[]; only?: readonly string[] }>> = {
  acpi: { words: ['strict', 'copy_dsdt', 'nocmcff'] },
  earlyprintk: { words: ['serial', 'ttyS', 'pciserial', 'dbgp', 'xen', 'efi'] },
  pci: { only: ['noacpi'] },
};

const isReason = (mark: Mark): mark is Reason => mark in REASONS;

/** Why an option with a mark has no effect in the model; undefined for `modelled` and `named`. */
export const reasonOf = (mark: Mark): string | undefined =>
  isReason(mark) ? REASONS[mark] : undefined;

/** Characters that may follow a __setup() name without `=` in a word that is that option. */
const AFTER_NAME = ['', '=', '[', ','];

/** The rows that match a word of a command line. */
export function rowsOf({ param, val }: Param): OptionRow[] {
  const word = val === undefined ? param : `${param}=${val}`;
  return OPTIONS.filter(([name, kind]) => {
    if (name.endsWith('=')) return parameqn(word, name);
    if (name.includes('=')) return parameq(word, name);
    if (kind !== 'setup') return parameq(param, name);
    return parameqn(word, name) && AFTER_NAME.includes(word.charAt(name.length));
  });
}

const wordOf = ({ param, val }: Param): string => {
  const quoted = /[\s"]/.test(val ?? '') ? `"${val ?? ''}"` : (val ?? '');
  return val === undefined ? param : `${param}=${quoted}`;
};

/** The words of a modelled option's value that are not modelled. */
function unmodelledValues({ param, val }: Param): string[] {
  const rule = Object.entries(VALUES).find(([name]) => parameq(param, name))?.[1];
  if (rule === undefined || val === undefined) return [];
  return val.split(',').filter((word) => {
    if (rule.only !== undefined) return !rule.only.includes(word);
    return rule.words?.some((one) => word.startsWith(one)) ?? false;
  });
}

function reasonFor(param: Param): NotModelled | undefined {
  const option = wordOf(param);
  const rows = rowsOf(param);
  const marks = rows.map(([, , , mark]) => mark);
  if (marks.includes('modelled')) {
    const values = unmodelledValues(param);
    if (values.length === 0) return undefined;
    return { option, why: `${values.join(', ')}: this value is not modelled` };
  }
  const named = rows.find(([, , , mark]) => mark === 'named');
  if (named !== undefined) return { option, why: `an option of 4.6, ${named[2]}` };
  if (rows.length > 0) return undefined;
  if (param.param.includes('.')) {
    return {
      option,
      why: 'a module parameter, which 4.6 leaves to the program that loads the module',
    };
  }
  return { option, why: 'unknown to 4.6: passed to init' };
}

const paramsOf = (line: string): readonly Param[] => parse_args(line.slice(0, LINE_MAX)).params;

/**
 * Options of a command line that are not modelled, in the line's order, each once.
 *
 * @param handled names of options that code outside 4.6 handles.
 */
export function notModelledOf(line: string, handled: readonly string[]): NotModelled[] {
  const found = new Map<string, NotModelled>();
  for (const param of paramsOf(line)) {
    if (handled.some((name) => parameq(name, param.param))) continue;
    const result = reasonFor(param);
    if (result !== undefined) found.set(result.option, result);
  }
  return [...found.values()];
}

/** Options of a command line that 4.6 has and that have no effect in the model, with the reason. */
export function withoutEffect(line: string): NotModelled[] {
  const found = new Map<string, NotModelled>();
  for (const param of paramsOf(line)) {
    const marks = rowsOf(param).map(([, , , mark]) => mark);
    if (marks.length === 0 || !marks.every(isReason)) continue;
    const [mark] = marks;
    if (mark !== undefined) found.set(wordOf(param), { option: wordOf(param), why: REASONS[mark] });
  }
  return [...found.values()];
}
