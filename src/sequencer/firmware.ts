/** From a scenario to its firmware: which tables, for which machine. */
import { efiFirmware, type EfiMachine } from '../firmware/efi/firmware.js';
import { givenMap } from '../firmware/efi/given-map.js';
import type { Firmware, Thing } from '../firmware/placed.js';
import { e820Of, ramSizes } from './memory-layout.js';
import type { Scenario } from './scenario.js';

type Type = Scenario['firmware']['type'];

const MAKE: Readonly<Record<Type, (scenario: Scenario) => Firmware>> = {
  bios: (scenario) => {
    const things: Thing[] = [];
    return { regions: [], things, handOver: () => ({ e820: e820Of(scenario), things: [] }) };
  },
  efi: (scenario) => efiFirmware(efiMachine(scenario), [], []),
};

/** The machine as its EFI firmware sees it. */
function efiMachine(scenario: Scenario): EfiMachine {
  const { e820, efiMemoryMap } = scenario.firmware;
  if (e820 === undefined) return ramSizes(scenario);
  const ranges = efiMemoryMap?.map(({ start, end, type, runtime }) => ({
    base: start,
    size: end - start + 1,
    type,
    runtime,
  }));
  const given = givenMap(e820Of(scenario), ranges);
  return { lowTop: given.lowTop, highSize: 0, given };
}

/** The firmware of a scenario, with everything that it leaves in memory. */
export function firmwareOf(scenario: Scenario): Firmware {
  return MAKE[scenario.firmware.type](scenario);
}
