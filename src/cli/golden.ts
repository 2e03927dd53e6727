/** The golden traces and effects of the project: which runs, in which files. */
import { LAST_STAGE, TURN_ON } from '../series/patches.js';
import { DEFAULT_SCENARIO, type RunFlags } from './run-options.js';

/** One run and the path of its expected trace, relative to traces/. */
export interface GoldenRun {
  readonly file: string;
  /** The golden file that this one is the difference from; undefined for a whole trace. */
  readonly base?: string;
  readonly scenario: string;
  readonly flags: RunFlags;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

const two = (n: number): string => String(n).padStart(2, '0');

const stageFile = (scenario: string, stage: number): string =>
  `${scenario}/stage-${two(stage)}.yaml`;

/** The scenarios with a golden trace of every stage, and the stages with one with encryption turned on as well. */
const ALL_STAGES = [
  { scenario: 'bios-minimal', activated: [6, 7, 8, 9] },
  { scenario: 'epyc-efi', activated: range(6, TURN_ON - 1) },
];

/** The golden traces of bios-minimal with encryption on, and at the stage before. */
const ON = stageFile('bios-minimal', LAST_STAGE);
const OFF = stageFile('bios-minimal', TURN_ON - 1);
/**
 * The other scenarios have one golden trace, of the whole series: stored as the difference from a stage of the two above if
 * that is less than a third of the whole trace (our choice), from the stage before patch 18 where encryption stays off.
 */
const VARIANTS: Readonly<Record<string, string | undefined>> = {
  'option-absent': OFF,
  intel: OFF,
  'c-bit-51': ON,
  'firmware-syscfg': ON,
  'config-off': OFF,
  'ram-1tib': ON,
  'no-iommu': stageFile('epyc-efi', LAST_STAGE),
  'bios-devices': ON,
  'ap-syscfg-clear': ON,
  kexec: ON,
  'initrd-behind-kernel': ON,
  'cmdline-across-2mib': ON,
  'kernel-above-4gib': undefined,
  'gpu-40-bit': undefined,
  'no-command-line': ON,
  'encrypted-tail': ON,
  'ram-above-reduction': ON,
  'amd-fam15h': OFF,
};

/**
 * A scenario's stages with encryption turned on: the highest is a difference from the last stage, each other from the
 * next higher one.
 */
function activatedRuns(scenario: string, activated: readonly number[]): GoldenRun[] {
  const file = (stage: number): string => `${scenario}/activated-${two(stage)}.yaml`;
  return activated.map((stage, index) => {
    const higher = activated[index + 1];
    return {
      file: file(stage),
      base: higher === undefined ? stageFile(scenario, LAST_STAGE) : file(higher),
      scenario,
      flags: { stage, activate: true },
    };
  });
}

/** Every stage of two scenarios, some of these stages with encryption turned on, and the other scenarios with all patches. */
export const GOLDEN_RUNS: readonly GoldenRun[] = [
  ...ALL_STAGES.flatMap(({ scenario, activated }) => [
    ...Array.from({ length: LAST_STAGE + 1 }, (_, stage): GoldenRun => ({
      file: stageFile(scenario, stage),
      ...(stage > 0 && { base: stageFile(scenario, stage - 1) }),
      scenario,
      flags: { stage },
    })),
    ...activatedRuns(scenario, activated),
  ]),
  ...Object.entries(VARIANTS).map(([scenario, base]): GoldenRun => ({
    file: stageFile(scenario, LAST_STAGE),
    ...(base !== undefined && { base }),
    scenario,
    flags: { stage: LAST_STAGE },
  })),
];

/** One patch, a scenario, and the path of the patch's effects on it, relative to traces/. */
export interface GoldenEffects {
  readonly file: string;
  readonly patch: number;
  readonly scenario: string;
}

/** Further scenarios on which a patch has effects that it does not have on the default one, by patch number. */
const SHOWN_ON: Readonly<Record<number, readonly string[]>> = {
  // Without an IOMMU all devices use bounce buffers, to whose addresses the patch adds the mask.
  13: ['no-iommu'],
};

/** Each patch on the default scenario, then on those of `SHOWN_ON`. */
export const GOLDEN_EFFECTS: readonly GoldenEffects[] = Array.from(
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
