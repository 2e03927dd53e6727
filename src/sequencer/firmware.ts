/** From a scenario to its firmware: which tables, for which machine. */
import { efiFirmware } from '../firmware/efi/firmware.js';
import type { Firmware, Thing } from '../firmware/placed.js';
import { e820Of, ramSizes } from './memory-layout.js';
import type { Scenario } from './scenario.js';

type Type = Scenario['firmware']['type'];

const MAKE: Readonly<Record<Type, (scenario: Scenario) => Firmware>> = {
  bios: (scenario) => {
    const things: Thing[] = [];
    return { regions: [], things, handOver: () => ({ e820: e820Of(scenario), things: [] }) };
  },
  efi: (scenario) => efiFirmware(ramSizes(scenario), [], []),
};

/** The firmware of a scenario, with everything that it leaves in memory. */
export function firmwareOf(scenario: Scenario): Firmware {
  return MAKE[scenario.firmware.type](scenario);
}
