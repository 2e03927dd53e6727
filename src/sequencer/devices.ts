/** From a scenario to the devices of its machine. */
import type { UpstreamPort } from '../machine/bus.js';
import { DmaDevice } from '../machine/dma-device.js';
import type { Machine } from '../machine/machine.js';
import { VgaAdapter } from '../machine/vga.js';
import type { Scenario } from './scenario.js';

type ScenarioDevice = Scenario['machine']['devices'][number];

/** Bus number of the first device: each stands alone behind a port of its own, at device 0, function 0 (our choice). */
const FIRST_BUS = 1;

/** Whether firmware set SYSCFG[23], CPU by CPU. */
export function syscfgOf({ machine, firmware }: Scenario): boolean[] {
  const { syscfgMemEncrypt: bsp, syscfgMemEncryptOnAps: aps = bsp } = firmware;
  return Array.from({ length: machine.cpus }, (_, cpu) => (cpu === 0 ? bsp : aps));
}

/** Puts a scenario's devices on the bus, always in the same order. */
export function attachDevices(machine: Machine, scenario: Scenario): void {
  if (scenario.machine.vga) machine.attach(new VgaAdapter()).setTextMode();
  scenario.machine.devices.forEach((device, index) => {
    machine.attach(
      new DmaDevice({
        name: device.name,
        addressBits: device.dmaMask,
        requester: (FIRST_BUS + index) << 8,
        upstream: upstreamOf(machine, device),
      }),
    );
  });
}

/** Where a device's requests go. */
function upstreamOf(machine: Machine, _device: ScenarioDevice): UpstreamPort {
  return machine.hostBridge;
}
