/** Boots of a machine with an IOMMU and with the IVRS at an address where the kernel can read it. */
import { ivrs } from '../../../../src/firmware/acpi/ivrs.js';
import { pa } from '../../../../src/machine/address.js';
import { AmdIommu } from '../../../../src/machine/iommu/amd-iommu.js';
import type { KernelDevice } from '../../../../src/linux/include/linux/dma-mapping/dma_map_ops.js';
import type { Boot } from '../../../../src/sequencer/boot.js';
import type { Trace } from '../../../../src/trace/trace.js';
import { boot, scenario } from '../../../helpers.js';

/** A page of the EBDA: reserved, and below the ISA range. */
const IVRS_AT = 0x9_e800;

/** A machine with a BIOS and one device, behind the IOMMU; its IVRS is in the EBDA. */
export function iommuBoot(stage: number, activate: boolean, ...settings: string[]): Boot {
  const subject = boot({
    scenario: scenario(
      'epyc-efi',
      'firmware.type="bios"',
      'firmware.lowmemKilobytes=632',
      'machine.ram="256MiB"',
      'machine.cpus=1',
      'machine.devices=[{"name":"nic","dmaMask":64,"iommu":true}]',
      'loader.deviceTree=false',
      'guest=false',
      ...settings,
    ),
    stage,
    activate,
  });
  subject.runTo('acpi_boot_table_init');
  const table = ivrs();
  subject.machine.dmaWrite(pa(IVRS_AT), table);
  subject.kernel.state.acpi.tables['IVRS'] = { address: IVRS_AT, length: table.length, pointer: 0 };
  return subject;
}

/** The machine's IOMMU. */
export function iommuOf({ machine }: Boot): AmdIommu {
  const found = machine.bus.all.find((one) => one instanceof AmdIommu);
  if (!(found instanceof AmdIommu)) throw new Error('there is no IOMMU');
  return found;
}

/** The kernel's device for the NIC behind the IOMMU. */
export function nicOf({ kernel }: Boot): KernelDevice {
  const found = kernel.state.devices.find(({ name }) => name === 'nic');
  if (found === undefined) throw new Error('there is no nic');
  return found;
}

/** Lines that the kernel printed in a step, with their repeat counts. */
export function consoleOf(trace: Trace, label: string): [string, number][] {
  const step = trace.steps.find((one) => one.label === label);
  return (step?.events ?? []).flatMap((event): [string, number][] => {
    const { console: text, n = 1 } = event as { console?: unknown; n?: number };
    return typeof text === 'string' ? [[text, n]] : [];
  });
}
