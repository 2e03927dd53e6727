/**
 * A trace written as its difference from another, its base: what a file of such a trace holds. A ladder's stages are
 * nearly equal; each says only what its patch changes. See docs/trace-differences.md.
 */
import * as z from 'zod';
import type { Edit } from './list-edits.js';
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

const nth = z.int().min(2).optional();
const dropRest = z.strictObject({ 'drop-rest': z.literal(true) });

const filled = (fields: object): boolean => Object.keys(fields).length > 0;
const NEEDS_FIELD = 'needs at least one field';

/** The edits that leave an element as it is, take it away, or put one there. */
const editsOf = <K, T>(key: z.ZodType<K>, item: z.ZodType<T>) =>
  [
    z.strictObject({ after: key, nth }),
    z.strictObject({ drop: key, nth }),
    z.strictObject({ add: item }),
    dropRest,
  ] as const;

const changeOf = <K, C>(key: z.ZodType<K>, to: z.ZodType<C>) =>
  z.strictObject({ change: key, nth, to });

/** Fields by which an event is found: those that are given must be equal. */
const eventKey = z.record(z.string(), scalarSchema).refine(filled, NEEDS_FIELD);
/** Fields with their new values; null: the event has it no more. */
const eventTo = z.record(z.string(), scalarSchema.nullable()).refine(filled, NEEDS_FIELD);
const settings = z.record(z.string(), scalarSchema.nullable());

const names = z.array(z.union(editsOf(z.string(), z.string())));

const { shape: header } = headerSchema;
const headerChanges = z.strictObject({
  scenario: header.scenario.optional(),
  scenarioDigest: header.scenarioDigest.optional(),
  stage: header.stage.optional(),
  activate: header.activate.optional(),
  without: names.optional(),
  neutral: z.boolean().nullable().optional(),
  with: names.optional(),
  settings: settings.optional(),
  seed: header.seed.optional(),
  optionsNotModelled: names.nullable().optional(),
  image: header.image.partial().optional(),
  config: settings.optional(),
  overlay: names.optional(),
});

const consumedKey = z.strictObject({ name: z.string(), by: z.string() });
const consumedTo = consumedSchema
  .partial()
  .extend({ firstDifference: consumedSchema.shape.firstDifference.nullable() });
const regionKey = z.strictObject({ name: z.string() });

/** The schema of the changes. `event`: what a whole event is held to. */
function schemaWith<E>(event: z.ZodType<E>) {
  const events = z.array(z.union([...editsOf(eventKey, event), changeOf(eventKey, eventTo)]));
  const step = z.strictObject({ label: stepSchema.shape.label, events: z.array(event) });
  return z.strictObject({
    header: headerChanges.optional(),
    /** `step`: a step of the base with edits of its events. Labels are unique: they need no nth. */
    steps: z
      .array(
        z.union([
          z.strictObject({ step: z.string(), events }),
          z.strictObject({ after: z.string() }),
          z.strictObject({ drop: z.string() }),
          z.strictObject({ add: step }),
          dropRest,
        ]),
      )
      .optional(),
    consumed: z
      .array(z.union([...editsOf(consumedKey, consumedSchema), changeOf(consumedKey, consumedTo)]))
      .optional(),
    final: z
      .strictObject({
        regions: z
          .array(
            z.union([
              ...editsOf(regionKey, regionSchema),
              changeOf(regionKey, regionSchema.partial()),
            ]),
          )
          .optional(),
        /** Edits of the lines; of none, where the base has no screen. null: there is no screen. */
        screen: names.nullable().optional(),
      })
      .optional(),
    outcome: z
      .strictObject({
        kind: outcomeSchema.shape.kind.optional(),
        where: z.string().nullable().optional(),
        message: z.string().nullable().optional(),
      })
      .optional(),
    findings: z.array(z.never()).max(0).nullable().optional(),
  });
}

function fileWith<E>(event: z.ZodType<E>) {
  return z.strictObject({
    expect: z.literal('exact'),
    /** The file of the base, from the folder of this one. */
    base: z.string().min(1),
    changes: schemaWith(event),
  });
}

/** A file of such a trace. Its events are any mappings yet: what is wrong with one is said better by its kind. */
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
export type RegionEdit = Edit<Pick<FinalRegion, 'name'>, RegionChange, FinalRegion>;

/** The JSON Schema (draft-07) of a file of such a trace, for editors and other tools. */
export function changesJsonSchema(): Record<string, unknown> {
  const { events } = stepSchema.shape;
  const schema = z.toJSONSchema(fileWith(events.element), { target: 'draft-7', reused: 'ref' });
  return { title: 'sme-boot trace as the difference from another', ...schema };
}
