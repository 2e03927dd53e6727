/** A scenario from a kernel log. What the log lacks is filled with defaults, each of which is said. */
import { InputError } from '../trace/errors.js';
import { canEncrypt, cBitOf, chooseCpu } from './dmesg-cpu.js';
import type { DeviceFact, DmesgFacts, Extent } from './dmesg-facts.js';
import { commandLineOf } from './from-dmesg-cmdline.js';
import { hasRoomForEfi, placesOf } from './from-dmesg-places.js';
import { plain } from './log-text.js';
import { plural, Remarks, type Remark } from './remarks.js';

/** A scenario's data as its file has it, and remarks: what was read, what was guessed, what was not used. */
export interface DraftScenario {
  readonly data: Readonly<Record<string, unknown>>;
  readonly remarks: readonly Remark[];
}

export interface DraftOptions {
  readonly name: string;
  /** Leave the command line as it was logged, and do not ask for encryption. */
  readonly asLogged: boolean;
}

/** CPUs that a scenario may have, and devices that its IOMMU has room for. */
const MAX_CPUS = 8;
const MAX_DEVICES = 3;
const RAM_MIN = 64 * 2 ** 20;
const PAGE = 4096;
const RANGES_MIN = 2;
/** E820_MAX_ENTRIES with 1,024 nodes (arch/x86/include/asm/e820/types.h). */
const RANGES_MAX = 3200;
const SHOWN = 8;

const bytesOf = (ranges: readonly Extent[]): number =>
  ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0);

/** Makes a scenario of what a log says. Throws E_DMESG where it has no memory map that can be used. */
export function draftScenario(given: DmesgFacts, options: DraftOptions): DraftScenario {
  checkMap(given);
  const remarks = new Remarks(given.at, given.boot?.unit);
  const facts = withFirmware(given, remarks);
  describeLog(facts, remarks);
  const { cpu, encrypts } = processorOf(facts, remarks);
  const cpus = cpusOf(facts, remarks);
  describeMap(facts, remarks);
  const vga = vgaOf(facts, remarks);
  const iommu = iommuOf(facts, cpu, remarks);
  const devices = devicesOf(facts, iommu, remarks);
  const syscfg = encrypts ? syscfgOf(facts, remarks) : {};
  const loader = placesOf(facts, remarks);
  const cmdline = commandLineOf(facts, options.asLogged, remarks);
  for (const { what, line } of facts.unused ?? []) remarks.unused(what, line);
  const data = {
    name: options.name,
    title: plain(facts.dmi ?? 'a machine from a kernel log'),
    machine: {
      cpu,
      ram: ramOf(facts, remarks),
      cpus,
      ...(vga && { vga }),
      ...(iommu && { iommu }),
      ...(devices.length > 0 && { devices }),
    },
    firmware: {
      type: facts.efi ? 'efi' : 'bios',
      ...syscfg,
      e820: facts.e820,
      ...(facts.efiMemoryMap.length === 0 ? {} : { efiMemoryMap: facts.efiMemoryMap }),
    },
    loader,
    cmdline,
  };
  return { data, remarks: remarks.list };
}

/** Refuses a log without a map, one whose map is broken, and a map that is not the machine's. */
function checkMap(facts: DmesgFacts): void {
  const { e820, broken = [], xenRanges = 0, boot, otherMachine } = facts;
  const [first] = broken;
  if (first !== undefined) {
    const numbers = broken.slice(0, SHOWN).map(({ no }) => String(no));
    const more = broken.length > SHOWN ? ', …' : '';
    throw new InputError({
      code: 'E_DMESG',
      place: boot?.unit === 'entry' ? {} : { line: first.no },
      reason: `${String(broken.length)} lines of the memory map are broken (${boot?.unit ?? 'line'} ${numbers.join(', ')}${more})`,
      expected: 'lines like "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable"',
      found: JSON.stringify(plain(first.text.slice(0, 120))),
    });
  }
  if (e820.length > RANGES_MAX) {
    throw new InputError({
      code: 'E_DMESG',
      reason: 'the memory map has more ranges than a kernel can hold',
      expected: `at most ${String(RANGES_MAX)}`,
      found: String(e820.length),
    });
  }
  if (e820.length >= RANGES_MIN) return;
  if (otherMachine !== undefined) {
    throw new InputError({
      code: 'E_DMESG',
      reason: 'the log is not of an x86 machine',
      found: JSON.stringify(otherMachine),
    });
  }
  if (xenRanges > 0) {
    throw new InputError({
      code: 'E_DMESG',
      reason: "a Xen guest's map: the machine's is not in the log",
      expected:
        'the lines "(XEN)" of the serial console or of xl dmesg, or a log of the machine without Xen',
      found: `${String(xenRanges)} lines "Xen: [mem ...]"`,
    });
  }
  throw new InputError({
    code: 'E_DMESG',
    reason: 'the log has no memory map',
    expected: 'lines like "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable"',
    found: `${String(e820.length)} of them`,
  });
}

