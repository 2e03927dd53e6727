/** Makes the parts of a scenario's machine from a log's facts, each with a remark about its source. */
import { canEncrypt, cBitOf, chooseCpu } from './dmesg-cpu.js';
import type { DeviceFact, DmesgFacts } from './dmesg-facts.js';
import { usableBytes } from './from-dmesg-notes.js';
import type { Remarks } from './remarks.js';

/** Most CPUs of a scenario, and most devices behind its IOMMU. */
const MAX_CPUS = 8;
const MAX_DEVICES = 3;
const RAM_MIN = 64 * 2 ** 20;
const PAGE = 4096;

/** The processor, and whether it supports SME. */
export function processorOf(
  facts: DmesgFacts,
  remarks: Remarks,
): { cpu: string; encrypts: boolean } {
  const { cpu, because, guess } = chooseCpu(facts);
  const encrypts = canEncrypt(cpu);
  if (guess === undefined) remarks.read(`machine.cpu: ${cpu} for ${because}`, 'cpu');
  else remarks.guessed(`machine.cpu: ${cpu} for ${because}; ${guess}`);
  if (encrypts) remarks.guessed(`machine.sme: not in a log; ${cBitOf(cpu)}`);
  return { cpu, encrypts };
}

/** The number of CPUs. */
export function cpusOf({ cpus, counts = {} }: DmesgFacts, remarks: Remarks): number {
  if (cpus === undefined) {
    remarks.guessed('machine.cpus: not in the log; 1');
    return 1;
  }
  const { possible, up } = counts;
  const also = [
    ...(possible !== undefined && possible > cpus ? [`${String(possible)} possible`] : []),
    ...(up !== undefined && up !== cpus ? [`${String(up)} came up`] : []),
  ];
  const text = also.length === 0 ? '' : `; ${also.join(', ')}`;
  const fact = counts.present === undefined ? 'cpus up' : 'cpus';
  if (cpus <= MAX_CPUS) remarks.read(`machine.cpus: ${String(cpus)}${text}`, fact);
  else {
    remarks.read(
      `machine.cpus: ${String(MAX_CPUS)} of ${String(cpus)}, the most that can be simulated${text}`,
      fact,
    );
  }
  return Math.min(cpus, MAX_CPUS);
}

/** Bytes of RAM. */
export function ramOf({ e820 }: DmesgFacts, remarks: Remarks): number {
  const usable = Math.floor(usableBytes(e820) / PAGE) * PAGE;
  if (usable >= RAM_MIN) {
    remarks.guessed('machine.ram: the sum of the usable ranges, in whole pages');
    return usable;
  }
  remarks.guessed(
    `machine.ram: 64 MiB, the minimum of a scenario; the map has ${String(usable)} usable bytes`,
  );
  return RAM_MIN;
}

/** Whether the machine has a VGA in text mode. */
export function vgaOf({ console: found, efi }: DmesgFacts, remarks: Remarks): boolean {
  if (found !== undefined) {
    const vga = found.startsWith('VGA');
    remarks.read(`machine.vga: ${String(vga)}, since the console is "colour ${found}"`, 'console');
    return vga;
  }
  remarks.guessed(`machine.vga: ${String(!efi)}, as is usual with ${efi ? 'EFI' : 'a BIOS'}`);
  return !efi;
}

/** Whether the machine has an AMD IOMMU. */
export function iommuOf({ iommu }: DmesgFacts, cpu: string, remarks: Remarks): boolean {
  if (iommu === undefined) {
    if (canEncrypt(cpu))
      remarks.guessed('machine.iommu: false, since no line mentions AMD-Vi or IVRS');
    return false;
  }
  remarks.read(`machine.iommu: "${iommu}"`, 'iommu');
  return true;
}

/** Devices with a known address width: one per driver, the narrowest ones if there are too many. */
export function devicesOf(
  { devices = [] }: DmesgFacts,
  iommu: boolean,
  remarks: Remarks,
): { name: string; dmaMask: number; iommu?: boolean }[] {
  const narrow = [...devices].sort((a, b) => a.bits - b.bits);
  const used = new Set<DeviceFact>(narrow.slice(0, MAX_DEVICES));
  for (const { driver, bits } of devices.filter((device) => !used.has(device))) {
    remarks.unused(
      `${driver}, ${String(bits)}-bit DMA addresses: a scenario from a log has at most ${String(MAX_DEVICES)} devices`,
    );
  }
  return devices
    .filter((device) => used.has(device))
    .map(({ driver, bits }) => {
      remarks.read(
        `machine.devices: ${driver}, ${String(bits)}-bit DMA addresses`,
        `device ${driver}`,
      );
      return { name: driver, dmaMask: bits, ...(iommu && { iommu }) };
    });
}

/** SYSCFG[23], on a processor that has it. */
export function syscfgOf(facts: DmesgFacts, remarks: Remarks): { syscfgMemEncrypt: boolean } {
  const { encryption = '', syscfg } = facts;
  if (/\bSME\b/.test(encryption)) {
    remarks.read(
      'firmware.syscfgMemEncrypt: set, since the log reports SME as active',
      'encryption',
    );
  } else if (syscfg !== undefined) {
    remarks.read(`firmware.syscfgMemEncrypt: set, since "${syscfg}" requires it`, 'syscfg');
  } else {
    remarks.guessed(
      'firmware.syscfgMemEncrypt: not in a log; set on each CPU, as by the firmware setup option',
    );
    if (/(?:^|\s)mem_encrypt=on/.test(facts.commandLine ?? '')) {
      remarks.note(
        'mem_encrypt=on is on the command line but no line reports SME as active: firmware may have left SYSCFG[23] clear',
      );
    }
  }
  return { syscfgMemEncrypt: true };
}
