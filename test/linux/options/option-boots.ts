/** Pairs of boots that differ in their command line, for tests of options. */
import type { Boot, BootOptions } from '../../../src/sequencer/boot.js';
import type { Trace } from '../../../src/trace/trace.js';
import { boot, scenario } from '../../helpers.js';

/** The word that the command line of each of these boots begins with. */
export const LINE = 'console=tty0';
export const ON = 'mem_encrypt=on';

/** A boot of a shipped scenario with words added to its command line; it has not run. */
export function withLine(
  words: string,
  name = 'bios-minimal',
  settings: readonly string[] = [],
  options: Partial<BootOptions> = {},
): Boot {
  return boot({
    stage: 0,
    scenario: scenario(name, ...settings, `cmdline=${LINE} ${words}`.trim()),
    ...options,
  });
}

/** All that a boot printed so far. */
export function printedBy(b: Boot): string[] {
  return b.kernel.state.console.printk.log;
}

/** Lines that one boot printed and another did not, except the command line itself. */
export function onlyIn(one: Boot, other: Boot): string[] {
  const printed = new Set(printedBy(other));
  return printedBy(one).filter((line) => !printed.has(line) && !line.startsWith('Command line:'));
}

/** Events of a kind in a step. */
export function eventsOf(
  trace: Trace,
  label: string,
  kind: string,
): Readonly<Record<string, unknown>>[] {
  const events = trace.steps.find((step) => step.label === label)?.events ?? [];
  return events.filter((event) => kind in event);
}

/** Runs a boot to a label and returns it. */
export function upTo(label: string, b: Boot): Boot {
  b.runTo(label);
  return b;
}
