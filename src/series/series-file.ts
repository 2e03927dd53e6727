/** Hunk selections as files: which hunks of the posted series a series has, and which alternatives. */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { optional } from '../base/optional.js';
import { validate, type YamlSource } from '../base/yaml-source.js';
import { link } from './link.js';
import { allHunks, alternatives, LAST_STAGE, stageNumber } from './patches.js';
import { compose, unknownAlternative, type HunkSelection } from './compose.js';
import { expand, selectedName } from './without.js';

/** The error code of such a file. */
const CODE = 'E_SERIES';

const text = z.string().min(1);
const names = z
  .array(selectedName)
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'a name is listed twice');

export const seriesSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]*$/, 'lower-case letters, digits, dots and dashes')
      .describe('Lower-case letters, digits, dots and dashes; equal to the name of the file.'),
    title: text.describe('What the series is, in one line.'),
    source: text.describe('Where it is from: a posting, a release, or `our choice`.'),
    stage: stageNumber.optional().describe('Patches 1 to this one are applied; all by default.'),
    activate: z
      .boolean()
      .default(false)
      .describe('Patch 18, which turns encryption on, is applied on top of an earlier stage.'),
    without: names.optional().describe('Hunks (09/initrd) and patches (10) that are left out.'),
    stub: z
      .boolean()
      .optional()
      .describe('Hunks left out are replaced by stubs: their names exist and do nothing.'),
    neutral: z.boolean().optional().describe('The former name of stub.'),
    with: names
      .optional()
      .describe('Alternatives (14/own-structures); each replaces its hunk or is applied on top.'),
  })
  .refine(({ stub = false, neutral = stub, without }) => !neutral || without !== undefined, {
    message: 'stub needs without',
    path: ['stub'],
  });

/** A hunk selection with its name, title and source. */
export interface Series extends HunkSelection {
  readonly name: string;
  readonly title: string;
  readonly source: string;
}

/**
 * Parses a series file. Throws E_SERIES for its form, E_HUNK and E_ALTERNATIVE for unknown names, each with its place in
 * the file, and the errors of `compose` and `link`.
 */
export function seriesOf(source: YamlSource): Series {
  const {
    name,
    title,
    source: from,
    stage = LAST_STAGE,
    activate,
    ...rest
  } = validate(CODE, seriesSchema, source);
  const { without, neutral, stub = neutral, with: extra } = rest;
  const known = alternatives().map(({ id }) => id);
  for (const [index, out] of (without ?? []).entries()) {
    within(source, ['without', index], () => expand([out], allHunks()));
  }
  for (const [index, id] of (extra ?? []).entries()) {
    if (known.includes(id)) continue;
    throw unknownAlternative(id).within(source.place(['with', index]));
  }
  const series: Series = {
    name,
    title,
    source: from,
    stage,
    activate,
    ...optional({ without, stub, with: extra }),
  };
  within(source, [], () => link(compose(series).hunks));
  return series;
}

/** Runs `body`; an InputError gets the place of `path` in the file. */
function within(source: YamlSource, path: readonly (string | number)[], body: () => unknown): void {
  try {
    body();
  } catch (error) {
    if (error instanceof InputError) throw error.within(source.place(path));
    throw error;
  }
}

/** The JSON Schema of such a file. */
export function seriesJsonSchema(): Record<string, unknown> {
  const schemaNames = {
    name: 'series',
    title: 'sme-boot series',
    description: 'The patches and hunks of a kernel.',
  };
  return jsonSchema(schemaNames, seriesSchema);
}
