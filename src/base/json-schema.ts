/** JSON Schemas (draft-07) of the project's files, for editors and other tools, generated from the zod schemas. */
import * as z from 'zod';

/** The name, title and description in a JSON Schema. */
export interface SchemaNames {
  /** The kind of file: `urn:sme-boot:schema:NAME:1` is its `$id`, `schemas/NAME.schema.json` its file. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/**
 * The version in every `$id`. It changes when a file that was valid no longer is, or changes its meaning; not with the
 * versions of a trace (its `schema`), since the later ones only add to the first.
 */
const VERSION = 1;

/**
 * The JSON Schema of a kind of file as input: a key with a default is optional. `reused`: a schema that is used in
 * several places is written once (`ref`) or in full each time (`inline`).
 */
export function jsonSchema(
  { name, title, description }: SchemaNames,
  schema: z.ZodType,
  reused: 'ref' | 'inline' = 'inline',
): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', reused });
  return { $schema, $id: `urn:sme-boot:schema:${name}:${VERSION}`, title, description, ...rest };
}
