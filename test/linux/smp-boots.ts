/** Boots of machines with several CPUs, for tests of their start. */
import type { Boot, BootOptions } from '../../src/sequencer/boot.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

/** A boot of a machine with three CPUs, all listed in the firmware's tables. */
export function threeCpus(options: Partial<BootOptions>, ...settings: string[]): Boot {
  return boot({
    ...options,
    scenario: scenario('bios-minimal', 'machine.cpus=3', 'machine.ram=256MiB', ...settings),
  });
}

/** The events of a step; empty if the boot did not reach it. */
export function eventsOf(
  trace: Trace,
  label: string,
): readonly Readonly<Record<string, unknown>>[] {
  return trace.steps.find((step) => step.label === label)?.events ?? [];
}

/** Console lines of a step. */
export function printed(trace: Trace, label: string): string[] {
  return eventsOf(trace, label).flatMap(({ console: text }) =>
    typeof text === 'string' ? [text] : [],
  );
}
