/** Findings: the defects of the posted series, what later revisions made of each, and the commands that show it. */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { patchNumber } from './patches.js';

const text = z.string().min(1);
const hunkId = z.string().regex(/^\d{2}\/[\w-]+$/);

/** The revisions of the series after the one that the findings are on, in their order, with what was read of each. */
export const LATER = {
  v2: '[RFC PATCH v2 00/20] of 2016-08-22',
  '4.14': 'Linux 4.14, with the series as it was merged (38 patches, v10)',
  '6.1': 'Linux 6.1.192, as Debian has it',
} as const;

export type Later = keyof typeof LATER;

/** All revisions. A finding is one because v1 has it. */
export const REVISIONS: Readonly<Record<'v1' | Later, string>> = {
  v1: '[RFC PATCH v1 00/18] of 2016-04-26, the series that is simulated',
  ...LATER,
};

/** What a revision has of a defect. */
export const STATES = {
  present: 'the defect is there',
  partly: 'a part of it is fixed',
  fixed: 'it does not occur',
  gone: 'what it was in no longer exists',
  unknown: 'not known',
} as const;

const stateNames = ['present', 'partly', 'fixed', 'gone', 'unknown'] as const;

const revision = z.strictObject({
  state: z
    .enum(stateNames)
    .describe(
      `${stateNames.map((name) => `${name}: ${STATES[name]}`).join('; ')}. Read in the source.`,
    ),
  source: text.describe('Where it was read: the patch of a posting, or file and function.'),
  note: text.describe('What that source does.'),
  inferred: z
    .literal(true)
    .optional()
    .describe('The state follows from the source by reasoning only.'),
});

const reported = z.strictObject({
  run: text.describe('A scenario and options of `run`, as on the command line.'),
  rule: text.describe('The rule of the sanitizer.'),
  in: text.describe('The function or device that the report names.'),
  earlier: text.optional().describe('The function or device of its earlier event.'),
  what: text.optional().describe('Text that is in what it states.'),
  goneWith: z
    .array(hunkId)
    .min(1)
    .optional()
    .describe('Alternatives that are applied together; with them the report is not made.'),
});

/** A report of the sanitizer that shows a finding. */
export type Reported = z.infer<typeof reported>;

export const findingSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z\d]+(?:-[a-z\d]+)*$/)
    .describe('Its name on the command line.'),
  title: text.describe('The defect in one line, as in docs/findings.md.'),
  patch: patchNumber
    .optional()
    .describe('The patch that it is a defect of; absent: code that no patch changes.'),
  related: z.array(patchNumber).optional().describe('Other patches that have to do with it.'),
  hunks: z.array(hunkId).describe('The hunks that it is in.'),
  where: z
    .array(
      z.strictObject({
        file: text.describe('A kernel file.'),
        names: z.array(text).min(1).describe('Functions and macros of that file.'),
      }),
    )
    .min(1)
    .describe('The code that it is in.'),
  about: text.describe('What goes wrong, and with what effect.'),
  revisions: z
    .strictObject({
      v2: revision.describe(`${LATER.v2}.`),
      '4.14': revision.describe(`${LATER['4.14']}.`),
      '6.1': revision.describe(`${LATER['6.1']}.`),
    })
    .describe('What became of it.'),
  fixes: z
    .array(
      z.strictObject({
        id: hunkId.describe('An alternative, as --with takes it.'),
        result: text.describe('What is seen with it.'),
        command: text.optional().describe('The command that shows that.'),
      }),
    )
    .describe('The alternatives that fix it, whole or in part.'),
  shows: z
    .array(
      z.strictObject({
        command: text.describe('A command line for the shell.'),
        sees: text.describe('A line of its output; … is omitted text.'),
      }),
    )
    .describe('The commands that show it, in the order of docs/findings.md.'),
  tests: z.array(text).optional().describe('Tests of the project that show it.'),
  reports: z
    .array(reported)
    .min(1)
    .optional()
    .describe('Reports of the sanitizer that show it, on which boots.'),
  unreported: text
    .optional()
    .describe('Why the sanitizer cannot report it, in one sentence; without `reports`.'),
});

export type Finding = z.infer<typeof findingSchema>;

/** Validates a finding. Throws E_FINDING with the path of the first invalid value. */
export function parseFinding(file: string, data: unknown): Finding {
  const parsed = findingSchema.safeParse(data);
  if (parsed.success) {
    const { reports, unreported } = parsed.data;
    if ((reports === undefined) !== (unreported === undefined)) return parsed.data;
    throw new InputError({
      code: 'E_FINDING',
      place: { file, path: unreported === undefined ? 'reports' : 'unreported' },
      reason: 'a finding has either the reports that show it, or the reason why there are none',
    });
  }
  const issue = parsed.error.issues[0];
  throw new InputError({
    code: 'E_FINDING',
    place: { file, path: issue?.path.map(String).join('.') ?? '' },
    reason: issue?.message ?? 'not a finding',
  });
}

/** The JSON Schema of a finding's file. */
export function findingJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'finding',
    title: 'sme-boot finding',
    description: 'A defect of the posted series, by revision, with the commands that show it.',
  };
  return jsonSchema(names, findingSchema);
}

/** Whether a finding has to do with a patch. */
export const concerns = ({ patch, related = [] }: Finding, number: number): boolean =>
  patch === number || related.includes(number);
