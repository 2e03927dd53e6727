/**
 * The trace of a boot as data, in the shape of its file. The recorder makes it, YAML and JSON hold it, comparison and
 * matching read it. Its format is defined once, as zod schemas; the JSON Schema for editors is generated from them.
 */
import { own } from '../base/own.js';
import * as z from 'zod';
import { jsonSchema } from '../base/json-schema.js';
import { meaningOf, MEANINGS } from './meanings.js';
import { reportSchema, type SanitizerReport } from './report.js';
import { ownHunksSchema, runFilesSchema } from './run-files.js';
import { IMAGE_ENTRIES, keysOf, principalOf, TRACE_KINDS, type TraceKind } from './vocabulary.js';

export { kindOf } from './vocabulary.js';

/** The version of the trace format. A trace without reports is written as version 1, which has no such section. */
export const TRACE_SCHEMA = 2;
/** The versions that are read. */
export const TRACE_SCHEMAS = [1, TRACE_SCHEMA] as const;

/** A value in an event. Addresses are text: `0x1000..0x1fff`, followed by their symbol if they have one. */
export type Scalar = string | number | boolean;

/** One line of a trace: the kind with its principal value, then the other fields. */
export type TraceEvent = Readonly<Record<string, Scalar>>;

/** Schema of a {@link Scalar}. */
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
  const shape: Record<string, z.ZodType<Scalar | undefined>> = {
    [kind]: scalarSchema.describe(meaningOf(kind, principalOf(kind))),
  };
  for (const key of keysOf(kind)) {
    shape[key] = (own(originShape, key) ?? scalarSchema.optional()).describe(meaningOf(kind, key));
  }
  return z.strictObject(shape).describe(MEANINGS[kind].what) as z.ZodType<TraceEvent>;
}

const kindSchemas = new Map(TRACE_KINDS.map((kind) => [kind, kindSchema(kind)] as const));

/** The schema of one kind of event, for exact errors. Throws RangeError for an unknown kind. */
export function schemaOf(kind: TraceKind): z.ZodType<TraceEvent> {
  const schema = kindSchemas.get(kind);
  if (schema === undefined) throw new RangeError(`no kind of event: ${kind}`);
  return schema;
}

const settings = z.record(z.string(), scalarSchema);

/** Schema of the header: the whole invocation, all that is needed to run the same boot again. */
export const headerSchema = z.strictObject({
  version: z
    .string()
    .optional()
    .describe('Version of sme-boot that wrote the trace; not compared.'),
  execute: z
    .boolean()
    .optional()
    .describe(
      "`true`: the image's own instructions were executed, not the model (docs/execute.md); `stage` is 0 then.",
    ),
  entry: z
    .enum(IMAGE_ENTRIES)
    .optional()
    .describe(
      "Where an executed boot entered the image (--entry): `decompressor`, the stub of a bzImage; absent: its ELF's entry.",
    ),
  until: z
    .string()
    .optional()
    .describe('The function after which an executed boot was ended (--until).'),
  maxInstructions: z
    .int()
    .min(1)
    .optional()
    .describe('The most instructions of an executed boot (--max-instructions).'),
  scenario: z.string().min(1).describe("The scenario's name."),
  scenarioDigest: z.string().describe('SHA-256 of the scenario with its settings, as JSON.'),
  stage: count.describe('Patches 1 to this one are applied.'),
  activate: z.boolean().describe('Patch 18 is put on top of the stage.'),
  without: z.array(z.string()).describe('Hunks and patches left out, by id.'),
  stub: z
    .boolean()
    .optional()
    .describe('Hunks left out are replaced by stubs: their names exist and do nothing.'),
  with: z.array(z.string()).describe('Alternatives applied, by id.'),
  ownHunks: ownHunksSchema
    .optional()
    .describe('Hunks that are not in the series, by the module that they are from.'),
  settings: settings.describe('Values of the scenario that the run changed, by their path.'),
  seed: z.string().describe("The scenario's seed."),
  cache: z
    .strictObject({
      size: count.optional().describe('Bytes, if the scenario has the size by name (`l3`).'),
      writeBack: z
        .string()
        .optional()
        .describe('The order of write-backs by WBINVD, if the scenario has one.'),
    })
    .optional()
    .describe('The cache, as far as the scenario asks for more than a size.'),
  optionsNotModelled: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Kernel command line options that the model does not have, as written.'),
  sanitize: z
    .boolean()
    .optional()
    .describe('`false`: the sanitizer was off (--no-sanitize), and there is no section `reports`.'),
  image: z
    .strictObject({
      name: z.string().describe('`built-in`, or the file name of the image.'),
      digest: z.string().describe('SHA-256 of its bytes.'),
      version: z.string().optional().describe('Its version, if it is executed and has one.'),
    })
    .describe('The kernel image.'),
  files: runFilesSchema
    .optional()
    .describe(
      'Files of the user that the boot read: scenario, kernel, systemMap, initrd, dtb, each with its path and digest.',
    ),
  config: settings.describe("The kernel's configuration, CONFIG_… by name."),
  overlay: z
    .array(z.string())
    .describe("Kernel names that the image lacks; the model's overlay has them."),
});

