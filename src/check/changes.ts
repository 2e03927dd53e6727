/**
 * The format of a trace written as its difference from another, its base. Consecutive stages are nearly equal; each
 * file records only what its patch changes. See docs/trace-differences.md.
 */
import * as z from 'zod';
import { jsonSchema } from '../base/json-schema.js';
import type { Edit } from './list-edits.js';
import { reportSchema, type SanitizerReport } from '../trace/report.js';
import {
  consumedSchema,
  headerSchema,
  outcomeSchema,
  regionSchema,
  scalarSchema,
  stepSchema,
  type Consumed,
  type FinalRegion,
  type Scalar,
  type TraceEvent,
} from '../trace/trace.js';

const nth = z
  .int()
  .min(2)
  .optional()
  .describe('The nth element from here that matches the key; 1 by default.');
const dropRest = z.strictObject({
  'drop-rest': z.literal(true).describe('The rest of the base is removed.'),
});

const filled = (fields: object): boolean => Object.keys(fields).length > 0;
const NEEDS_FIELD = 'needs at least one field';

/** Schemas of the edits after, drop, add and drop-rest. */
const editsOf = <K, T>(key: z.ZodType<K>, item: z.ZodType<T>) =>
  [
    z.strictObject({
      after: key.describe('Both have it; the next edit applies after it.'),
      nth,
    }),
    z.strictObject({ drop: key.describe('The base has it, this trace does not.'), nth }),
    z.strictObject({ add: item.describe('This trace has it here, the base does not.') }),
    dropRest,
  ] as const;

const changeOf = <K, C>(key: z.ZodType<K>, to: z.ZodType<C>) =>
  z.strictObject({
    change: key.describe('Both have it, and some of its fields differ.'),
    nth,
    to: to.describe('The fields that differ, with their values in this trace.'),
  });

/** Fields that identify an event: those that are given must be equal. */
const eventKey = z.record(z.string(), scalarSchema).refine(filled, NEEDS_FIELD);
/** Fields with their new values; null: the field is removed. */
const eventTo = z.record(z.string(), scalarSchema.nullable()).refine(filled, NEEDS_FIELD);
const settings = z.record(z.string(), scalarSchema.nullable());

const names = z.array(z.union(editsOf(z.string(), z.string())));

const { shape: header } = headerSchema;
const headerChanges = z.strictObject({
  execute: header.execute
    .nullable()
    .describe('Whether the image was executed; null: not in the header.'),
  entry: header.entry
    .nullable()
    .describe("Where the image was entered; null: at its ELF's entry, not in the header."),
  until: header.until.nullable().describe('The function that ended it; null: there is none.'),
  maxInstructions: header.maxInstructions
    .nullable()
    .describe('The limit of instructions; null: there is none.'),
  scenario: header.scenario.optional(),
  scenarioDigest: header.scenarioDigest.optional(),
  stage: header.stage.optional(),
  activate: header.activate.optional(),
  without: names.optional().describe('Edits of the hunks and patches left out.'),
  stub: z
    .boolean()
    .nullable()
    .optional()
    .describe(
      'Hunks left out are replaced by stubs: their names exist and do nothing; null: not in the header.',
    ),
  with: names.optional().describe('Edits of the applied alternatives.'),
  sanitize: header.sanitize
    .nullable()
    .describe('`true`: the sanitizer was on, in this trace; `false`, or `null`: it was off.'),
  ownHunks: header.ownHunks
    .nullable()
    .optional()
    .describe('All modules of own hunks, if they differ in anything; null: there are none.'),
  settings: settings.optional().describe('Settings that differ; null: not in this trace.'),
  seed: header.seed.optional(),
  cache: header.cache
    .nullable()
    .optional()
    .describe('All keys of the cache, if they differ in anything; null: not in the header.'),
  optionsNotModelled: names
    .nullable()
    .optional()
    .describe('Edits of the options that the model does not have; null: there are none.'),
  image: header.image
    .partial()
    .extend({ version: header.image.shape.version.nullable() })
    .optional()
    .describe('Keys of the kernel image that differ; null: not in the header.'),
  files: header.files
    .nullable()
    .optional()
    .describe('All files of the user, if they differ in anything; null: there are none.'),
  config: settings.optional().describe('Options that differ; null: not in this trace.'),
  overlay: names.optional().describe("Edits of the names in the model's overlay."),
});

const consumedKey = consumedSchema.pick({ name: true, by: true });
const consumedTo = consumedSchema
  .partial()
  .extend({ firstDifference: consumedSchema.shape.firstDifference.nullable() });
const regionKey = regionSchema.pick({ name: true });

/** Fields that identify a report: those that are given must be equal. */
const reportKey = reportSchema
  .omit({ earlier: true, suppressed: true })
  .partial()
  .refine(filled, NEEDS_FIELD);
