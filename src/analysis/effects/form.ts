/**
 * Files of effects: what one patch changes, in each of the views where that can be seen. A third form of expectation
 * beside whole traces and match files; every list is in the order of the boot, so that the same effect has the same text.
 */
import * as z from 'zod';
import { Document, isCollection, isPair, isScalar, visit, type YAMLMap } from 'yaml';
import { patchNumber } from '../../series/patches.js';
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
  intact: z.array(text).min(1).optional(),
  garbage: z.array(text).min(1).optional(),
});

/** How many lines of a step's events differ, and how. */
const countsSchema = z.strictObject({
  added: some,
  gone: some,
  changed: some,
  /** The same but for the addresses. */
  moved: some,
  /** The same but for the patch whose hunk did it. */
  credited: some,
});

const stepSchema = z.strictObject({
  label: text,
  /** The last of several steps that only one side has. */
  to: text.optional(),
  /** The step is new, or gone, as a whole: the boot comes further, or less far. */
  step: z.enum(['added', 'gone']).optional(),
  events: countsSchema.optional(),
  /** The most telling ones. */
  examples: z.array(text).min(1).max(MOST_EXAMPLES).optional(),
});

const viewSchema = z.strictObject({
  /** Why there is no such view. */
  none: text.optional(),
  /** How the patch was left out: `neutral` where others need its names. */
  how: z.enum(['removed', 'neutral']).optional(),
  outcome: z.strictObject({ before: text, after: text }).optional(),
  consumed: z
    .array(
      z.strictObject({
        name: text,
        by: z.string(),
        before: z.enum(READINGS),
        after: z.enum(READINGS),
      }),
    )
    .optional(),
  /** What is read only with the patch, as where the boot comes further; and what no longer is. */
  readNow: readSchema.optional(),
  readNoMore: readSchema.optional(),
  regions: z
    .array(
      z.strictObject({
        name: text,
        before: z.enum([...REGION_STATES, 'none']),
        after: z.enum([...REGION_STATES, 'none']),
      }),
    )
    .optional(),
  /** Lines of the screen that differ. */
  screen: some,
  steps: z.array(stepSchema).optional(),
  /** SHA-256 of all that differs, the header apart: nothing changes unseen. Absent where nothing differs. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

const scriptSchema = z.strictObject({
  probe: text,
  field: z.string(),
  before: scalar.optional(),
  after: scalar.optional(),
});

/** The views that compare traces, in the order they are told. */
export const TRACE_VIEWS = ['stage', 'activated', 'without'] as const;
/** All views: what probes of the patch answer is the last. */
export const VIEWS = [...TRACE_VIEWS, 'probes'] as const;

const viewsSchema = z.strictObject({
  stage: viewSchema.optional(),
  activated: viewSchema.optional(),
  without: viewSchema.optional(),
  probes: z.array(scriptSchema).optional(),
});

export const effectsSchema = z
  .strictObject({
    expect: z.literal('effects'),
    patch: patchNumber,
    scenario: text,
    views: viewsSchema,
    /** Why the patch shows in no view; there exactly when it shows in none. */
    reason: text.optional(),
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

/** The JSON Schema (draft-07) of a file of effects. */
export function effectsJsonSchema(): Record<string, unknown> {
  return { title: 'sme-boot effects', ...z.toJSONSchema(effectsSchema, { target: 'draft-7' }) };
}
