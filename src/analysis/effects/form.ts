/**
 * Files of effects: what one patch changes, view by view. The third form of expectation besides whole traces and match
 * files. Every list is in the order of the boot, so that equal effects have equal text.
 */
import * as z from 'zod';
import { Document, isCollection, isPair, isScalar, visit, type YAMLMap } from 'yaml';
import { patchNumber } from '../../series/patches.js';
import { jsonSchema } from '../../base/json-schema.js';
import { hexAsText, validate, type YamlSource } from '../../base/yaml-source.js';
import { yamlText } from '../../base/yaml-text.js';
import { reportChangeSchema } from '../../check/report-changes.js';
import { REGION_STATES } from '../../trace/trace.js';

/** The error code of schema violations. */
const CODE = 'E_EFFECTS';
/** Most examples of a step. */
export const MAX_EXAMPLES = 3;

const text = z.string().min(1);
const some = z.int().min(1).optional();
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** What a reader got: the bytes that were written, or other bytes. */
const READINGS = ['intact', 'garbage'] as const;
/** Names of data that only one side reads, by what the reader gets. */
const readSchema = z.strictObject({
  intact: z
    .array(text)
    .min(1)
    .optional()
    .describe('Names of data whose reader gets the bytes that were written.'),
  garbage: z.array(text).min(1).optional().describe('Names of data whose reader gets other bytes.'),
});

/** Numbers of differing event lines of a step, by kind of difference. */
const countsSchema = z.strictObject({
  added: some.describe('Lines only with the patch.'),
  gone: some.describe('Lines only without the patch.'),
  changed: some.describe('Lines with differing fields.'),
  moved: some.describe('Lines that differ only in addresses.'),
  credited: some.describe('Lines that differ only in the hunk that caused the event.'),
});

const stepSchema = z.strictObject({
  label: text.describe('Label of the boot step.'),
  to: text.optional().describe('Label of the last of several steps that only one side has.'),
  step: z
    .enum(['added', 'gone'])
    .optional()
    .describe('Only one side has the step at all: the boot gets further, or less far.'),
  events: countsSchema
    .optional()
    .describe("Numbers of differing lines of the step's events, by kind of difference."),
  examples: z
    .array(text)
    .min(1)
    .max(MAX_EXAMPLES)
    .optional()
    .describe('The most relevant lines: + added, - removed, ~ changed.'),
});

const state = z.enum([...REGION_STATES, 'none']);

const viewSchema = z.strictObject({
  none: text.optional().describe('Why this view does not exist for the patch.'),
  how: z
    .enum(['removed', 'stub'])
    .optional()
    .describe('How the patch was left out: stub if others need its names.'),
  outcome: z
    .strictObject({
      before: text.describe('How the boot without the patch ends.'),
      after: text.describe('How the boot with it ends.'),
    })
    .optional()
    .describe('How the boots end, if they end differently.'),
  consumed: z
    .array(
      z.strictObject({
        name: text.describe('The data that is read.'),
        by: z.string().describe('The function or device that reads it.'),
        before: z.enum(READINGS).describe('What its reader gets without the patch.'),
        after: z.enum(READINGS).describe('What its reader gets with it.'),
      }),
    )
    .optional()
    .describe('Data that both sides read, only one of them intact.'),
  readNow: readSchema.optional().describe('Data that is read only with the patch.'),
  readNoMore: readSchema.optional().describe('Data that is read only without the patch.'),
  regions: z
    .array(
      z.strictObject({
        name: text.describe('The region of memory.'),
        before: state.describe('State of its bytes in DRAM at the end, without the patch.'),
        after: state.describe('State of its bytes in DRAM at the end, with the patch.'),
      }),
    )
    .optional()
    .describe('Regions whose state in DRAM differs at the end.'),
  screen: some.describe('Number of differing lines of the screen.'),
  reports: z
    .array(reportChangeSchema)
    .optional()
    .describe('Reports of the sanitizer that came, went or changed, by rule.'),
  steps: z.array(stepSchema).optional().describe('Boot steps that differ, in order.'),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('SHA-256 of the whole difference, without headers; absent if there is none.'),
});

const scriptSchema = z.strictObject({
  probe: text.describe('Name of the call script, and the view.'),
  field: z.string().describe('The step of the call script whose result differs.'),
  before: scalar.optional().describe('The result without the patch; absent if there is none.'),
  after: scalar.optional().describe('The result with it; absent if there is none.'),
});

/** The views that compare traces, in the order of printing. */
export const TRACE_VIEWS = ['stage', 'activated', 'without'] as const;
/** All views: the results of the patch's call scripts are the last. */
export const VIEWS = [...TRACE_VIEWS, 'probes'] as const;

