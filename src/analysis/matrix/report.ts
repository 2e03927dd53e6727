/**
 * The report of a matrix: for each scenario, the series without each of its hunks. Plain data: it is printed, written as
 * JSON, and merged from shards.
 */
import * as z from 'zod';
import { reportChangeSchema } from '../../check/report-changes.js';
import { ownHunksSchema } from '../../trace/run-files.js';
import { OUTCOME_KINDS } from '../../trace/trace.js';

/** The version of the report's format. */
export const MATRIX_SCHEMA = 1;

const outcomeSchema = z.strictObject({
  kind: z.enum(OUTCOME_KINDS),
  where: z.string().optional(),
  message: z.string().optional(),
});

/** Data that a reader did not get as it was written. */
const wrongSchema = z.strictObject({
  /** Name of the data: `initrd`, `EFI system table`. */
  name: z.string(),
  /** The function or device that read it. */
  reader: z.string(),
  /** The C-bit of the read; absent: not recorded. */
  readC: z.int().optional(),
  /** The function, device or firmware that last wrote the first wrong line; absent: never written. */
  writer: z.string().optional(),
  /** The C-bit of that write. */
  writeC: z.int().optional(),
  /** Physical address of the first wrong line, in hexadecimal. */
  pa: z.string().optional(),
});

const rowSchema = z.strictObject({
  scenario: z.string(),
  /** `09/initrd`. */
  hunk: z.string(),
  /** The kernel file that the hunk edits, and what it does. */
  file: z.string(),
  what: z.string(),
  /** `out`: the hunk is left out. `stub`: others need its names; it is replaced by stubs that do nothing. */
  how: z.enum(['out', 'stub']),
  /** The label of the step in which the hunk first runs; absent: this boot never runs it. */
  firstUse: z.string().optional(),
  outcome: outcomeSchema,
  /** Whether outcome and reads are equal to those of the whole series. */
  same: z.boolean(),
  /** The first wrong read of data that the whole series reads intact. */
  wrong: wrongSchema.optional(),
  /** Names of data that the whole series reads intact and this boot does not (or does not read); and the reverse. */
  lost: z.array(z.string()),
  gained: z.array(z.string()),
  /** The highest-ranking difference in the first step that differs: a missing, extra or changed event. */
  difference: z
    .strictObject({
      step: z.string(),
      change: z.enum(['gone', 'added', 'changed']),
      /** The event: of the whole series if it is gone, else of this boot. */
      event: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      /** The difference in a line. */
      was: z.string(),
    })
    .optional(),
  /** Reports of the sanitizer that came, went or changed against the whole series, by rule; absent: none did. */
  reports: z.array(reportChangeSchema).min(1).optional(),
  /** Whether any memory is encrypted at the end. */
  encrypted: z.boolean(),
  /** The cause in a line, from the machine's records. */
  cause: z.string(),
  /** The command that runs this boot. */
  command: z.string(),
});

const scenarioSchema = z.strictObject({
  name: z.string(),
  digest: z.string(),
  /** The outcome of the whole series, and the names of data that it reads as garbage. */
  outcome: outcomeSchema,
  garbage: z.array(z.string()),
});

export const matrixSchema = z.strictObject({
  'sme-boot-matrix': z.literal(MATRIX_SCHEMA),
  /** The series that hunks are left out of: `rfc-v1`. */
  series: z.string(),
  /** Modules of own hunks that are applied to it, paths relative to the working directory. */
  ownHunks: ownHunksSchema.optional(),
  scenarios: z.array(scenarioSchema),
  /** By scenario, in the order of the series. */
  rows: z.array(rowSchema),
  /** Requested rows that were not run: `scenario hunk`; not empty after Ctrl-C. */
  missing: z.array(z.string()),
  /** The shards that the report has, of how many, and the rows of all of them together; absent: it is not a part. */
  shard: z
    .strictObject({
      parts: z.array(z.int().min(1)).min(1),
      count: z.int().min(1),
      rows: z.int().min(0),
    })
    .optional(),
});

export type WrongRead = z.infer<typeof wrongSchema>;
export type MatrixRow = z.infer<typeof rowSchema>;
export type MatrixScenario = z.infer<typeof scenarioSchema>;
export type MatrixReport = z.infer<typeof matrixSchema>;

/** The shards that a report lacks, as `shard 2/5`, then the rows that were requested and not run. */
export function missingOf({ missing, shard }: MatrixReport): string[] {
  const { parts = [], count = 0 } = shard ?? {};
  const absent = Array.from({ length: count }, (_, index) => index + 1).filter(
    (part) => !parts.includes(part),
  );
  return [...absent.map((part) => `shard ${part}/${count}`), ...missing];
}