/** What DRAM holds of a region at the end, as a probe on the memory bus would see it. */
export const REGION_STATES = ['plaintext', 'ciphertext', 'mixed', 'untouched'] as const;
/** How a boot can end. */
export const OUTCOME_KINDS = ['booted', 'panic', 'triple-fault', 'hung'] as const;
/** How an executed boot can end besides a triple fault. */
export const EXECUTED_KINDS = ['halt', 'limit', 'stopped', 'not-modelled', 'interrupted'] as const;
/** All of them. */
export const ALL_OUTCOMES = [...OUTCOME_KINDS, ...EXECUTED_KINDS] as const;

export const regionSchema = z.strictObject({
  name: z.string().min(1).describe('The region.'),
  pa: z.string().describe('Its physical range.'),
  bytes: count.describe('Its size in bytes.'),
  state: z
    .enum(REGION_STATES)
    .describe('How its bytes were last written: with C=0, with C=1, some of each, or never.'),
  digest: z.string().describe('SHA-256 of its bytes on the bus.'),
});

export const consumedSchema = z.strictObject({
  name: z.string().min(1).describe('What was read: a table, blob or structure by name.'),
  by: z.string().describe('The function or device that read it.'),
  intact: z.boolean().describe('Whether the bytes that were read equal those that were written.'),
  firstDifference: count
    .optional()
    .describe('Offset of the first byte that differs, where the bytes written are known.'),
});

export const outcomeSchema = z.strictObject({
  kind: z.enum(ALL_OUTCOMES).describe('How the boot ended.'),
  where: z.string().optional().describe('The function in which it ended.'),
  message: z.string().optional().describe('The message, such as that of a panic.'),
});

export const stepSchema = z.strictObject({
  label: z.string().min(1).describe('The label of the boot step, once in a trace.'),
  events: z.array(z.union([...kindSchemas.values()])).describe('Its events, in order.'),
});

/** Schema of a whole trace. It has at least one step: an empty trace proves nothing. */
export const traceSchema = z.strictObject({
  schema: z
    .literal(TRACE_SCHEMAS)
    .describe(
      'The version of the format; in version 1 the sanitizer is off if the header does not say.',
    ),
  header: headerSchema.describe('The whole invocation.'),
  steps: z.array(stepSchema).min(1).describe('The boot, step by step.'),
  consumed: z
    .array(consumedSchema)
    .describe('Reads of what the loader, firmware or devices wrote, in the order of first use.'),
  final: z
    .strictObject({
      regions: z.array(regionSchema).describe('What DRAM holds, region by region.'),
      screen: z
        .array(z.string())
        .optional()
        .describe(
          'The lines on the screen without blank ones at the end; absent if there is no screen.',
        ),
    })
    .describe('The machine at the end, caches written back.'),
  outcome: outcomeSchema.describe('How the boot ended.'),
  reports: z
    .array(reportSchema)
    .optional()
    .describe(
      'Reports of the sanitizer, in the order of the first of each; absent: the sanitizer was off.',
    ),
});

export type TraceHeader = z.infer<typeof headerSchema>;
export type TraceStep = z.infer<typeof stepSchema>;
export type Consumed = z.infer<typeof consumedSchema>;
export type FinalRegion = z.infer<typeof regionSchema>;
export type RegionState = FinalRegion['state'];
/** The outcome of any boot. */
export type AnyOutcome = z.infer<typeof outcomeSchema>;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];
/** The outcome of a boot of the model. */
export type Outcome = AnyOutcome & { kind: OutcomeKind };
export type Trace = z.infer<typeof traceSchema>;

/** The reports of a trace; empty if it has none, also if the sanitizer was off (`isSanitized`). */
export function reportsOf({ reports }: Trace): readonly SanitizerReport[] {
  return reports ?? [];
}

/** Whether the sanitizer was on: its reports are then a section of the trace, also if there are none. */
export function isSanitized({ reports }: Trace): boolean {
  return reports !== undefined;
}

/** A trace with these reports; undefined: of a boot without the sanitizer, as its header then says. */
export function withReports(trace: Trace, reports: readonly SanitizerReport[] | undefined): Trace {
  const { reports: _reports, ...others } = trace;
  const { sanitize: _sanitize, ...rest } = trace.header;
  return reports === undefined
    ? { ...others, header: { ...rest, sanitize: false } }
    : { ...others, header: rest, reports: [...reports] };
}

/** The boot of a header in a few words. */
export function titleOf({ scenario, stage, activate, execute, image }: TraceHeader): string {
  if (execute === true) return `${scenario}, ${image.name} executed`;
  return `${scenario}, stage ${String(stage)}${activate ? ' activated' : ''}`;
}

/** The number of events that a line merges. */
export function countOf(event: TraceEvent): number {
  return typeof event.n === 'number' ? event.n : 1;
}

/** The JSON Schema of a trace file. */
export function traceJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'trace',
    title: 'sme-boot trace',
    description: 'What happened in a boot (docs/trace-format.md).',
  };
  return jsonSchema(names, traceSchema);
}
