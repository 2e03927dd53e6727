/** Records of the kernel patches: subject, source, files, modules, hunks, names added and patches needed. */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { patchNumber } from './patches.js';

const name = z.string().min(1);

export const recordSchema = z.strictObject({
  number: patchNumber.describe('Its number in the series, from 1.'),
  subject: name.describe("The posting's subject without its prefix."),
  messageId: name
    .nullable()
    .describe('Message-ID of the posting of 2016-04-26; null if it was not seen.'),
  readInForm: name
    .optional()
    .describe('The posting that was read instead, if the first one was not available.'),
  files: z.array(name).min(1).describe('Kernel files that the patch touches.'),
  status: z
    .enum(['modelled', 'partial', 'not modelled'])
    .describe('Whether the patch is modelled completely, in part, or not.'),
  modules: z.array(name).describe('The files of this project that hold its hunks.'),
  hunks: z
    .array(
      z.strictObject({
        id: name.describe('Its id, as --without takes it: the number of the patch, /, a name.'),
        file: name.describe('The kernel file that it edits.'),
        what: name.describe('What it does, in one line.'),
      }),
    )
    .describe('The hunks, in the order of its code.'),
  adds: z.array(name).describe('Names that it adds, for later patches and for readers.'),
  needs: z.array(patchNumber).describe('Numbers of the patches whose names it uses.'),
  note: name.optional().describe('A note on what the other keys do not cover.'),
});

export type PatchRecord = z.infer<typeof recordSchema>;

/** Validates a record. Throws E_RECORD with the path of the first invalid value. */
export function parseRecord(file: string, data: unknown): PatchRecord {
  const parsed = recordSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError({
    code: 'E_RECORD',
    place: { file, path: issue?.path.map(String).join('.') ?? '' },
    reason: issue?.message ?? 'not a record',
  });
}

/** The JSON Schema of a record file. */
export function patchJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'patch',
    title: 'sme-boot patch record',
    description: 'One kernel patch of the series: the files it changes, and where its model is.',
  };
  return jsonSchema(names, recordSchema);
}
