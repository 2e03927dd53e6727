/** Facts about a boot of either kind. */
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { SanitizerReport } from '../trace/report.js';
import type { ViewedBoot } from './viewed-boot.js';

/** Where memory and kernel are. */
export function placesOf({ machine, loaded }: InspectedBoot): ViewedBoot['places'] {
  const { ram } = machine.config;
  const end = Math.max(...ram.map(({ base, size }) => base + size));
  return { ram, end, kernelAt: loaded.kernelAt };
}

/** The rules of the reports of a step: a report has the step of its first access. */
export const newRules = (
  reports: readonly SanitizerReport[] | undefined,
  label: string,
): string[] => (reports ?? []).flatMap(({ rule, step }) => (step === label ? [rule] : []));
