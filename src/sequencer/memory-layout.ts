/** From a scenario's sizes to addresses: where RAM is, what the firmware's map says, where the initrd goes. */
import { alignDown } from '../machine/address.js';
import { CPU_MODELS } from '../machine/cpu-models.js';
import type { CpuModel } from '../machine/cpuid.js';
import type { DramRange } from '../machine/dram.js';
import type { E820Range } from '../firmware/placed.js';
import { efiPlaces } from '../firmware/efi/places.js';
import { InputError } from '../trace/errors.js';
import type { Scenario } from './scenario.js';

const GIB = 2 ** 30;
/** RAM below this stays there; the rest goes above 4 GiB (our choice: a 1 GiB hole for MMIO). */
const LOW_LIMIT = 3 * GIB;
const HIGH_BASE = 4 * GIB;
const VGA_HOLE = 0xa_0000;
const ROM_START = 0xc_0000;
const BIOS_ROM = 0xf_0000;
const MIB = 0x10_0000;
/** The highest address that a loader may put the initrd at (boot protocol, initrd_addr_max). */
const INITRD_ADDR_MAX = 0x7fff_ffff;
const RAM = 1;
const RESERVED = 2;

/** The processor of a scenario, with its overrides. */
export function cpuModelOf(scenario: Scenario): CpuModel {
  const model = CPU_MODELS[scenario.machine.cpu];
  if (model === undefined) {
    throw new InputError({
      code: 'E_CPU',
      place: { path: 'machine.cpu' },
      expected: Object.keys(CPU_MODELS).join(', '),
      found: scenario.machine.cpu,
    });
  }
  const override = scenario.machine.sme;
  if (override === undefined) return model;
  if (model.sme === undefined) {
    throw new InputError({
      code: 'E_SME',
      place: { path: 'machine.sme' },
      reason: `${scenario.machine.cpu} has no memory encryption to change`,
    });
  }
  return { ...model, sme: { ...model.sme, ...override } };
}

/** Stretches where DRAM answers. Refuses RAM that the processor cannot address. */
export function ramOf(scenario: Scenario, model: CpuModel): DramRange[] {
  const { ram } = scenario.machine;
  const low = Math.min(ram, LOW_LIMIT);
  const high = ram - low;
  const top = high > 0 ? HIGH_BASE + high : low;
  const bits = model.physAddrBits - (model.sme?.reduction ?? 0);
  if (top > 2 ** bits) {
    throw new InputError({
      code: 'E_RAM_TOO_LARGE',
      place: { path: 'machine.ram' },
      reason: `RAM ends above what ${String(bits)} physical address bits reach`,
      expected: `at most ${String((2 ** bits - (HIGH_BASE - LOW_LIMIT)) / GIB)} GiB`,
      found: `${String(ram / GIB)} GiB`,
    });
  }
  return [
    { base: 0, size: VGA_HOLE },
    { base: ROM_START, size: low - ROM_START },
    ...(high > 0 ? [{ base: HIGH_BASE, size: high }] : []),
  ];
}

/** RAM below and above 4 GiB, in bytes. */
export function ramSizes({ machine: { ram } }: Scenario): { lowTop: number; highSize: number } {
  const lowTop = Math.min(ram, LOW_LIMIT);
  return { lowTop, highSize: ram - lowTop };
}

/** The memory map that a BIOS gives. */
export function e820Of(scenario: Scenario): E820Range[] {
  const { ram } = scenario.machine;
  const low = Math.min(ram, LOW_LIMIT);
  const high = ram - low;
  const ebda = scenario.firmware.lowmemKilobytes * 1024;
  return [
    { base: 0, size: ebda, type: RAM },
    ...(ebda < VGA_HOLE ? [{ base: ebda, size: VGA_HOLE - ebda, type: RESERVED }] : []),
    { base: BIOS_ROM, size: MIB - BIOS_ROM, type: RESERVED },
    { base: MIB, size: low - MIB, type: RAM },
    ...(high > 0 ? [{ base: HIGH_BASE, size: high, type: RAM }] : []),
  ];
}

/** Where the loader puts the initrd: as high as it may and firmware leaves room, page aligned. */
export function initrdPlace(scenario: Scenario, size: number): number {
  if (scenario.loader.initrdAt !== undefined) return scenario.loader.initrdAt;
  const { lowTop } = ramSizes(scenario);
  const free = scenario.firmware.type === 'efi' ? efiPlaces(lowTop).window : lowTop;
  return alignDown(Math.min(free, INITRD_ADDR_MAX + 1) - size, 4096);
}
