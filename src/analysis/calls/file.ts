/**
 * Files of probes: YAML that stops a boot behind a label and there calls functions of the kernel, reads and writes
 * through its mappings, looks at the bus and at table entries. For patches that only add helpers: no boot calls them yet.
 */
import * as z from 'zod';
import { patchNumber } from '../../series/patches.js';
import { InputError, type Place } from '../../base/errors.js';
import { describeValue, readYaml, validate, type PathKey } from '../../base/yaml-source.js';
import { seriesFunctions } from '../../series/series-names.js';

/** The code of what the schema refuses. */
const CODE = 'E_PROBE';
/** The most bytes that one step reads (our choice: 64 are shown, the rest is only compared). */
const MOST_BYTES = 1024 * 1024;
/** The most steps of a probe (our choice). */
const MOST_STEPS = 1000;

const id = z.string().regex(/^[A-Za-z_]\w*$/, 'a name of letters, digits and _');
const length = z.int().min(1).max(MOST_BYTES);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** A place: an address, a symbol, a region, with `+offset`; `__va(…)`, `__pa(…)` of one; `$id` of an earlier call. */
const where = z.union([z.string().min(1), z.int()]);

const argument = z.union([
  where,
  z.boolean(),
  /** A string, for functions that take a name: `{text: X86_FEATURE_SME}`. */
  z.strictObject({ text: z.string() }),
  /** A struct device that the kernel has found, by its name in the scenario. */
  z.strictObject({ device: z.string() }),
]);

const stepSchema = z.union([
  /** Calls a function. `as` keeps what it returns under a name. */
  z.strictObject({
    call: z.string().min(1),
    args: z.array(argument).default([]),
    as: id.optional(),
  }),
  /** The kernel reads through its own mapping; a region is read where the direct map has it. */
  z.strictObject({ read: where, length }),
  /** The kernel writes through its own mapping: text, or bytes as 0x and hexadecimal digits. */
  z.strictObject({ write: where, bytes: z.string().min(1).max(MOST_BYTES) }),
  /** What a probe on the memory bus sees, caches left alone; with `wbinvd` all CPUs write theirs back first. */
  z.strictObject({ bus: where, length, wbinvd: z.boolean().optional() }),
  /** How an address is translated, level by level. */
  z.strictObject({ entry: where }),
]);

const scriptSchema = z.strictObject({
  /** What is looked at, in a line. */
  probe: z.string().min(1),
  /** The patch that it is for. */
  patch: patchNumber,
  /** A scenario by name, or a file. */
  scenario: z.string().min(1),
  /** The probe runs when the step of this label is over and the next one has not begun. */
  at: z.string().min(1),
  /** Values of the scenario that are changed, by their path. */
  set: z.record(z.string().min(1), scalar).optional(),
  calls: z.array(stepSchema).min(1).max(MOST_STEPS),
});

export type CallScript = z.output<typeof scriptSchema>;
export type ScriptStep = CallScript['calls'][number];
export type ScriptArgument = z.output<typeof argument>;
export type ScriptPlace = z.output<typeof where>;

/** A probe with the file that it stands in. */
export interface ScriptFile {
  readonly file: string;
  readonly probe: CallScript;
  /** Where a value of it stands. */
  place(path: readonly PathKey[]): Place;
}

/** `$id`, with an offset. */
export const REFERENCE = /^\$([A-Za-z_]\w*)\s*(?:([+-])\s*(0x[0-9a-fA-F]+|\d+))?$/;
/** `__va(…)` and `__pa(…)`, the kernel's macros. */
export const MACRO = /^__(va|pa)\((.*)\)$/;

/** The result that a place or an argument refers to, if it does. */
function referenceIn(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const inner = MACRO.exec(value)?.[2];
  return inner === undefined ? REFERENCE.exec(value)?.[1] : referenceIn(inner);
}

/**
 * Reads a file of a probe. Throws InputError with file, YAML path and line: E_YAML (not YAML), E_PROBE (a key or value that
 * no probe has), E_PROBE_FUNCTION (no kernel of the series has it), E_PROBE_ARITY, E_PROBE_RESULT (a result that no step
 * before gives, or two steps give).
 */
export function readScript(file: string, text: string): ScriptFile {
  const source = readYaml(file, text);
  const probe = validate(CODE, scriptSchema, source);
  const functions = seriesFunctions();
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
          reason: 'no step before this one gives that result',
          expected: [...results].map((each) => `$${each}`).join(', ') || 'a step with "as" before',
          found: `$${name}`,
        });
      }
    }
    if (!('call' in step)) return;
    const { call, args, as } = step;
    const known = functions.get(call);
    if (known === undefined) {
      const near = [...functions.keys()].filter((name) => name.includes(call)).slice(0, 5);
      throw new InputError({
        code: 'E_PROBE_FUNCTION',
        place: source.place([...at, 'call']),
        reason: 'neither the base kernel nor a patch has such a function',
        ...(near.length > 0 && { expected: near.join(', ') }),
        found: call,
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

/** The JSON Schema (draft-07) of a probe file. */
export function scriptJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scriptSchema, { target: 'draft-7', io: 'input' });
  return { title: 'sme-boot probe', ...schema };
}
