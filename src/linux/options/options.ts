/**
 * The options of Linux 4.6 for x86, and what a command line says that the model does not do. The rows come from the source
 * of 4.6.5: the arguments of early_param(), early_param_on_off(), __setup(), core_param(), module_param*() (with
 * MODULE_PARAM_PREFIX or the module's name) and cmdline_find_option*() in all files that an x86 kernel can be made of;
 * of modules only those of the directories that belong to every kernel. The marks are ours.
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

/** An option that is on a line and is not modelled, as it is written there, and why. */
export interface NotModelled {
  readonly option: string;
  readonly why: string;
}

/** COMMAND_LINE_SIZE less the NUL (include/asm-generic or asm/setup.h): the rest is cut. */
const LINE = 2047;

/**
 * Values of modelled options that are not modelled; of `only`, all others. A list with commas is looked at word by word.
 */
const VALUES: Readonly<Record<string, { words?: readonly string[]; only?: readonly string[] }>> = {
  acpi: { words: ['strict', 'copy_dsdt', 'nocmcff'] },
  earlyprintk: { words: ['serial', 'ttyS', 'pciserial', 'dbgp', 'xen', 'efi'] },
  pci: { only: ['noacpi'] },
};

const isReason = (mark: Mark): mark is Reason => mark in REASONS;

/** Why an option of a mark has no effect here; undefined where it has one, or would have. */
export const reasonOf = (mark: Mark): string | undefined =>
  isReason(mark) ? REASONS[mark] : undefined;

/** Characters after a name that __setup() has without `=`, where the word still is that option. */
const AFTER_NAME = ['', '=', '[', ','];

/** The rows that a word of a line means. */
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

/** What of a modelled option's value is not modelled. */
function valuesLeftOut({ param, val }: Param): string[] {
  const rule = Object.entries(VALUES).find(([name]) => parameq(param, name))?.[1];
  if (rule === undefined || val === undefined) return [];
  return val.split(',').filter((word) => {
    if (rule.only !== undefined) return !rule.only.includes(word);
    return rule.words?.some((one) => word.startsWith(one)) ?? false;
  });
}

function judge(param: Param): NotModelled | undefined {
  const option = wordOf(param);
  const rows = rowsOf(param);
  const marks = rows.map(([, , , mark]) => mark);
  if (marks.includes('modelled')) {
    const left = valuesLeftOut(param);
    if (left.length === 0) return undefined;
    return { option, why: `${left.join(', ')}: this value is not modelled` };
  }
  const named = rows.find(([, , , mark]) => mark === 'named');
  if (named !== undefined) return { option, why: `an option of 4.6, ${named[2]}` };
  if (rows.length > 0) return undefined;
  if (param.param.includes('.')) {
    return { option, why: 'a parameter of a module, which 4.6 leaves to who loads it' };
  }
  return { option, why: 'unknown to 4.6: passed to init' };
}

const paramsOf = (line: string): readonly Param[] => parse_args(line.slice(0, LINE)).params;

/**
 * Options of a command line that the model does not have, in the line's order, each once.
 *
 * @param also names that something else than 4.6 takes.
 */
export function notModelledOf(line: string, also: readonly string[]): NotModelled[] {
  const found = new Map<string, NotModelled>();
  for (const param of paramsOf(line)) {
    if (also.some((name) => parameq(name, param.param))) continue;
    const verdict = judge(param);
    if (verdict !== undefined) found.set(verdict.option, verdict);
  }
  return [...found.values()];
}

/** Options of a line that 4.6 knows and that change nothing here, with the reason. */
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