const viewsSchema = z.strictObject({
  stage: viewSchema.optional().describe("The stage before the patch against the patch's own."),
  activated: viewSchema.optional().describe('The same two stages with patch 18 on top.'),
  without: viewSchema.optional().describe('The whole series without the patch against all of it.'),
  probes: z
    .array(scriptSchema)
    .optional()
    .describe("Differing results of the patch's call scripts."),
});

export const effectsSchema = z
  .strictObject({
    expect: z.literal('effects').describe('The kind of expectation.'),
    patch: patchNumber.describe('Number of the patch.'),
    scenario: text.describe('The scenario of the boots, by name.'),
    views: viewsSchema.describe('What the patch changes, view by view.'),
    reason: text
      .optional()
      .describe('Why the patch shows in no view; present if and only if it shows in none.'),
  })
  .superRefine(({ views, reason }, context) => {
    const shown = showsIn(views);
    if ((reason === undefined) !== shown.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['reason'],
        message:
          reason === undefined
            ? 'a patch that shows in no view needs a reason'
            : `the patch shows in ${shown.join(', ')}: a reason is only for one that shows in no view`,
      });
    }
  });

export type Reading = (typeof READINGS)[number];
export type EffectStep = z.infer<typeof stepSchema>;
export type Read = z.infer<typeof readSchema>;
export type EffectCounts = z.infer<typeof countsSchema>;
export type EffectView = z.infer<typeof viewSchema>;
export type ScriptEffect = z.infer<typeof scriptSchema>;
export type EffectViews = z.infer<typeof viewsSchema>;
export type Effects = z.infer<typeof effectsSchema>;
/** A view that compares traces. */
export type TraceView = (typeof TRACE_VIEWS)[number];
/** Any view. */
export type ViewName = (typeof VIEWS)[number];

/** Whether a step differs in more than addresses and hunks of events. */
function stepShows({ step, events }: EffectStep): boolean {
  const { added = 0, gone = 0, changed = 0 } = events ?? {};
  return step !== undefined || added + gone + changed > 0;
}

/**
 * Whether a view shows an effect. Events that only moved or belong to another hunk, and bytes of a region (as of a new
 * variable), do not count as effects of a patch (our choice); the digest covers them.
 */
export function viewShows({ outcome, steps = [], ...view }: EffectView): boolean {
  const { consumed, readNow, readNoMore, regions, screen, reports } = view;
  const parts: unknown[] = [outcome, consumed, readNow, readNoMore, regions, screen, reports];
  return parts.some((part) => part !== undefined) || steps.some(stepShows);
}

/** The views in which an effect shows. */
export function showsIn(views: EffectViews): ViewName[] {
  return VIEWS.filter((name) => {
    if (name === 'probes') return (views.probes ?? []).length > 0;
    const view = views[name];
    return view !== undefined && viewShows(view);
  });
}

/** Validates a parsed file. Throws E_EFFECTS with the place of the first violation. */
export function effectsOf(source: YamlSource): Effects {
  return validate(CODE, effectsSchema, source);
}

/** Whether a mapping is printed on one line: one of plain values, a step with counts only, or the reports of a rule. */
function fitsOneLine(node: YAMLMap): boolean {
  const inner = node.items.filter(({ value }) => isCollection(value));
  if (inner.length === 0 || node.has('rule')) return true;
  return inner.length === 1 && node.has('label') && node.has('events');
}

/** The effects as YAML: one line per change and per example. `schema`: its path relative to the file, for editors. */
export function printEffects(
  { expect, patch, scenario, views, reason }: Effects,
  { schema }: { schema?: string } = {},
): string {
  const { stage, activated, without, probes } = views;
  const whole = {
    expect,
    patch,
    scenario,
    ...(reason !== undefined && { reason }),
    views: {
      ...(stage !== undefined && { stage }),
      ...(activated !== undefined && { activated }),
      ...(without !== undefined && { without }),
      ...(probes !== undefined && { probes }),
    },
  };
  const document = new Document(whole, { ...hexAsText, aliasDuplicateObjects: false });
  visit(document, {
    Map: (_key, node, ancestors) => {
      node.flow = ancestors.length > 1 && fitsOneLine(node);
    },
    Seq: (_key, node, ancestors) => {
      const pair = ancestors.at(-1);
      const key = isPair(pair) && isScalar(pair.key) ? pair.key.value : '';
      node.flow =
        node.items.length === 0 || key === 'at' || READINGS.some((reading) => reading === key);
    },
  });
  const body = yamlText(document);
  return schema === undefined ? body : `# yaml-language-server: $schema=${schema}\n${body}`;
}

/** The JSON Schema of a file of effects. */
export function effectsJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'effects',
    title: 'sme-boot effects',
    description: 'The effects of one patch, as sme-boot effects --format yaml writes them.',
  };
  return jsonSchema(names, effectsSchema);
}
