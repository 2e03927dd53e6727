/** Boots of machines with several CPUs, for tests of what starts them. */
import { LOCAL_APIC_BASE } from '../../src/machine/local-apic.js';
import type { Boot, BootOptions } from '../../src/sequencer/boot.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

/** Three CPUs; the tables of their firmware say so, whatever firmware there is. */
export function threeCpus(options: Partial<BootOptions>, ...settings: string[]): Boot {
  const it = boot({
    ...options,
    scenario: scenario('bios-minimal', 'machine.cpus=3', 'machine.ram=256MiB', ...settings),
  });
  it.runTo('acpi_boot_table_init');
  it.kernel.state.madt = { apicIds: [0, 1, 2], lapicAddress: LOCAL_APIC_BASE };
  return it;
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
