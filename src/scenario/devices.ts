/** Attaches the devices of a scenario to its machine. */
import { IOMMU_DEVICE_ID, IOMMU_MMIO_BASE } from '../firmware/acpi/ivrs.js';
import { AmdIommu } from '../machine/iommu/amd-iommu.js';
import { hex } from '../machine/address.js';
import { BAR_SIZE, DmaDevice } from '../machine/devices/dma-device.js';
import { LocalApic } from '../machine/devices/local-apic.js';
import type { Machine } from '../machine/machine.js';
import { VgaAdapter } from '../machine/devices/vga.js';
import { InputError } from '../base/errors.js';
import type { Scenario } from './scenario.js';

/** Base address of the IOMMU's registers, and its bus, device and function, as in the firmware's IVRS. */
export const IOMMU = { base: IOMMU_MMIO_BASE, requester: IOMMU_DEVICE_ID } as const;
/**
 * Bus numbers (our choice): devices behind the IOMMU are on the buses that the IVRS lists, others on higher ones. Each
 * device has a separate port and is at device 0, function 0.
 */
const FIRST_BUS = { behind: 1, bypassing: 4 } as const;

/** Whether firmware set SYSCFG[23], for each CPU. */
export function syscfgOf({ machine, firmware }: Scenario): boolean[] {
  const { syscfgMemEncrypt: bsp, syscfgMemEncryptOnAps: aps = bsp } = firmware;
  return Array.from({ length: machine.cpus }, (_, cpu) => (cpu === 0 ? bsp : aps));
}

/** Checks a BAR: page-aligned, below MAXPHYADDR, outside RAM. Throws E_BAR. */
function checkedBar(machine: Machine, bar: number, index: number): number {
  const end = 2 ** machine.config.model.physAddrBits;
  const aligned = bar % BAR_SIZE === 0 && bar > 0;
  if (aligned && bar + BAR_SIZE <= end && !machine.dram.has(bar)) return bar;
  throw new InputError({
    code: 'E_BAR',
    place: { path: `machine.devices.${String(index)}.bar` },
    reason: "invalid address for the device's registers",
    expected: `a multiple of ${hex(BAR_SIZE)} below ${hex(end)}, outside RAM`,
    found: hex(bar),
  });
}

/** Attaches a scenario's devices to the bus, in a fixed order. Throws E_DEVICES for too many behind the IOMMU. */
export function attachDevices(machine: Machine, scenario: Scenario): void {
  if (scenario.machine.vga) machine.attach(new VgaAdapter()).setTextMode();
  const { hostBridge } = machine;
  const iommu = scenario.machine.iommu
    ? machine.attach(new AmdIommu({ ...IOMMU, upstream: hostBridge, probes: machine.probes }))
    : undefined;
  const next = { ...FIRST_BUS } as { behind: number; bypassing: number };
  for (const [index, device] of scenario.machine.devices.entries()) {
    const side = device.iommu ? 'behind' : 'bypassing';
    const bus = next[side]++;
    if (side === 'behind' && bus >= FIRST_BUS.bypassing) {
      throw new InputError({
        code: 'E_DEVICES',
        place: { path: 'machine.devices' },
        reason: 'too many devices behind the IOMMU',
        expected: `at most ${String(FIRST_BUS.bypassing - FIRST_BUS.behind)}`,
        found: device.name,
      });
    }
    machine.attach(
      new DmaDevice({
        name: device.name,
        addressBits: device.dmaMask,
        requester: bus << 8,
        ...(device.bar !== undefined && { bar: checkedBar(machine, device.bar, index) }),
        upstream: device.iommu ? (iommu ?? hostBridge) : hostBridge,
      }),
    );
  }
  machine.attach(new LocalApic(machine.cpus));
}