/** On an EFI machine too small for the simulated firmware, a BIOS takes its place. */
function withFirmware(facts: DmesgFacts, remarks: Remarks): DmesgFacts {
  if (!facts.efi || hasRoomForEfi(facts)) return facts;
  remarks.guessed(
    'firmware.type: bios, though the log is of EFI: its memory has no room for the simulated EFI firmware',
  );
  return { ...facts, efi: false, efiMemoryMap: [], efiTooSmall: true };
}

/** What one has to know of the log as a whole. */
function describeLog(facts: DmesgFacts, remarks: Remarks): void {
  const { boot, undone = [], version, hypervisor, encryption = '', bits32 } = facts;
  if (boot !== undefined && (boot.of > 1 || boot.without > 0)) {
    const without = boot.without === 0 ? '' : `, and ${String(boot.without)} without a memory map`;
    remarks.note(
      `the log has ${boot.of === 1 ? 'one boot' : `${String(boot.of)} boots`}${without}; this is boot ${String(boot.number)}, ${plural(boot.unit)} ${String(boot.first)} to ${String(boot.last)}${boot.of === 1 ? '' : ' (--boot N takes another)'}`,
    );
  }
  if (version !== undefined)
    remarks.note(`the log is of Linux ${version}; the kernel that is simulated is 4.6's`);
  if (undone.length > 0) remarks.note(`undone to read the log: ${undone.join(', ')}`);
  if (facts.fromXen === true) {
    remarks.note(
      "the memory map is the one that Xen printed, the machine's; the kernel was Xen's guest",
    );
  } else if (hypervisor !== undefined) {
    remarks.note(
      `a virtual machine (${hypervisor}): the map and the processors are what the hypervisor shows`,
    );
  }
  if (/SEV/.test(encryption)) {
    remarks.note(
      `${encryption} is active in the log: a guest of SEV. SEV is not modelled: the scenario is a host's`,
    );
  }
  if (bits32 !== undefined) {
    remarks.note(
      `a kernel of 32 bits (${bits32}): the machine is taken from its log, the simulated kernel has 64`,
    );
  }
}

function processorOf(facts: DmesgFacts, remarks: Remarks): { cpu: string; encrypts: boolean } {
  const { cpu, because, guess } = chooseCpu(facts);
  const encrypts = canEncrypt(cpu);
  if (guess === undefined) remarks.read(`machine.cpu: ${cpu} for ${because}`, 'cpu');
  else remarks.guessed(`machine.cpu: ${cpu} for ${because}; ${guess}`);
  if (encrypts) remarks.guessed(`machine.sme: not in a log; ${cBitOf(cpu)}`);
  return { cpu, encrypts };
}

function cpusOf({ cpus, counts = {} }: DmesgFacts, remarks: Remarks): number {
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
      `machine.cpus: ${String(MAX_CPUS)} of ${String(cpus)}, the most that are simulated${text}`,
      fact,
    );
  }
  return Math.min(cpus, MAX_CPUS);
}

/** The share of its memory that a kernel may have beyond its map, for rounding: one in so many (our choice). */
const BEYOND = 50;

/** Signs that lines of the map are missing from the log. */
function doubtsOf({ e820, at, boot, memoryKib, bits32 }: DmesgFacts): string[] {
  const usable = bytesOf(e820.filter(({ type }) => type === 'usable'));
  const doubts: string[] = [];
  if (e820[0]?.start !== 0) {
    doubts.push('it does not begin at 0: the lines before may be missing from the log');
  }
  if (boot !== undefined && at?.get('e820 last') === boot.last) {
    doubts.push('the log ends with it: lines after may be missing');
  }
  if (memoryKib !== undefined && memoryKib * 1024 > usable * (1 + 1 / BEYOND) && !bits32) {
    doubts.push(
      `the kernel says that it has ${String(memoryKib)} KiB of memory, the map has ${String(Math.floor(usable / 1024))}: lines may be missing from the log`,
    );
  }
  return doubts;
}

