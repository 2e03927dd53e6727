/**
 * Reports of the sanitizer: what is wrong with an access, seen from its bytes and keys, and the earlier event that made it
 * wrong. A trace has them in its section `reports`. Which rules there are is data of the caller ({@link RuleInfo}).
 */
import * as z from 'zod';
import { own } from '../base/own.js';
import type { Scalar } from './trace.js';

/** What a report's access led to. */
export const REPORT_OUTCOMES = ['nothing yet', 'garbage consumed', 'data lost'] as const;

/** A rule of the sanitizer: its stable id, a title, what it states, and the machine events that it watches. */
export interface RuleInfo {
  readonly id: string;
  /** In a few words. */
  readonly title: string;
  /** What is wrong where it reports, in one or two sentences. */
  readonly what: string;
  /** Names of the probe points of the machine. */
  readonly watches: readonly string[];
  /** Annotations of the kernel model without which it is not checked. */
  readonly needs?: readonly string[];
}

const cBit = z.literal([0, 1]);
const codeShape = {
  in: z.string().min(1),
  file: z.string().optional().describe('The kernel source file of that function.'),
  patch: z
    .int()
    .min(1)
    .optional()
    .describe('The number of the patch whose code it is; absent for the base kernel.'),
  hunk: z.string().optional().describe('The hunk of that patch.'),
};

/** Schema of the earlier event of a report. */
export const earlierSchema = z.strictObject({
  what: z.string().min(1).describe('What happened, in one sentence.'),
  ...codeShape,
  in: codeShape.in.describe('The function or device that did it.'),
  step: z.string().optional().describe('The label of its boot step.'),
  C: cBit.optional().describe('The C-bit of that access.'),
});

/** Schema of a report. */
export const reportSchema = z.strictObject({
  rule: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .describe('The id of the rule.'),
  n: z
    .int()
    .min(2)
    .optional()
    .describe('The number of accesses with this report, if more than one.'),
  step: z.string().min(1).describe('The label of the boot step of the first.'),
  at: z.string().min(1).describe('The physical range, with its symbol or region.'),
  va: z.string().optional().describe('The virtual range that was accessed.'),
  C: cBit.optional().describe('The C-bit of the access.'),
  ...codeShape,
  in: codeShape.in.describe('The function or device that did the access.'),
  cpu: z.int().min(0).optional().describe('The CPU, where it is not the boot CPU.'),
  what: z.string().min(1).describe('What is wrong, in one sentence.'),
  earlier: earlierSchema.optional().describe('The earlier event that made it wrong.'),
  outcome: z.enum(REPORT_OUTCOMES).describe('What came of it by the end of the boot.'),
  suppressed: z
    .string()
    .min(1)
    .optional()
    .describe('The reason given in a file of suppressions; not compared.'),
});

/** A report as a trace has it. Ranges are text, as in events: `0x1000..0x1fff initrd`. */
export type SanitizerReport = z.infer<typeof reportSchema>;

/** Where the reports of a boot come from. */
export interface ReportSource {
  /** The reports so far, in the order of the first of each. */
  reports(): readonly SanitizerReport[];
}

type Fields = Readonly<Record<string, Scalar>>;

const REPORT_KEYS = Object.keys(reportSchema.shape);
const EARLIER_KEYS = Object.keys(earlierSchema.shape);

/** The keys of a report in the order they are written; those of the earlier event as `earlier.what`. */
export const REPORT_FIELDS: readonly string[] = REPORT_KEYS.flatMap((key) =>
  key === 'earlier' ? EARLIER_KEYS.map((inner) => `earlier.${inner}`) : [key],
);

/** The keys of `keys` that a value has, in their order. */
function pick(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): [string, unknown][] {
  return keys.flatMap((key): [string, unknown][] =>
    own(value, key) === undefined ? [] : [[key, own(value, key)]],
  );
}

/** A report with its keys in the order they are written. */
export function reportInOrder(report: SanitizerReport): SanitizerReport {
  const { earlier } = report;
  const entries = pick(report, REPORT_KEYS).map(([key, value]): [string, unknown] =>
    key === 'earlier' && earlier !== undefined
      ? [key, Object.fromEntries(pick(earlier, EARLIER_KEYS))]
      : [key, value],
  );
  return Object.fromEntries(entries) as SanitizerReport;
}

/** A report as one record of scalars: the fields of the earlier event are `earlier.what`, `earlier.in` and so on. */
export function flatReport(report: SanitizerReport): Fields {
  const { earlier = {} } = report;
  return Object.fromEntries(
    REPORT_FIELDS.flatMap((field): [string, Scalar][] => {
      const [, inner] = field.split('.');
      const value: unknown = inner === undefined ? own(report, field) : own(earlier, inner);
      return value === undefined ? [] : [[field, value as Scalar]];
    }),
  );
}

/** A report without what is not compared. */
export function comparedReport(report: SanitizerReport): SanitizerReport {
  const { suppressed: _suppressed, ...compared } = report;
  return compared;
}

/** The number of reports of each rule, a folded one counted once, by id in the order of first use. */
export function countsByRule(reports: readonly SanitizerReport[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { rule } of reports) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return counts;
}
