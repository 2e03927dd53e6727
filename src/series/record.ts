/** Records of the kernel patches: source, files, names added and changed, order of calls, and their places in mainline. */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { patchNumber } from './patches.js';

const name = z.string().min(1);
const noteOf = (what: string): z.ZodOptional<z.ZodString> =>
  name.optional().describe(`A note on this ${what}.`);
export const release = z.string().regex(/^\d+\.\d+$/, 'a release of the kernel, as 4.14');
export const path = z
  .string()
  .regex(/^[\w.+-]+(?:\/[\w.+-]+)*$/, 'a path from the root of the kernel source');

/** What a name in the source is. */
export const NAME_KINDS = [
  'function',
  'macro',
  'constant',
  'variable',
  'member',
  'config',
  'label',
  'option',
] as const;
export type NameKind = (typeof NAME_KINDS)[number];

const step = {
  from: release.describe('The first release of mainline for which this step is true.'),
  commit: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional()
    .describe('The commit of mainline that did it, 12 digits; absent if it is not known.'),
  unverified: z
    .literal(true)
    .optional()
    .describe('The release or the commit was not read in a source of that release.'),
  backported: z
    .literal(true)
    .optional()
    .describe('Later stable kernels of earlier releases have it too.'),
  gone: name.optional().describe('Why it is not in this release and later ones.'),
  note: noteOf('step'),
};

export const nameStep = z.strictObject({
  ...step,
  name: name.optional().describe('The name in this release, if it is another one.'),
  file: path.optional().describe('The file in this release, if it is another one.'),
  kind: z.enum(NAME_KINDS).optional().describe('What it is in this release, if that changed.'),
  value: z.union([z.int(), name]).optional().describe('The value in this release.'),
});
export type NameStep = z.infer<typeof nameStep>;

const orderStep = z.strictObject({
  ...step,
  in: name.optional().describe('The function in this release, if it is another one.'),
  file: path.optional().describe('The file in this release, if it is another one.'),
  first: name.optional().describe('The word in place of `first`, if it is another one.'),
  then: name.optional().describe('The word in place of `then`, if it is another one.'),
});
export type OrderStep = z.infer<typeof orderStep>;

const named = z.strictObject({
  name: name.describe('The name; STRUCT.MEMBER for a member.'),
  kind: z
    .enum(NAME_KINDS)
    .describe('What it is; a constant is a macro or an enumerator with a value.'),
  file: path.describe('The kernel file.'),
  value: z
    .union([z.int(), z.string().regex(/^0x[0-9a-f]+$/)])
    .optional()
    .describe('The value of a constant; 0x for large ones.'),
  uses: z
    .array(name)
    .min(1)
    .optional()
    .describe('Names that the macro or function uses once the patch is applied.'),
  hunk: name.optional().describe('The hunk that models it, if no hunk of the file has the name.'),
  notModelled: name.optional().describe('Why no hunk models it.'),
  note: noteOf('name'),
  mainline: z
    .array(nameStep)
    .min(1)
    .optional()
    .describe('Its places in mainline, by release; absent if it is unchanged since.'),
});
export type NamedChange = z.infer<typeof named>;

const order = z.strictObject({
  in: name.describe('The function, or the label in a file of assembly.'),
  file: path.describe('The kernel file.'),
  first: name.describe('A name or an instruction in its body.'),
  then: name.describe('A name or an instruction that is first met after it.'),
  note: noteOf('order'),
  mainline: z
    .array(orderStep)
    .min(1)
    .optional()
    .describe('Its forms in mainline, by release; absent if it is unchanged since.'),
});
export type OrderClaim = z.infer<typeof order>;

export const recordSchema = z.strictObject({
  number: patchNumber.describe('Its number in the series, from 1.'),
  subject: name.describe("The posting's subject without its prefix."),
  messageId: name
    .nullable()
    .describe('Message-ID of the posting of 2016-04-26; null if it was not seen.'),
  date: name.describe('When the posting that was read was sent: UTC, ISO 8601.'),
  readInForm: name
    .optional()
    .describe('The posting that was read instead, if the first one was not available.'),
  summary: name.describe('What the patch does and why, in three sentences.'),
  files: z
    .array(
      z.strictObject({
        path: path.describe('The kernel file.'),
        added: z.int().min(0).describe('Lines that the diff adds.'),
        removed: z.int().min(0).describe('Lines that it removes.'),
      }),
    )
    .min(1)
    .describe('Kernel files that the patch touches, with their added and removed lines.'),
  status: z
    .enum(['modelled', 'partial', 'not modelled'])
    .describe('Whether the patch is modelled completely, in part, or not.'),
  modules: z.array(name).describe('The files of this project that hold its hunks.'),
  adds: z.array(named).describe('Names that it adds.'),
  changes: z
    .array(named)
    .describe('Names of the base kernel or of earlier patches that it changes.'),
  order: z.array(order).optional().describe('The order that its code has within functions.'),
  needs: z
    .array(
      z.strictObject({
        name: name.describe('The name.'),
        from: patchNumber.describe('The patch that adds it.'),
      }),
    )
    .describe('Names of earlier patches that it uses.'),
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
    description: 'One kernel patch of the series: what it changes, and what became of it.',
  };
  return jsonSchema(names, recordSchema);
}
