/**
 * Suppressions: reports that a person has judged, each with the reason. A file is a list; an entry names a rule, and the
 * place of its reports or the function or device that did the access.
 */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { LIMITS } from '../base/limits.js';
import { suggest } from '../base/suggest.js';
import { readYaml, validate, type YamlSource } from '../base/yaml-source.js';
import type { SanitizerReport } from '../trace/report.js';

const CODE = 'E_SUPPRESSION';

const entrySchema = z
  .strictObject({
    rule: z.string().min(1).describe('The rule, as "sme-boot list rules" prints it.'),
    at: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Where: a region or symbol (initrd: also initrd+0x1000), or a physical range that has the whole range of the report.',
      ),
    in: z.string().min(1).optional().describe('The function or device that did the access.'),
    reason: z.string().regex(/\S/).describe('Why the report is suppressed.'),
  })
  .refine(({ at, in: by }) => at !== undefined || by !== undefined, 'needs at or in');

/** Schema of a file. */
export const suppressionsSchema = z.array(entrySchema).max(LIMITS.suppressions.most);

/** One entry of a file. */
export type Suppression = z.infer<typeof entrySchema>;

/** The suppressions of a file, with the file for errors. */
export interface Suppressions {
  readonly source: YamlSource;
  readonly entries: readonly Suppression[];
}

/** Parses a file. `rules`: the rules that there are. Throws E_YAML, E_SUPPRESSION with its place. */
export function readSuppressions(
  file: string,
  text: string,
  rules: readonly string[],
): Suppressions {
  return suppressionsOf(readYaml(file, text), rules);
}

/** The suppressions in a parsed file, or in a part of one. `rules`: the rules, if they are known. Throws as above. */
export function suppressionsOf(source: YamlSource, rules?: readonly string[]): Suppressions {
  const entries = validate(CODE, suppressionsSchema, source);
  entries.forEach(({ rule, at }, index) => {
    if (rules !== undefined && !rules.includes(rule)) {
      throw new InputError({
        code: CODE,
        place: source.place([index, 'rule']),
        expected: 'a rule that "sme-boot list rules" prints',
        found: rule,
        ...suggest(rule, rules),
      });
    }
    if (at !== undefined && /^0x/.test(at) && rangeOf(at) === undefined) {
      throw new InputError({
        code: CODE,
        place: source.place([index, 'at']),
        expected: 'a range as 0x1000..0x1fff, or an address',
        found: at,
      });
    }
  });
  return { source, entries };
}

/** An inclusive range of addresses. */
interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** The range that a text is, or begins with before its symbol; undefined for another text. */
function rangeOf(text: string, rest = ''): Range | undefined {
  const pattern = new RegExp(`^(0x[0-9a-f]{1,16})(?:\\.\\.(0x[0-9a-f]{1,16}))?${rest}$`, 'i');
  const [, from, to = from] = pattern.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const [first, last] = [BigInt(from), BigInt(to)];
  return last < first ? undefined : { first, last };
}

/** Whether a report's place is, or is in, the one that an entry names. */
function isAt(place: string, at: string): boolean {
  if (place === at) return true;
  const given = rangeOf(at);
  const range = rangeOf(place, '(?: .*)?');
  if (given !== undefined) {
    return range !== undefined && given.first <= range.first && range.last <= given.last;
  }
  const symbol = range === undefined ? place : place.slice(place.indexOf(' ') + 1);
  return symbol === at || symbol.startsWith(`${at}+0x`) || symbol.startsWith(`${at}[`);
}

/** Whether a report was made by a function: by it, or by a point within it (`setup_arch:paging`). */
const isBy = (code: string, by: string): boolean => code === by || code.startsWith(`${by}:`);

const covers = ({ rule, at, in: by }: Suppression, report: SanitizerReport): boolean =>
  rule === report.rule &&
  (at === undefined || isAt(report.at, at)) &&
  (by === undefined || isBy(report.in, by));

/** The reports with the reason in those that are suppressed, by the first entry that covers each, and unused entries. */
export function suppress(
  reports: readonly SanitizerReport[],
  { source, entries }: Suppressions,
): { readonly reports: SanitizerReport[]; readonly unused: readonly InputError[] } {
  const used = new Set<Suppression>();
  const marked = reports.map((report): SanitizerReport => {
    const matching = entries.filter((each) => covers(each, report));
    for (const each of matching) used.add(each);
    const [first] = matching;
    return first === undefined ? report : { ...report, suppressed: first.reason };
  });
  const unused = entries.flatMap((each, index) =>
    used.has(each)
      ? []
      : [
          new InputError({
            code: 'E_SUPPRESSION_UNUSED',
            place: source.place([index]),
            reason: `no report of ${each.rule} ${[
              ...(each.at === undefined ? [] : [`at ${each.at}`]),
              ...(each.in === undefined ? [] : [`in ${each.in}`]),
            ].join(' ')}: remove the entry`,
          }),
        ],
  );
  return { reports: marked, unused };
}

/** The JSON Schema of a file. */
export function suppressionsJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'suppressions',
    title: 'sme-boot suppressions',
    description: 'Reports of the sanitizer that a person has judged (docs/sanitizer.md).',
  };
  return jsonSchema(names, suppressionsSchema);
}
