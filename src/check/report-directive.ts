/**
 * Directives of a match file about the reports of the sanitizer. `report` (some report matches), `not` and `count` with a
 * pattern under the key `report`. They do not depend on the order of other directives; `step` restricts them to the reports
 * of a boot step.
 */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { validate, type PathKey, type YamlSource } from '../base/yaml-source.js';
import { earlierSchema, reportSchema } from '../trace/report.js';
import { valuePattern, type Pattern, type ValuePattern } from './pattern.js';

/** A field of a pattern as written in the file. */
const field = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The schema of patterns for some keys of a schema of records. */
function fieldsOf(shape: Readonly<Record<string, z.ZodType>>, omit: readonly string[]) {
  const entries = Object.entries(shape).filter(([key]) => !omit.includes(key));
  return Object.fromEntries(
    entries.map(([key, { description = '' }]) => [key, field.optional().describe(description)]),
  );
}

const earlierPattern = z.strictObject(fieldsOf(earlierSchema.shape, []));

/** Schema of a pattern of a report: fields that it must have. `suppressed` is not one: it is not compared. */
export const reportPattern = z
  .strictObject({
    ...fieldsOf(reportSchema.shape, ['earlier', 'suppressed']),
    earlier: z
      .union([z.null(), earlierPattern])
      .optional()
      .describe('The earlier event that made it wrong; null: there is none.'),
  })
  .describe('Fields that a report must have.');

type Fields = Readonly<Record<string, z.infer<typeof field> | undefined>>;

/** The pattern of a mapping of fields; their names get a prefix. */
function patternsOf(
  code: string,
  source: YamlSource,
  path: readonly PathKey[],
  prefix: string,
  fields: Fields,
): [string, ValuePattern][] {
  return Object.entries(fields).flatMap(([key, given]): [string, ValuePattern][] => {
    if (given === undefined) return [];
    const read = valuePattern(given);
    if (typeof read !== 'string') return [[`${prefix}${key}`, read]];
    throw new InputError({ code, place: source.place([...path, key]), reason: read });
  });
}

/**
 * Parses the pattern of a report at `path`: fields as in `flatReport`. `rules`: the rules that there are, if they are
 * known. Throws an InputError of `code`.
 */
export function toReportPattern(
  code: string,
  source: YamlSource,
  path: readonly PathKey[],
  value: unknown,
  rules?: readonly string[],
): Pattern {
  const inner: YamlSource = {
    file: source.file,
    value,
    place: (below, key) => source.place([...path, ...below], key),
  };
  const { earlier, ...fields } = validate(code, reportPattern, inner);
  const own = patternsOf(code, source, path, '', fields);
  const below =
    earlier === null
      ? ([['earlier.what', { is: 'absent' }]] as [string, ValuePattern][])
      : patternsOf(code, source, [...path, 'earlier'], 'earlier.', earlier ?? {});
  const pattern: Pattern = Object.fromEntries([...own, ...below]);
  if (own.length + below.length === 0) {
    const reason = 'a pattern needs at least one field';
    throw new InputError({ code, place: source.place(path), reason });
  }
  const { rule } = pattern;
  if (rules !== undefined && rule?.is === 'literal' && !rules.includes(rule.text)) {
    throw new InputError({
      code,
      place: source.place([...path, 'rule']),
      reason: 'the sanitizer has no rule of this name',
      expected: 'a rule that "sme-boot list rules" prints',
      found: rule.text,
      ...suggest(rule.text, rules),
    });
  }
  return pattern;
}
