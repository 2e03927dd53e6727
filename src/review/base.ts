/** The base kernel: the commit that the series was posted on, and where its files and names are in later releases. */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { nameStep, path, release } from '../series/record.js';

const name = z.string().min(1);

export const baseSchema = z.strictObject({
  commit: z.string().describe('The commit that the series was posted on.'),
  branch: name.describe('The branch that had it.'),
  release: release.describe('The release that it is taken for.'),
  merged: release.describe('The first release of mainline with a form of the series.'),
  note: name.optional().describe('A note on what the commit has.'),
  files: z
    .array(
      z.strictObject({
        file: path.describe('The file in the base kernel.'),
        mainline: z.array(nameStep).min(1).describe('Its later places, by release.'),
      }),
    )
    .describe('Files with their later places, for all names in them that `names` has not.'),
  names: z
    .array(
      z.strictObject({
        name: name.describe('The name in the base kernel.'),
        file: name.describe('The file that the model lists it at.'),
        in: name
          .optional()
          .describe('The file of the base kernel that defines it, if the model has it elsewhere.'),
        notInSource: name
          .optional()
          .describe('Why no file of the kernel defines it: a name of the model.'),
        mainline: z
          .array(nameStep)
          .min(1)
          .optional()
          .describe('Its later places, by release; absent if it is unchanged since.'),
      }),
    )
    .describe('Names of the base kernel with their later places.'),
});
export type BaseRecord = z.infer<typeof baseSchema>;

/** Validates the record of the base kernel. Throws E_RECORD with the path of the first invalid value. */
export function parseBase(file: string, data: unknown): BaseRecord {
  const parsed = baseSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError({
    code: 'E_RECORD',
    place: { file, path: issue?.path.map(String).join('.') ?? '' },
    reason: issue?.message ?? 'not a record of the base kernel',
  });
}

/** The JSON Schema of the base kernel's record. */
export function baseJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'base',
    title: 'sme-boot record of the base kernel',
    description: 'Where the files and names of the base kernel are in later releases.',
  };
  return jsonSchema(names, baseSchema);
}
