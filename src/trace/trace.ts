/**
 * The trace of a boot as data, in the shape of its file. The recorder makes it, YAML and JSON carry it, comparison and
 * matching read it. What a trace is made of is stated once, as zod schemas; the JSON Schema of editors comes from them.
 */
import * as z from 'zod';
import { isKind, keysOf, TRACE_KINDS, type TraceKind } from './vocabulary.js';

/** The version of the trace's form; another number is another form. */
export const TRACE_SCHEMA = 1;

/** A value in an event. Addresses are text: `0x1000..0x1fff`, with their symbol behind if they have one. */
export type Scalar = string | number | boolean;

/** One line of a trace: the kind with its principal value, then the other fields. */
export type TraceEvent = Readonly<Record<string, Scalar>>;

/** The value of a field. */
export const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);
const count = z.int().min(0);

const originShape: Record<string, z.ZodType<Scalar | undefined>> = {
  in: z.string().optional(),
  file: z.string().optional(),
  patch: z.int().min(1).optional(),
  hunk: z.string().optional(),
  n: z.int().min(2).optional(),
};

function kindSchema(kind: TraceKind): z.ZodType<TraceEvent> {
  const shape: Record<string, z.ZodType<Scalar | undefined>> = { [kind]: scalarSchema };
  for (const key of keysOf(kind)) shape[key] = originShape[key] ?? scalarSchema.optional();
  return z.strictObject(shape) as z.ZodType<TraceEvent>;
}

const kindSchemas = new Map(TRACE_KINDS.map((kind) => [kind, kindSchema(kind)] as const));

/** The kind of an event: the one key that names a kind. A record without one is no event. */
export function kindOf(event: Readonly<Record<string, unknown>>): TraceKind | undefined {
  return Object.keys(event).find(isKind);
}

/** The schema of one kind of event, to say exactly what is wrong with a value that meant to be one. */
export function schemaOf(kind: TraceKind): z.ZodType<TraceEvent> {
  const schema = kindSchemas.get(kind);
  if (schema === undefined) throw new RangeError(`no kind of event: ${kind}`);
  return schema;
}

const settings = z.record(z.string(), scalarSchema);

/** The whole invocation: what is needed to run the same boot again. */
export const headerSchema = z.strictObject({
  /** The scenario's name and the digest of its contents. */
  scenario: z.string().min(1),
  scenarioDigest: z.string(),
  /** Patches 1…stage are applied. */
  stage: count,
  /** Patch 18 is put on top of the stage. */
  activate: z.boolean(),
  /** Hunks left out and put in, by id. */
  without: z.array(z.string()),
  /** What is left out keeps its names, which do nothing. */
  neutral: z.boolean().optional(),
  with: z.array(z.string()),
  settings,
  seed: z.string(),
  /** Options of the command line that the model does not have, as they are written; absent where there are none. */
  optionsNotModelled: z.array(z.string()).min(1).optional(),
  /** The kernel image: `built-in` or the name it was given under, and its digest. */
  image: z.strictObject({ name: z.string(), digest: z.string() }),
  /** The kernel's configuration, CONFIG_… by name. */
  config: settings,
  /** Names that the image lacks and the model's overlay holds. */
  overlay: z.array(z.string()),
});

/** What DRAM holds of a region at the end, as a probe on the bus would see it. */
export const REGION_STATES = ['plaintext', 'ciphertext', 'mixed', 'untouched'] as const;
/** How a boot can end. */
export const OUTCOME_KINDS = ['booted', 'panic', 'triple-fault', 'hung'] as const;

export const regionSchema = z.strictObject({
  name: z.string().min(1),
  pa: z.string(),
  bytes: count,
  state: z.enum(REGION_STATES),
  digest: z.string(),
});

export const consumedSchema = z.strictObject({
  name: z.string().min(1),
  by: z.string(),
  /** Whether the consumer's bytes equal what the producer put there. */
  intact: z.boolean(),
  /** Offset of the first byte that differs, where the producer's bytes are known. */
  firstDifference: count.optional(),
});

export const outcomeSchema = z.strictObject({
  kind: z.enum(OUTCOME_KINDS),
  where: z.string().optional(),
  message: z.string().optional(),
});

export const stepSchema = z.strictObject({
  label: z.string().min(1),
  events: z.array(z.union([...kindSchemas.values()])),
});

/** A whole trace. At least one step; a trace of nothing shows nothing. */
export const traceSchema = z.strictObject({
  schema: z.literal(TRACE_SCHEMA),
  header: headerSchema,
  steps: z.array(stepSchema).min(1),
  consumed: z.array(consumedSchema),
  final: z.strictObject({
    regions: z.array(regionSchema),
    /** The lines on the screen, blank ones at the end cut, where the machine has one. */
    screen: z.array(z.string()).optional(),
  }),
  outcome: outcomeSchema,
  /** Reserved: nothing may be in it yet. */
  findings: z.array(z.never()).max(0).optional(),
});

export type TraceHeader = z.infer<typeof headerSchema>;
export type TraceStep = z.infer<typeof stepSchema>;
export type Consumed = z.infer<typeof consumedSchema>;
export type FinalRegion = z.infer<typeof regionSchema>;
export type RegionState = FinalRegion['state'];
export type Outcome = z.infer<typeof outcomeSchema>;
export type OutcomeKind = Outcome['kind'];
export type Trace = z.infer<typeof traceSchema>;

/** How many events a line stands for. */
export function countOf(event: TraceEvent): number {
  return typeof event.n === 'number' ? event.n : 1;
}

/** The JSON Schema (draft-07) of a trace file, for editors and other tools. */
export function traceJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(traceSchema, { target: 'draft-7' });
  return { title: 'sme-boot trace', ...schema };
}
