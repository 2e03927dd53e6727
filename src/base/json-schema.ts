/** JSON Schemas (draft-07) of the project's files, for editors and other tools: made from the schemas that read them. */
import * as z from 'zod';

/** What a JSON Schema says about itself. */
export interface SchemaNames {
  /** The kind of file: `urn:sme-boot:schema:NAME:1` is its `$id`, `schemas/NAME.schema.json` its file. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/**
 * The version in every `$id`: another one when a file that was right is no longer, or means something else. A trace
 * states the same number as `schema`.
 */
const VERSION = 1;

/**
 * The JSON Schema of a kind of file, as a person writes it: a key with a default may be left out. `reused`: what stands
 * in several places is written once (`ref`) or each time.
 */
export function jsonSchema(
  { name, title, description }: SchemaNames,
  schema: z.ZodType,
  reused: 'ref' | 'inline' = 'inline',
): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', reused });
  return { $schema, $id: `urn:sme-boot:schema:${name}:${VERSION}`, title, description, ...rest };
}
