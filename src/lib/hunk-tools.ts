/** What the code of own hunks needs besides the kernel that it gets: the instructions, constants and forms of a hunk. */
import * as constants from '../kernel/constants.js';
import * as cpuOps from '../kernel/cpu-ops.js';
import { code, fn, inline, kernelFile, label } from '../kernel/table.js';
import {
  alignDown,
  alignUp,
  hex,
  pa,
  PAGE_SIZE,
  PMD_SIZE,
  tableIndex,
  va,
} from '../machine/address.js';

/**
 * The argument of a module that exports a function: `export default ({ rdmsr, va }) => [ … ]`. The functions of the CPU
 * (`rdmsr`, `write_cr3`, `wbinvd`, `set_entry` and so on) take the kernel first and emit their events; `constants` has
 * `MSR_K8_SYSCFG`, `PAGE_OFFSET` and the others that the kernel model uses; `kernelFile`, `fn`, `inline`, `label` and
 * `code` make the names that a hunk adds.
 */
export const hunkTools = {
  ...cpuOps,
  constants: { ...constants },
  kernelFile,
  fn,
  inline,
  label,
  code,
  pa,
  va,
  hex,
  alignDown,
  alignUp,
  tableIndex,
  PAGE_SIZE,
  PMD_SIZE,
} as const;

export type HunkTools = typeof hunkTools;
