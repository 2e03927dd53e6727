/** The state of a core as plain data, for snapshots. Control registers, MSRs and TLB are in the machine's. */
import type { Core } from './core.js';

/** Fields of the core that are single values. */
type Values = Pick<
  Core,
  | ('rip' | 'halted' | 'retired' | 'skipped' | 'ldtr' | 'cr8' | 'mxcsr' | 'fcw' | 'fsw')
  | ('x87InUse' | 'shadow' | 'nmiBlocked' | 'yields' | 'tscOffset' | 'tripleFault')
  | ('width' | 'codeDefault' | 'stackSize')
>;
const ARRAYS = [
  ...(['r', 'selectors', 'segmentLow', 'segmentHigh', 'segmentLimit'] as const),
  ...(['dr', 'xmm', 'x87'] as const),
];
type ArrayName = (typeof ARRAYS)[number];

/** The registers that instructions see, the time, and the instructions retired; structured-clonable. */
export interface CoreState {
  readonly values: Readonly<Values>;
  readonly rflags: number;
  readonly arrays: Readonly<Record<ArrayName, readonly number[]>>;
}

export function saveCore(core: Core): CoreState {
  const { rip, halted, retired, skipped, ldtr, cr8, mxcsr, fcw, fsw } = core;
  const { x87InUse, shadow, nmiBlocked, yields, tscOffset, tripleFault } = core;
  const { width, codeDefault, stackSize } = core;
  return {
    values: {
      ...{ rip, halted, retired, skipped, ldtr, cr8, mxcsr, fcw, fsw },
      ...{ x87InUse, shadow, nmiBlocked, yields, tscOffset, tripleFault },
      ...{ width, codeDefault, stackSize },
    },
    rflags: core.flags.value,
    arrays: {
      ...{ r: [...core.r], selectors: [...core.selectors], dr: [...core.dr] },
      segmentLow: [...core.segmentLow],
      segmentHigh: [...core.segmentHigh],
      segmentLimit: [...core.segmentLimit],
      ...{ xmm: [...core.xmm], x87: [...core.x87] },
    },
  };
}

/** The machine's CPU must have been restored before: bases of FS and GS come from its MSRs. */
export function restoreCore(core: Core, { values, rflags, arrays }: CoreState): void {
  Object.assign(core, values);
  for (const name of ARRAYS) core[name].set(arrays[name]);
  core.flags.value = rflags;
  core.reloadBases();
}
