/** Addresses of a scenario: RAM ranges, the firmware's memory map, the initrd. */
import { own } from '../base/own.js';
import { alignDown, hex, PAGE_SIZE } from '../machine/address.js';
import { CPU_MODELS } from '../machine/cpu/cpu-models.js';
import { checkModel, type CpuModel } from '../machine/cpu/cpuid.js';
import type { DramRange } from '../machine/memory/dram.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { stubEnd, type Stub } from '../firmware/image/stub.js';
import type { E820Range } from '../firmware/placed.js';
import { givenMap } from '../firmware/efi/given-map.js';
import { efiPlaces } from '../firmware/efi/places.js';
import { InputError } from '../base/errors.js';
import { E820_TYPE_NAMES, type Scenario } from './scenario.js';

const GIB = 2 ** 30;
/** RAM beyond this size is above 4 GiB (our choice: a 1 GiB hole for MMIO). */
const LOW_LIMIT = 3 * GIB;
const HIGH_BASE = 4 * GIB;
const VGA_HOLE = 0xa_0000;
const ROM_START = 0xc_0000;
const BIOS_ROM = 0xf_0000;
const MIB = 0x10_0000;
/** The highest address of the initrd's bytes (boot protocol, initrd_addr_max). */
const INITRD_ADDR_MAX = 0x7fff_ffff;
const RAM = 1;
const RESERVED = 2;

/** The processor of a scenario, with its overrides. Throws E_CPU, and E_SME and E_CPU_MODEL for invalid overrides. */
export function cpuModelOf(scenario: Scenario): CpuModel {
  const model = own(CPU_MODELS, scenario.machine.cpu);
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
      reason: `${scenario.machine.cpu} has no memory encryption`,
      expected: 'a processor with memory encryption',
      found: scenario.machine.cpu,
    });
  }
  const changed = { ...model, sme: { ...model.sme, ...override } };
  checkModel(changed, 'machine');
  return changed;
}

/**
 * DRAM ranges of a machine with a given memory map: from 0 to the end of the last range below 4 GiB that is not just
 * reserved, and from 4 GiB to the end of the last one above (our choice: reserved ranges in between are DRAM taken by
 * firmware, reserved ranges beyond are MMIO).
 */
function ramOfMap(map: NonNullable<Scenario['firmware']['e820']>): DramRange[] {
  const memory = map.filter(({ type }) => type !== 'reserved' && type !== 'unusable');
  const endOf = (from: number, to: number): number =>
    memory
      .filter(({ start, end }) => start < to && end >= from)
      .reduce((top, { end }) => Math.max(top, Math.min(end + 1, to)), from);
  const low = alignDown(endOf(0, HIGH_BASE), PAGE_SIZE);
  const high = alignDown(endOf(HIGH_BASE, Number.MAX_SAFE_INTEGER), PAGE_SIZE);
  return [
    { base: 0, size: Math.min(low, VGA_HOLE) },
    ...(low > ROM_START ? [{ base: ROM_START, size: low - ROM_START }] : []),
    ...(high > HIGH_BASE ? [{ base: HIGH_BASE, size: high - HIGH_BASE }] : []),
  ];
}

/**
 * Physical address bits for memory when the kernel is entered. The reduction applies only if SYSCFG[23] is set (APM
 * 7.10.1): firmware that has not set it may have RAM above the reduced limit.
 */
function addressBits({ firmware }: Scenario, model: CpuModel): { bits: number; why: string } {
  const reduction = firmware.syscfgMemEncrypt ? (model.sme?.reduction ?? 0) : 0;
  const bits = model.physAddrBits - reduction;
  if (reduction === 0) return { bits, why: `${bits} physical address bits` };
  const all = `${bits} physical address bits: firmware has set SYSCFG[23], which reduces`;
  return { bits, why: `${all} ${model.physAddrBits} by ${reduction}` };
}

