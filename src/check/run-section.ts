/** The section of a match file that says how to run the boot: the flags of `sme-boot run`. */
import * as z from 'zod';
import type { YamlSource } from '../base/yaml-source.js';
import { IMAGE_ENTRIES } from '../trace/vocabulary.js';
import { refuse } from './directive.js';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const count = z.int().min(0);
const file = z.string().min(1);

/** The name of a hunk, a patch or an alternative; a patch may be a number: 09. */
const selected = z.union([z.string().min(1), z.int().min(0)]).transform(String);

/** How to run the boot that a match file is about. */
export const runSchema = z.strictObject({
  scenario: z.string().min(1).describe('A scenario by name, or a file relative to this one.'),
  series: z
    .string()
    .min(1)
    .optional()
    .describe('A series by name, or a file relative to this one: --series.'),
  stage: count.optional().describe('Patches 1 to this one are applied: --stage.'),
  activate: z.boolean().optional().describe('Patch 18 on top of the stage: --activate.'),
  without: z.array(selected).optional().describe('Hunks and patches left out: --without.'),
  stub: z
    .boolean()
    .optional()
    .describe('Hunks left out are replaced by stubs: their names exist and do nothing: --stub.'),
  neutral: z.boolean().optional().describe('The former name of stub.'),
  with: z.array(selected).optional().describe('Alternatives applied: --with.'),
  hunks: z
    .array(file)
    .min(1)
    .optional()
    .describe('Modules of own hunks, relative to this file: --hunks. Their code is run.'),
  set: z
    .record(z.string(), scalar)
    .optional()
    .describe('Values of the scenario that are changed, by their path: --set.'),
  cmdline: z.string().optional().describe('The kernel command line: --cmdline.'),
  execute: z
    .boolean()
    .optional()
    .describe("The image's own instructions are executed: --execute. Needs kernel."),
  entry: z
    .enum(IMAGE_ENTRIES)
    .optional()
    .describe(
      "Where an executed boot enters the image: its ELF's entry (kernel, the default), or the decompressor of a bzImage: --entry.",
    ),
  until: z
    .string()
    .min(1)
    .optional()
    .describe('The function at whose return an executed boot ends: --until.'),
  'max-instructions': z
    .int()
    .min(1)
    .optional()
    .describe('The most instructions of an executed boot: --max-instructions.'),
  sanitize: z
    .boolean()
    .optional()
    .describe(
      'Whether the sanitizer watches the boot; default: true (false: --no-sanitize), of an executed boot false.',
    ),
  kernel: file.optional().describe('A kernel image, relative to this file: --kernel.'),
  'system-map': file.optional().describe('Its System.map, relative to this file: --system-map.'),
  initrd: file.optional().describe('An initrd, relative to this file: --initrd.'),
  dtb: file.optional().describe('A device tree, relative to this file: --dtb.'),
});

/** How to run the boot that a match file is about: the flags of `run`. */
export type RunOf = z.infer<typeof runSchema>;

/** What chooses what the model does: an executed image does what its instructions do. */
const OF_MODEL = [
  'series',
  'stage',
  'activate',
  'without',
  'stub',
  'neutral',
  'with',
  'hunks',
] as const;
const OF_EXECUTED = ['entry', 'until', 'max-instructions'] as const;

/** Whether the sanitizer watches the boot. */
export const isWatchedRun = ({ execute, sanitize }: RunOf): boolean =>
  execute === true ? sanitize === true : sanitize !== false;

/** Throws E_EXPECTATION for keys that have no effect on the boot, as `run` refuses such options. */
export function checkRun(source: YamlSource, run: RunOf): void {
  if (run.execute !== true) {
    const key = OF_EXECUTED.find((each) => run[each] !== undefined);
    if (key === undefined) return;
    throw refuse(source, ['run', key], `${key} has no effect without execute: true`);
  }
  if (run.kernel === undefined) {
    throw refuse(source, ['run'], 'execute needs kernel: the built-in image has no code');
  }
  const key = OF_MODEL.find((each) => run[each] !== undefined);
  if (key === undefined) return;
  const why = "with execute the image's own instructions run, not the model";
  throw refuse(source, ['run', key], `${key} would have no effect: ${why}`);
}
