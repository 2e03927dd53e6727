/** The firmware of a scenario: its tables, for the scenario's machine. */
import { biosFirmware } from '../firmware/bios.js';
import { efiFirmware, type EfiMachine } from '../firmware/efi/firmware.js';
import { givenMap } from '../firmware/efi/given-map.js';
import type { Firmware, MachineDescription } from '../firmware/placed.js';
import { signature } from '../machine/cpu/cpuid.js';
import { cpuModelOf, e820Of, ramSizes } from './memory-layout.js';
import type { Scenario } from './scenario.js';

type Type = Scenario['firmware']['type'];

const MAKE: Readonly<Record<Type, (scenario: Scenario, machine: MachineDescription) => Firmware>> =
  {
    bios: (scenario, machine) => biosFirmware(machine, e820Of(scenario)),
    efi: (scenario, machine) => efiFirmware(efiMachine(scenario), machine),
  };

/** The machine's description for its EFI firmware. Throws E_EFI_RAM and E_EFI_PAGES. */
export function efiMachine(scenario: Scenario): EfiMachine {
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

/** The firmware of a scenario, with all data that it leaves in memory. */
export function firmwareOf(scenario: Scenario): Firmware {
  const model = cpuModelOf(scenario);
  const { ram, cpus, iommu } = scenario.machine;
  const processor = { name: model.name, vendor: model.vendor, signature: signature(model) };
  const { type, acpi = true, madt = true, mpTable = true } = scenario.firmware;
  const tables = { acpi, madt, mp: mpTable };
  return MAKE[type](scenario, { ram, cpus, iommu, processor, tables });
}