/** DRAM ranges. Throws E_RAM_TOO_LARGE for RAM that the processor cannot address. */
export function ramOf(scenario: Scenario, model: CpuModel): DramRange[] {
  const ranges = rangesOf(scenario);
  const top = ranges.reduce((end, { base, size }) => Math.max(end, base + size), 0);
  const { bits, why } = addressBits(scenario, model);
  if (top > 2 ** bits) {
    const given = scenario.firmware.e820 !== undefined;
    throw new InputError({
      code: 'E_RAM_TOO_LARGE',
      place: { path: given ? 'firmware.e820' : 'machine.ram' },
      reason: `RAM ends above what can be addressed with ${why}`,
      expected: given
        ? `an end of at most ${hex(2 ** bits)}`
        : `at most ${String((2 ** bits - (HIGH_BASE - LOW_LIMIT)) / GIB)} GiB`,
      found: given ? hex(top) : `${String(scenario.machine.ram / GIB)} GiB`,
    });
  }
  return ranges;
}

function rangesOf(scenario: Scenario): DramRange[] {
  if (scenario.firmware.e820 !== undefined) return ramOfMap(scenario.firmware.e820);
  const { ram } = scenario.machine;
  const low = Math.min(ram, LOW_LIMIT);
  const high = ram - low;
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

/** The memory map of a BIOS (INT 15h, E820h). */
export function e820Of(scenario: Scenario): E820Range[] {
  if (scenario.firmware.e820 !== undefined) {
    return scenario.firmware.e820.map(({ start, end, type }) => ({
      base: start,
      size: end - start + 1,
      type: E820_TYPE_NAMES[type],
    }));
  }
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

/** Start of EFI firmware's own memory; Infinity without EFI. */
function firmwareWindow(scenario: Scenario): number {
  if (scenario.firmware.type !== 'efi') return Infinity;
  const { lowTop } =
    scenario.firmware.e820 === undefined
      ? ramSizes(scenario)
      : givenMap(e820Of(scenario), undefined);
  return efiPlaces(lowTop).window;
}

/** A range of memory; `end` is exclusive. */
interface Room {
  readonly base: number;
  readonly end: number;
}

/** The range of a loaded kernel image. */
export function kernelRoom({ segments }: KernelImage, kernelAt?: number): Room {
  const first = segments.reduce((min, { paddr }) => Math.min(min, paddr), Infinity);
  const last = segments.reduce((max, { paddr, memsz }) => Math.max(max, paddr + memsz), 0);
  const base = kernelAt ?? first;
  return { base, end: base + last - first };
}

/** The range of memory that a loaded stub takes, with its buffers and the kernel that it unpacks. */
export function stubRoom(stub: Stub, kernelAt = stub.preferred): Room {
  return { base: kernelAt, end: stubEnd(stub, kernelAt) };
}

/** Bytes of a range, in whole pages. */
const roomOf = ({ base, end }: Room): number => Math.max(0, alignDown(end - base, PAGE_SIZE));

/** A range without another one. */
function without(room: Room, { base, end }: Room): Room[] {
  if (end <= room.base || base >= room.end) return [room];
  return [
    { base: room.base, end: base },
    { base: end, end: room.end },
  ].filter((part) => part.base < part.end);
}

/**
 * The address of the initrd: the highest page-aligned one below the limit, the firmware's memory, and outside the kernel.
 * Throws E_INITRD_PLACE if no range of memory is large enough.
 */
export function initrdPlace(
  scenario: Scenario,
  size: number,
  kernel: Room = { base: 0, end: 0 },
): number {
  if (scenario.loader.initrdAt !== undefined) return scenario.loader.initrdAt;
  const limit = Math.min(firmwareWindow(scenario), INITRD_ADDR_MAX + 1);
  const rooms = e820Of(scenario)
    .filter(({ type }) => type === RAM)
    .map(({ base, size: room }) => ({ base, end: Math.min(base + room, limit) }))
    .flatMap((room) => without(room, kernel));
  const places = rooms
    .map(({ base, end }) => ({ base, at: alignDown(end - size, PAGE_SIZE) }))
    .filter(({ base, at }) => at >= base);
  const highest = places.reduce((best, { at }) => Math.max(best, at), -1);
  if (highest >= 0) return highest;
  const largest = rooms.reduce((best, room) => (roomOf(room) > roomOf(best) ? room : best), {
    base: 0,
    end: 0,
  });
  throw new InputError({
    code: 'E_INITRD_PLACE',
    place: { path: 'loader.initrdAt' },
    reason: `usable memory below ${hex(limit)} has no room for the initrd`,
    expected: `at most ${String(roomOf(largest))} bytes, the size of the largest range (${hex(largest.base)} to ${hex(largest.end - 1)})`,
    found: `${String(size)} bytes`,
  });
}
