/**
 * What a matrix says: for each scenario, the whole series less each of its hunks. A report is plain data: it is printed,
 * written as JSON, split over machines and put together again.
 */
import * as z from 'zod';
import { OUTCOME_KINDS } from '../../trace/trace.js';

/** The version of the report's form. */
export const MATRIX_SCHEMA = 1;

const outcomeSchema = z.strictObject({
  kind: z.enum(OUTCOME_KINDS),
  where: z.string().optional(),
  message: z.string().optional(),
});

/** A thing that some reader did not get as it was put. */
const wrongSchema = z.strictObject({
  /** What it was: `initrd`, `EFI system table`. */
  name: z.string(),
  /** The function or device that read it. */
  reader: z.string(),
  /** The C-bit that it read through; absent where that is not known. */
  readC: z.int().optional(),
  /** The function, device or firmware that wrote the first wrong line last; absent where nobody did. */
  writer: z.string().optional(),
  /** The C-bit that it was written through. */
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
  /** `out`: the hunk is not there. `stub`: others need its names; they stay and do nothing. */
  how: z.enum(['out', 'stub']),
  /** The label of the step in which the hunk would first have been used; absent where the boot never used it. */
  firstUse: z.string().optional(),
  outcome: outcomeSchema,
  /** Whether the boot ended like that of the whole series and everything was read alike. */
  same: z.boolean(),
  /** The first thing read wrongly that the whole series has read intact. */
  wrong: wrongSchema.optional(),
  /** All things that the whole series has read intact and this boot has not, or no longer reads; and the reverse. */
  lost: z.array(z.string()),
  gained: z.array(z.string()),
  /** The first telling thing that was done otherwise: not done any more, done besides, or done so. */
  difference: z
    .strictObject({
      step: z.string(),
      change: z.enum(['gone', 'added', 'changed']),
      /** The event: of the whole series if it is gone, else of this boot. */
      event: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      /** What of it was how before, in a line. */
      was: z.string(),
    })
    .optional(),
  /** Whether memory was encrypted at all. */
  encrypted: z.boolean(),
  /** Why, in a line made of what the machine saw. */
  cause: z.string(),
  /** The command that shows it. */
  command: z.string(),
});

const scenarioSchema = z.strictObject({
  name: z.string(),
  digest: z.string(),
  /** How the whole series ends there, and what it reads as garbage. */
  outcome: outcomeSchema,
  garbage: z.array(z.string()),
});

export const matrixSchema = z.strictObject({
  'sme-boot-matrix': z.literal(MATRIX_SCHEMA),
  /** The composition that hunks are left out of: `rfc-v1`. */
  series: z.string(),
  scenarios: z.array(scenarioSchema),
  /** In the order of scenarios and of the series. */
  rows: z.array(rowSchema),
  /** Rows that were asked for and are not there: `scenario hunk`; not empty after Ctrl-C or for a shard. */
  missing: z.array(z.string()),
});

export type WrongRead = z.infer<typeof wrongSchema>;
export type MatrixRow = z.infer<typeof rowSchema>;
export type MatrixScenario = z.infer<typeof scenarioSchema>;
export type MatrixReport = z.infer<typeof matrixSchema>;
