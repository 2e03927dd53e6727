/** The device tree that the loader passes: a few devices of a board that ACPI does not describe (our choice). */
import type { FdtNode } from './fdt.js';

/** The device tree of a machine with `cpus` CPUs. */
export function boardTree(cpus: number): FdtNode {
  return {
    name: '',
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      model: 'sme-boot board',
      compatible: ['sme-boot,board', 'simple-bus'],
    },
    children: [
      {
        name: 'cpus',
        properties: { '#address-cells': [1], '#size-cells': [0] },
        children: Array.from({ length: cpus }, (_, cpu) => ({
          name: `cpu@${cpu.toString(16)}`,
          properties: { device_type: 'cpu', compatible: 'amd,zen', reg: [cpu] },
        })),
      },
      {
        name: 'i2c-mux',
        properties: { compatible: 'nxp,pca9548', '#address-cells': [1], '#size-cells': [0] },
        children: Array.from({ length: 8 }, (_, bus) => ({
          name: `i2c@${bus.toString(16)}`,
          properties: { reg: [bus] },
          children: [
            {
              name: 'sensor@48',
              properties: { compatible: 'ti,tmp75', reg: [0x48], label: `inlet ${String(bus)}` },
            },
          ],
        })),
      },
      {
        name: 'leds',
        properties: { compatible: 'gpio-leds' },
        children: [
          {
            name: 'fault',
            properties: { label: 'chassis:red:fault', 'default-state': 'off', panic: null },
          },
        ],
      },
    ],
  };
}
