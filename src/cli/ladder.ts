/** The exact traces and the effects that the project keeps: which runs, in which files. */
import { DEFAULT_SCENARIO, type RunFlags } from './run-options.js';

/** One run and the file of its expected trace, below traces/. */
export interface KeptRun {
  readonly file: string;
  readonly scenario: string;
  readonly flags: RunFlags;
}

/** The scenarios whose stages are all kept, and the stages that are kept with patch 18 on top. */
const LADDERS = [
  { scenario: 'bios-minimal', activated: [6, 7, 8, 9] },
  { scenario: 'epyc-efi', activated: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17] },
] as const;
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
const LAST = 18;

const two = (n: number): string => String(n).padStart(2, '0');

/** The stage ladders 00…18, the activation ladders, and each variant at stage 18. */
export const KEPT_RUNS: readonly KeptRun[] = [
  ...LADDERS.flatMap(({ scenario, activated }) => [
    ...Array.from({ length: LAST + 1 }, (_, stage) => ({
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
    file: `${scenario}/stage-${two(LAST)}.yaml`,
    scenario,
    flags: { stage: LAST },
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
  { length: LAST },
  (_, index) => index + 1,
).flatMap((patch) => [
  { file: `effects/${two(patch)}.yaml`, patch, scenario: DEFAULT_SCENARIO },
  ...(SHOWN_ON[patch] ?? []).map((scenario) => ({
    file: `effects/${two(patch)}-${scenario}.yaml`,
    patch,
    scenario,
  })),
]);
