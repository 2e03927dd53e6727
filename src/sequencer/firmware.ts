/** From a scenario to its firmware: which tables, for which machine. */
import { efiFirmware } from '../firmware/efi/firmware.js';
import type { E820Range, Firmware, Thing } from '../firmware/placed.js';
import { e820Of, ramSizes } from './memory-layout.js';
import type { Scenario } from './scenario.js';

type Type = Scenario['firmware']['type'];

const MAKE: Readonly<
  Record<Type, (scenario: Scenario, e820: readonly E820Range[] | undefined) => Firmware>
> = {
  bios: (scenario, e820 = e820Of(scenario)) => {
    const things: Thing[] = [];
    return { regions: [], things, handOver: () => ({ e820, things: [] }) };
  },
  efi: (scenario) => efiFirmware(ramSizes(scenario), [], []),
};

/** The firmware of a scenario, with everything that it leaves in memory; `e820` is another map for a BIOS to give. */
export function firmwareOf(scenario: Scenario, e820?: readonly E820Range[]): Firmware {
  return MAKE[scenario.firmware.type](scenario, e820);
}
