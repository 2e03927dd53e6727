/**
 * Files of effects: what one patch changes, in each of the views where that can be seen. A third form of expectation
 * beside whole traces and match files; every list is in the order of the boot, so that the same effect has the same text.
 */
import * as z from 'zod';
import { Document, isCollection, isPair, isScalar, visit, type YAMLMap } from 'yaml';
import { patchNumber } from '../../series/patches.js';
import { jsonSchema } from '../../base/json-schema.js';
import { hexAsText, validate, type YamlSource } from '../../base/yaml-source.js';
import { REGION_STATES } from '../../trace/trace.js';

/** The code of what the schema refuses. */
const CODE = 'E_EFFECTS';
/** The most events that a step shows. */
export const MOST_EXAMPLES = 3;

const text = z.string().min(1);
const some = z.int().min(1).optional();
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** What a reader got: what was put there, or something else. */
const READINGS = ['intact', 'garbage'] as const;
/** Names of things that only one side reads, by what their reader gets. */
const readSchema = z.strictObject({
  intact: z
    .array(text)
    .min(1)
    .optional()
    .describe('Names of things whose reader gets the bytes that were put there.'),
  garbage: z.array(text).min(1).optional().describe('Names of things whose reader does not.'),
});

/** How many lines of a step's events differ, and how. */
const countsSchema = z.strictObject({
  added: some.describe('Lines that only the side with the patch has.'),
  gone: some.describe('Lines that only the side without it has.'),
  changed: some.describe('Lines of which some fields differ.'),
  moved: some.describe('Lines that are the same but for their addresses.'),
  credited: some.describe('Lines that are the same but for the hunk whose code did it.'),
});

const stepSchema = z.strictObject({
  label: text.describe('Label of the boot step.'),
  to: text.optional().describe('Label of the last of several steps that only one side has.'),
  step: z
    .enum(['added', 'gone'])
    .optional()
    .describe('Only one side has the step at all: the boot comes further, or less far.'),
  events: countsSchema.optional().describe("How many lines of the step's events differ, and how."),
  examples: z
    .array(text)
    .min(1)
    .max(MOST_EXAMPLES)
    .optional()
    .describe('The most telling lines: + added, - gone, ~ changed.'),
});

const state = z.enum([...REGION_STATES, 'none']);

const viewSchema = z.strictObject({
  none: text.optional().describe('Why there is no such view.'),
  how: z
    .enum(['removed', 'stub'])
    .optional()
    .describe('How the patch was left out: stub where others need its names.'),
  outcome: z
    .strictObject({
      before: text.describe('How the boot without the patch ends.'),
      after: text.describe('How the boot with it ends.'),
    })
    .optional()
    .describe('How the boots end, where they end otherwise.'),
  consumed: z
    .array(
      z.strictObject({
        name: text.describe('What is read.'),
        by: z.string().describe('The function or device that reads it.'),
        before: z.enum(READINGS).describe('What its reader gets without the patch.'),
        after: z.enum(READINGS).describe('What its reader gets with it.'),
      }),
    )
    .optional()
    .describe('Things that both sides read, and only one of them intact.'),
  readNow: readSchema.optional().describe('What only the side with the patch reads.'),
  readNoMore: readSchema.optional().describe('What only the side without the patch reads.'),
  regions: z
    .array(
      z.strictObject({
        name: text.describe('The region of memory.'),
        before: state.describe('What DRAM holds of it at the end, without the patch.'),
        after: state.describe('What DRAM holds of it at the end, with the patch.'),
      }),
    )
    .optional()
    .describe('Regions of which DRAM holds something else at the end.'),
  screen: some.describe('Lines of the screen that differ.'),
  steps: z.array(stepSchema).optional().describe('Boot steps that differ, in order.'),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('SHA-256 of all that differs, headers apart; absent where nothing does.'),
});

const scriptSchema = z.strictObject({
  probe: text.describe('What the probe is about, and the step of it.'),
  field: z.string().describe('The part of the answer that differs.'),
  before: scalar.optional().describe('The answer without the patch; absent where there is none.'),
  after: scalar.optional().describe('The answer with it; absent where there is none.'),
});

/** The views that compare traces, in the order they are told. */
export const TRACE_VIEWS = ['stage', 'activated', 'without'] as const;
/** All views: what probes of the patch answer is the last. */
export const VIEWS = [...TRACE_VIEWS, 'probes'] as const;

const viewsSchema = z.strictObject({
  stage: viewSchema.optional().describe("The stage before the patch against the patch's own."),
  activated: viewSchema.optional().describe('The same two stages with patch 18 on top.'),
  without: viewSchema.optional().describe('The whole series without the patch against all of it.'),
  probes: z.array(scriptSchema).optional().describe('What probes of the patch answer otherwise.'),
});

export const effectsSchema = z
  .strictObject({
    expect: z.literal('effects').describe('The form of the file.'),
    patch: patchNumber.describe('Number of the patch.'),
    scenario: text.describe('The scenario of the boots, by name.'),
    views: viewsSchema.describe('What the patch changes, view by view.'),
    reason: text
      .optional()
      .describe('Why the patch shows in no view; there exactly when it shows in none.'),
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
            : `the patch shows in ${shown.join(', ')}: there is nothing to give a reason for`,
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

/** Whether a step shows more than the same events elsewhere. */
function stepShows({ step, events }: EffectStep): boolean {
  const { added = 0, gone = 0, changed = 0 } = events ?? {};
  return step !== undefined || added + gone + changed > 0;
}

/**
 * Whether a view shows something. Events that only moved or are another patch's now, and bytes of a region (a new
 * variable among them), show nothing of what a patch is for (our choice); its digest has them.
 */
export function viewShows({ outcome, steps = [], ...view }: EffectView): boolean {
  const { consumed, readNow, readNoMore, regions, screen } = view;
  const parts: unknown[] = [outcome, consumed, readNow, readNoMore, regions, screen];
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

/** Checks a parsed file. Throws E_EFFECTS with the place of the first thing that is wrong. */
export function effectsOf(source: YamlSource): Effects {
  return validate(CODE, effectsSchema, source);
}

/** Whether a mapping stands in one line: one of plain values, or a step with its counts alone. */
function standsInLine(node: YAMLMap): boolean {
  const inner = node.items.filter(({ value }) => isCollection(value));
  return inner.length === 0 || (inner.length === 1 && node.has('label') && node.has('events'));
}

/** The effects as YAML: a line for each thing that changed, and for each example. */
export function printEffects({ expect, patch, scenario, views, reason }: Effects): string {
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
      node.flow = ancestors.length > 1 && standsInLine(node);
    },
    Seq: (_key, node, ancestors) => {
      const pair = ancestors.at(-1);
      const key = isPair(pair) && isScalar(pair.key) ? pair.key.value : '';
      node.flow = node.items.length === 0 || READINGS.some((reading) => reading === key);
    },
  });
  const body = document.toString({ lineWidth: 0, flowCollectionPadding: false, singleQuote: true });
  return `# yaml-language-server: $schema=../../schemas/effects.schema.json\n${body}`;
}

/** The JSON Schema of a file of effects. */
export function effectsJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'effects',
    title: 'sme-boot effects',
    description: 'What one patch changes: the expectation that sme-boot effects writes.',
  };
  return jsonSchema(names, effectsSchema);
}
