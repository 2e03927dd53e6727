/** The exact traces and the effects that the project keeps: which runs, in which files. */
import { LAST_STAGE, TURN_ON } from '../series/patches.js';
import { DEFAULT_SCENARIO, type RunFlags } from './run-options.js';

/** One run and the file of its expected trace, below traces/. */
export interface KeptRun {
  readonly file: string;
  readonly scenario: string;
  readonly flags: RunFlags;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** The scenarios whose stages are all kept, and the stages that are kept with encryption turned on. */
const LADDERS = [
  { scenario: 'bios-minimal', activated: [6, 7, 8, 9] },
  { scenario: 'epyc-efi', activated: range(6, TURN_ON - 1) },
];
/** Others are kept with the whole series applied. */
const VARIANTS = [
  'option-absent',
  'intel',
  'c-bit-51',
  'firmware-syscfg',
  'config-off',
  'ram-1tib',
  'no-iommu',
  'bios-devices',
  'ap-syscfg-clear',
  'kexec',
  'initrd-behind-kernel',
  'cmdline-across-2mib',
  'kernel-above-4gib',
  'gpu-40-bit',
  'no-command-line',
  'encrypted-tail',
  'ram-above-reduction',
  'amd-fam15h',
];

const two = (n: number): string => String(n).padStart(2, '0');

/** Each stage of the ladders, their stages with encryption turned on, and each variant with all patches. */
export const KEPT_RUNS: readonly KeptRun[] = [
  ...LADDERS.flatMap(({ scenario, activated }) => [
    ...Array.from({ length: LAST_STAGE + 1 }, (_, stage) => ({
      file: `${scenario}/stage-${two(stage)}.yaml`,
      scenario,
      flags: { stage },
    })),
    ...activated.map((stage) => ({
      file: `${scenario}/activated-${two(stage)}.yaml`,
      scenario,
      flags: { stage, activate: true },
    })),
  ]),
  ...VARIANTS.map((scenario) => ({
    file: `${scenario}/stage-${two(LAST_STAGE)}.yaml`,
    scenario,
    flags: { stage: LAST_STAGE },
  })),
];

/** The effects of one patch on a scenario and their file, below traces/. */
export interface KeptEffects {
  readonly file: string;
  readonly patch: number;
  readonly scenario: string;
}

/** Other machines on which a patch shows what it does not show on the default one. */
const SHOWN_ON: Readonly<Record<number, readonly string[]>> = {
  // Without an IOMMU all devices go by bounce buffers, whose addresses the patch gives the mask.
  13: ['no-iommu'],
};

/** Each patch on the default machine, then on others that show more of it. */
export const KEPT_EFFECTS: readonly KeptEffects[] = Array.from(
  { length: LAST_STAGE },
  (_, index) => index + 1,
).flatMap((patch) => [
  { file: `effects/${two(patch)}.yaml`, patch, scenario: DEFAULT_SCENARIO },
  ...(SHOWN_ON[patch] ?? []).map((scenario) => ({
    file: `effects/${two(patch)}-${scenario}.yaml`,
    patch,
    scenario,
  })),
]);