function describeMap(facts: DmesgFacts, remarks: Remarks): void {
  const { e820, e820Unnamed = [], mapSource, efi, efiMemoryMap, efiProblem } = facts;
  const source = mapSource === undefined ? '' : `, as "${mapSource}"`;
  remarks.read(`firmware.e820: ${String(e820.length)} ranges${source}`, 'e820', 'e820 last');
  for (const doubt of doubtsOf(facts)) remarks.guessed(`firmware.e820: ${doubt}`);
  if (e820Unnamed.length > 0) {
    remarks.guessed(
      `firmware.e820: reserved stands for ${e820Unnamed.join(', ')}, which a scenario has no word for`,
    );
  }
  if (!efi) {
    if (facts.efiTooSmall !== true) {
      remarks.guessed('firmware.type: bios, as no line of the log is about EFI');
    }
    return;
  }
  if (efiMemoryMap.length > 0) {
    remarks.read(`firmware.efiMemoryMap: ${String(efiMemoryMap.length)} entries`, 'efi map');
    return;
  }
  const why = efiProblem === undefined ? 'not in the log (it needs efi=debug)' : efiProblem;
  remarks.guessed(`firmware.efiMemoryMap: ${why}; made from the BIOS map`);
}

function ramOf({ e820 }: DmesgFacts, remarks: Remarks): number {
  const usable = Math.floor(bytesOf(e820.filter(({ type }) => type === 'usable')) / PAGE) * PAGE;
  if (usable >= RAM_MIN) {
    remarks.guessed('machine.ram: the sum of the usable ranges, in whole pages');
    return usable;
  }
  remarks.guessed(
    `machine.ram: 64 MiB, the least that a scenario may say; the map has ${String(usable)} usable bytes`,
  );
  return RAM_MIN;
}

function vgaOf({ console: found, efi }: DmesgFacts, remarks: Remarks): boolean {
  if (found !== undefined) {
    const vga = found.startsWith('VGA');
    remarks.read(`machine.vga: ${String(vga)}, as the console is "colour ${found}"`, 'console');
    return vga;
  }
  remarks.guessed(`machine.vga: ${String(!efi)}, as is usual with ${efi ? 'EFI' : 'a BIOS'}`);
  return !efi;
}

function iommuOf({ iommu }: DmesgFacts, cpu: string, remarks: Remarks): boolean {
  if (iommu === undefined) {
    if (canEncrypt(cpu))
      remarks.guessed('machine.iommu: false, as no line is about AMD-Vi or IVRS');
    return false;
  }
  remarks.read(`machine.iommu: "${iommu}"`, 'iommu');
  return true;
}

/** Devices with a known address width: one a driver, the narrowest if there are too many. */
function devicesOf(
  { devices = [] }: DmesgFacts,
  iommu: boolean,
  remarks: Remarks,
): { name: string; dmaMask: number; iommu?: boolean }[] {
  const narrow = [...devices].sort((a, b) => a.bits - b.bits);
  const taken = new Set<DeviceFact>(narrow.slice(0, MAX_DEVICES));
  for (const { driver, bits } of devices.filter((device) => !taken.has(device))) {
    remarks.unused(`${driver}, ${String(bits)} bits of DMA address: one device too many`);
  }
  return devices
    .filter((device) => taken.has(device))
    .map(({ driver, bits }) => {
      remarks.read(
        `machine.devices: ${driver}, ${String(bits)} bits of DMA address`,
        `device ${driver}`,
      );
      return { name: driver, dmaMask: bits, ...(iommu && { iommu }) };
    });
}

/** SYSCFG[23], on a processor that has it. */
function syscfgOf(facts: DmesgFacts, remarks: Remarks): { syscfgMemEncrypt: boolean } {
  const { encryption = '', syscfg } = facts;
  if (/\bSME\b/.test(encryption)) {
    remarks.read(
      'firmware.syscfgMemEncrypt: set, as the log says that SME is active',
      'encryption',
    );
  } else if (syscfg !== undefined) {
    remarks.read(`firmware.syscfgMemEncrypt: set, as "${syscfg}" needs it`, 'syscfg');
  } else {
    remarks.guessed(
      'firmware.syscfgMemEncrypt: a log does not say; set on each CPU, as its setup screen does',
    );
    if (/(?:^|\s)mem_encrypt=on/.test(facts.commandLine ?? '')) {
      remarks.note(
        'mem_encrypt=on is on the command line and no line says that SME is active: firmware may have left SYSCFG[23] clear',
      );
    }
  }
  return { syscfgMemEncrypt: true };
}
