/** What all formats say of a report of the sanitizer, and where they show it. */
import { oneLine } from '../base/printable.js';
import type { SarifLine } from '../base/sarif.js';
import type { RuleInfo, SanitizerReport } from '../trace/report.js';

/** The reports of a run, and what is known beside them. */
export interface ReportedRun {
  /** What was booted, in one line. */
  readonly title: string;
  readonly rules: readonly RuleInfo[];
  readonly reports: readonly SanitizerReport[];
  /** Why no rule was checked: the sanitizer was off; undefined: it was on. */
  readonly unchecked: string | undefined;
  /** What the boot did against the scenario's expectation, in lines. */
  readonly unexpected: readonly string[];
  /** The expressions of `--expect`. */
  readonly expressions: readonly {
    readonly text: string;
    readonly seen: string;
    readonly holds: boolean;
  }[];
  /** The command that repeats the run. */
  readonly rerun: string;
}

/** Where the code of a report is. */
export interface ReportPlaces {
  /** The line of its hunk in the patch records, else of the nearest thing that is recorded. */
  recordLine(report: SanitizerReport): SarifLine;
  /** The definition of a function in the kernel's tree; undefined: there is no tree, or it is not in it. */
  kernelLine(code: Code): SarifLine | undefined;
}

/** The code of a report, or of its earlier event. */
export type Code = Pick<SanitizerReport, 'in' | 'file' | 'patch' | 'hunk'>;

export const isSuppressed = ({ suppressed }: SanitizerReport): boolean => suppressed !== undefined;

/** The function or device with its hunk: `reserve_initrd (hunk 09/initrd)`. */
export function codeText({ in: by, patch, hunk }: Code): string {
  const named = Object.entries({ hunk, patch }).find(([, value]) => value !== undefined);
  return named === undefined ? by : `${by} (${named.join(' ')})`;
}

/** The rule with the place: `wrong-key-read at 0x1000..0x1fff initrd, in reserve_initrd, 3 times`. */
export function headText({ rule, at, step, n, cpu }: SanitizerReport): string {
  const times = n === undefined ? '' : `, ${n} times`;
  const on = cpu === undefined ? '' : `, on CPU ${cpu}`;
  return oneLine(`${rule} at ${at}, in ${step}${on}${times}`);
}

/** What the code of an access did: `unpack_to_rootfs (hunk 09/initrd), C=1: bytes …`. */
const didText = (code: Code, C: 0 | 1 | undefined, what: string): string =>
  oneLine(`${codeText(code)}${C === undefined ? '' : `, C=${C}`}: ${what}`);

/** The lines of a report below its head: what, the earlier event, the outcome. */
export function bodyLines(report: SanitizerReport): string[] {
  const { C, what, earlier, outcome } = report;
  const at = earlier?.step === undefined ? '' : ` in ${oneLine(earlier.step)}`;
  return [
    didText(report, C, what),
    ...(earlier === undefined
      ? []
      : [`earlier${at}: ${didText(earlier, earlier.C, earlier.what)}`]),
    `outcome: ${outcome}`,
  ];
}

/** `3 reports, 1 suppressed`. */
export function reportCounts(reports: readonly SanitizerReport[]): string {
  const suppressed = reports.filter(isSuppressed).length;
  const shown = reports.length - suppressed;
  const noun = shown === 1 ? 'report' : 'reports';
  return `${shown} ${noun}${suppressed === 0 ? '' : `, ${suppressed} suppressed`}`;
}
