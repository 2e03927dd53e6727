/**
 * Call script files: YAML that stops a boot after a label and there calls functions of the kernel, reads and writes
 * through its mappings, reads DRAM without decryption and page table entries. For patches that only add helpers, which
 * no boot calls yet.
 */
import * as z from 'zod';
import { patchNumber } from '../../series/patches.js';
import { LIMITS } from '../../base/limits.js';
import { InputError, type Place } from '../../base/errors.js';
import { jsonSchema } from '../../base/json-schema.js';
import { suggest } from '../../base/suggest.js';
import { describeValue, readYaml, validate, type PathKey } from '../../base/yaml-source.js';
import type { Hunk } from '../../kernel/hunk.js';
import { seriesFunctions } from '../../series/series-names.js';

/** The error code of schema violations. */
const CODE = 'E_PROBE';
const MAX_BYTES = LIMITS.callBytes.most;
const MAX_STEPS = LIMITS.callSteps.most;

const id = z.string().regex(/^[A-Za-z_]\w*$/, 'a name of letters, digits and _');
const length = z.int().min(1).max(MAX_BYTES);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** A place: an address, a symbol, a region, with `+offset`; `__va(…)`, `__pa(…)` of one; `$id` of an earlier call. */
const where = z.union([z.string().min(1), z.int()]);

const lengthOf = length.describe(`Bytes, at most ${MAX_BYTES}.`);

const argument = z.union([
  where,
  z.boolean(),
  z.strictObject({
    text: z.string().describe('A string, for functions that take a name: X86_FEATURE_SME.'),
  }),
  z.strictObject({
    device: z
      .string()
      .describe('A struct device that the kernel has found, by its name in the scenario.'),
  }),
]);

const stepSchema = z.union([
  z.strictObject({
    call: z.string().min(1).describe('Calls a function of the kernel by its name.'),
    args: z
      .array(argument)
      .default([])
      .describe(
        "The function's arguments: numbers, places, 64 bits as '0x…n', {text: …}, {device: …}.",
      ),
    as: id.optional().describe('Stores the return value as $NAME for later steps.'),
  }),
  z.strictObject({
    read: where.describe(
      'The kernel reads here through its own mapping; a region is read through the direct map.',
    ),
    length: lengthOf,
  }),
  z.strictObject({
    write: where.describe('The kernel writes here through its own mapping.'),
    bytes: z
      .string()
      .min(1)
      .max(MAX_BYTES)
      .describe('What is written: text, or bytes as 0x and hexadecimal digits.'),
  }),
  z.strictObject({
    bus: where.describe('Reads DRAM here without decryption, as a logic probe on the memory bus.'),
    length: lengthOf,
    wbinvd: z
      .boolean()
      .optional()
      .describe('All CPUs write back their caches first; by default they do not.'),
  }),
  z.strictObject({
    swap: where.describe(
      'Exchanges bytes in DRAM here, as ciphertext or plaintext as they are, by a device on the memory bus.',
    ),
    with: where.describe('The other place.'),
    length: lengthOf,
    wbinvd: z
      .boolean()
      .optional()
      .describe('All CPUs write back and invalidate their caches first; by default they do not.'),
  }),
  z.strictObject({
    entry: where.describe('Walks the page tables for this address, level by level.'),
  }),
]);

const scriptSchema = z.strictObject({
  probe: z.string().min(1).describe('Title of the call script, one line.'),
  patch: patchNumber
    .optional()
    .describe(
      'Number of the patch whose code it calls, for the effects of the patch; may be absent.',
    ),
  scenario: z.string().min(1).describe('Name of a scenario, or a file relative to this one.'),
  at: z
    .string()
    .min(1)
    .describe(
      'A label of the boot: the steps are done after the step of this label, before the next one.',
    ),
  set: z
    .record(z.string().min(1), scalar)
    .optional()
    .describe('Changed values of the scenario, by their path: machine.ram.'),
  calls: z
    .array(stepSchema)
    .min(1)
    .max(MAX_STEPS)
    .describe('The steps, in order: call, read, write, bus, swap or entry.'),
});

export type CallScript = z.output<typeof scriptSchema>;
export type ScriptStep = CallScript['calls'][number];
export type ScriptArgument = z.output<typeof argument>;
export type ScriptPlace = z.output<typeof where>;

/** A call script with its file. */
export interface ScriptFile {
  readonly file: string;
  readonly probe: CallScript;
  /** The place of a value in the file. */
  place(path: readonly PathKey[]): Place;
}

/** `$id`, with an offset. */
export const REFERENCE = /^\$([A-Za-z_]\w*)\s*(?:([+-])\s*(0x[0-9a-fA-F]+|\d+))?$/;
/** `__va(…)` and `__pa(…)`, the kernel's macros. */
export const MACRO = /^__(va|pa)\((.*)\)$/;

/** The name of the result that a place or an argument refers to; undefined for none. */
function referenceIn(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const inner = MACRO.exec(value)?.[2];
  return inner === undefined ? REFERENCE.exec(value)?.[1] : referenceIn(inner);
}

/**
 * Parses a call script. Throws InputError with file, YAML path and line: E_YAML (not YAML), E_PROBE (an unknown key or
 * invalid value), E_PROBE_FUNCTION (no kernel of the series has the function), E_PROBE_ARITY, E_PROBE_RESULT (a result
 * that no earlier step stores, or that two steps store).
 */
export function readScript(file: string, text: string, own: readonly Hunk[] = []): ScriptFile {
  const source = readYaml(file, text);
  const probe = validate(CODE, scriptSchema, source);
  const functions = seriesFunctions(own);
  const results = new Set<string>();
  probe.calls.forEach((step, index) => {
    const at = ['calls', index];
    for (const [key, value] of Object.entries(step)) {
      const values: unknown[] = Array.isArray(value) ? value : [value];
      for (const [i, each] of values.entries()) {
        const name = key === 'bytes' ? undefined : referenceIn(each);
        if (name === undefined || results.has(name)) continue;
        throw new InputError({
          code: 'E_PROBE_RESULT',
          place: source.place([...at, key, ...(Array.isArray(value) ? [i] : [])]),
          reason: 'no earlier step stores this result',
          expected:
            [...results].map((each) => `$${each}`).join(', ') || 'an earlier step with "as"',
          found: `$${name}`,
          ...suggest(
            `$${name}`,
            [...results].map((each) => `$${each}`),
          ),
        });
      }
    }
    if (!('call' in step)) return;
    const { call, args, as } = step;
    const known = functions.get(call);
    if (known === undefined) {
      throw new InputError({
        code: 'E_PROBE_FUNCTION',
        place: source.place([...at, 'call']),
        reason: 'neither the base kernel nor a patch has this function',
        found: call,
        ...suggest(call, functions.keys()),
      });
    }
    if (args.length !== known.arity) {
      throw new InputError({
        code: 'E_PROBE_ARITY',
        place: source.place([...at, 'args']),
        expected: `${known.arity} argument${known.arity === 1 ? '' : 's'} of ${call}`,
        found: `${args.length}`,
      });
    }
    if (as === undefined) return;
    if (results.has(as)) {
      throw new InputError({
        code: 'E_PROBE_RESULT',
        place: source.place([...at, 'as']),
        expected: 'each result once',
        found: `${describeValue(as)} again`,
      });
    }
    results.add(as);
  });
  return { file, probe, place: (path) => source.place(path) };
}

/** The JSON Schema of a call script file. */
export function scriptJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'probe',
    title: 'sme-boot probe',
    description: 'A call script: calls kernel functions in a boot that is stopped at a label.',
  };
  return jsonSchema(names, scriptSchema);
}
