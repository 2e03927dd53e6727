/** Boots of machines with several CPUs, for tests of what starts them. */
import type { Boot, BootOptions } from '../../src/sequencer/boot.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

/** Three CPUs, which the firmware's tables list. */
export function threeCpus(options: Partial<BootOptions>, ...settings: string[]): Boot {
  return boot({
    ...options,
    scenario: scenario('bios-minimal', 'machine.cpus=3', 'machine.ram=256MiB', ...settings),
  });
}

/** Events of a step, without where they came from. */
export function eventsOf(
  trace: Trace,
  label: string,
): readonly Readonly<Record<string, unknown>>[] {
  return trace.steps.find((step) => step.label === label)?.events ?? [];
}

/** Lines that a step printed. */
export function printed(trace: Trace, label: string): string[] {
  return eventsOf(trace, label).flatMap(({ console: text }) =>
    typeof text === 'string' ? [text] : [],
  );
}
