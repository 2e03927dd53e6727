/** The exact traces that the project keeps: which runs, in which files. */
import type { RunFlags } from './run-options.js';

/** One run and the file of its expected trace, below traces/. */
export interface KeptRun {
  readonly file: string;
  readonly scenario: string;
  readonly flags: RunFlags;
}

/** The scenario whose stages are all kept. */
const LADDER = 'bios-minimal';
/** Others are kept with the whole series applied. */
const VARIANTS = [
  'option-absent',
  'intel',
  'c-bit-51',
  'firmware-syscfg',
  'config-off',
  'ram-1tib',
];

const two = (n: number): string => String(n).padStart(2, '0');

/** The stage ladder 00…18, the activation ladder 06…09, and each variant at stage 18. */
export const KEPT_RUNS: readonly KeptRun[] = [
  ...Array.from({ length: 19 }, (_, stage) => ({
    file: `${LADDER}/stage-${two(stage)}.yaml`,
    scenario: LADDER,
    flags: { stage },
  })),
  ...[6, 7, 8, 9].map((stage) => ({
    file: `${LADDER}/activated-${two(stage)}.yaml`,
    scenario: LADDER,
    flags: { stage, activate: true },
  })),
  ...VARIANTS.map((scenario) => ({
    file: `${scenario}/stage-18.yaml`,
    scenario,
    flags: { stage: 18 },
  })),
];
