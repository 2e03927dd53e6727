/** Records of the kernel patches: what each is, where its module stands, what it adds and needs. */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { patchNumber } from './patches.js';

const name = z.string().min(1);

export const recordSchema = z.strictObject({
  /** From 1. */
  number: patchNumber,
  subject: name,
  /** Of the posting of 2016-04-26; null where it was not seen. */
  messageId: name.nullable(),
  /** The posting that was read instead, where the first one was not to be had. */
  readInForm: name.optional(),
  /** Kernel files that the patch touches. */
  files: z.array(name).min(1),
  /** Whether the patch is modelled whole, in part, or not yet. */
  status: z.enum(['modelled', 'partial', 'not modelled']),
  /** The project's files that hold its hunks. */
  modules: z.array(name),
  hunks: z.array(z.strictObject({ id: name, file: name, what: name })),
  /** Names that later patches and readers can look for. */
  adds: z.array(name),
  /** Patches whose names it uses. */
  needs: z.array(patchNumber),
  /** What the record does not say by itself. */
  note: name.optional(),
});

export type PatchRecord = z.infer<typeof recordSchema>;

/** Validates a record. Throws E_RECORD with the path of the first thing that is wrong. */
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

/** The JSON Schema (draft-07) of a record file. */
export function patchJsonSchema(): Record<string, unknown> {
  return { title: 'sme-boot patch record', ...z.toJSONSchema(recordSchema, { target: 'draft-7' }) };
}