const { shape: report } = reportSchema;
const reportTo = reportSchema.partial().extend({
  n: report.n.nullable(),
  va: report.va.nullable(),
  C: report.C.nullable(),
  file: report.file.nullable(),
  patch: report.patch.nullable(),
  hunk: report.hunk.nullable(),
  cpu: report.cpu.nullable(),
  earlier: report.earlier.nullable(),
  suppressed: report.suppressed.nullable(),
});

/** The schema of the changes. `event`: the schema of a whole event. */
function schemaWith<E>(event: z.ZodType<E>) {
  const events = z.array(z.union([...editsOf(eventKey, event), changeOf(eventKey, eventTo)]));
  const { label } = stepSchema.shape;
  const step = z.strictObject({ label, events: z.array(event).describe('Its events, in order.') });
  return z.strictObject({
    header: headerChanges.optional().describe('Keys of the header that differ.'),
    steps: z
      .array(
        z.union([
          z.strictObject({
            step: z.string().describe('Label of a step that both have, whose events differ.'),
            events: events.describe('Edits of its events, in order.'),
          }),
          z.strictObject({
            after: z
              .string()
              .describe('Label of a step that both have: the next edit is after it.'),
          }),
          z.strictObject({
            drop: z.string().describe('Label of a step that the base has, this trace does not.'),
          }),
          z.strictObject({
            add: step.describe('A step that this trace has here, the base does not.'),
          }),
          dropRest,
        ]),
      )
      .optional()
      .describe('Edits of the boot steps, in order. Labels are unique: they need no nth.'),
    consumed: z
      .array(z.union([...editsOf(consumedKey, consumedSchema), changeOf(consumedKey, consumedTo)]))
      .optional()
      .describe('Edits of what was read, in order.'),
    final: z
      .strictObject({
        regions: z
          .array(
            z.union([
              ...editsOf(regionKey, regionSchema),
              changeOf(regionKey, regionSchema.partial()),
            ]),
          )
          .optional()
          .describe('Edits of the regions, in order.'),
        screen: names
          .nullable()
          .optional()
          .describe(
            'Edits of the lines; of an empty list if the base has no screen. null: no screen.',
          ),
      })
      .optional()
      .describe('Differences in the machine at the end.'),
    outcome: z
      .strictObject({
        kind: outcomeSchema.shape.kind.optional(),
        where: z
          .string()
          .nullable()
          .optional()
          .describe('The function in which it ended; null: not recorded.'),
        message: z.string().nullable().optional().describe('The message; null: there is none.'),
      })
      .optional()
      .describe('Differences in how the boot ended.'),
    reports: z
      .array(z.union([...editsOf(reportKey, reportSchema), changeOf(reportKey, reportTo)]))
      .optional()
      .describe('Edits of the reports of the sanitizer, in order.'),
  });
}

function fileWith<E>(event: z.ZodType<E>) {
  return z.strictObject({
    expect: z.literal('exact').describe('The kind of expectation.'),
    base: z.string().min(1).describe('Path of the base, relative to the folder of this file.'),
    changes: schemaWith(event).describe('What differs from the base.'),
  });
}

/** Schema of the file. Events are any mappings here; they are checked later, by kind, for more exact errors. */
export const changesFileSchema = fileWith(z.record(z.string(), scalarSchema));

export type TraceChanges = z.infer<typeof changesFileSchema>['changes'];
export type HeaderChanges = NonNullable<TraceChanges['header']>;
export type StepEdit = NonNullable<TraceChanges['steps']>[number];
export type EventChange = Readonly<Record<string, Scalar | null>>;
export type EventEdit = Edit<TraceEvent, EventChange, TraceEvent>;
export type NameEdit = Edit<string, never, string>;
export type ConsumedChange = z.infer<typeof consumedTo>;
export type ConsumedEdit = Edit<Pick<Consumed, 'name' | 'by'>, ConsumedChange, Consumed>;
export type RegionChange = Partial<FinalRegion>;
export type ReportKey = z.infer<typeof reportKey>;
export type ReportChange = z.infer<typeof reportTo>;
export type ReportEdit = Edit<ReportKey, ReportChange, SanitizerReport>;
export type RegionEdit = Edit<Pick<FinalRegion, 'name'>, RegionChange, FinalRegion>;

/** The JSON Schema of a file of such a trace. */
export function changesJsonSchema(): Record<string, unknown> {
  const { events } = stepSchema.shape;
  const schemaNames = {
    name: 'changes',
    title: 'sme-boot trace as the difference from another',
    description: 'An expected trace that records only what differs (docs/trace-differences.md).',
  };
  return jsonSchema(schemaNames, fileWith(events.element), 'ref');
}
