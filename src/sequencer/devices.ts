/** From a scenario to the devices of its machine. */
import type { Machine } from '../machine/machine.js';
import type { Scenario } from './scenario.js';

/** Whether firmware set SYSCFG[23], CPU by CPU. */
export function syscfgOf({ machine, firmware }: Scenario): boolean[] {
  const { syscfgMemEncrypt: bsp, syscfgMemEncryptOnAps: aps = bsp } = firmware;
  return Array.from({ length: machine.cpus }, (_, cpu) => (cpu === 0 ? bsp : aps));
}

/** Puts a scenario's devices on the bus, always in the same order. */
export function attachDevices(_machine: Machine, _scenario: Scenario): void {
  // Devices are attached here.
}
