/** Makes a scenario from a kernel log. Values that the log lacks get defaults, each with a remark. */
import { LIMITS } from '../base/limits.js';
import { InputError } from '../base/errors.js';
import type { DmesgFacts } from './dmesg-facts.js';
import { commandLineOf } from './from-dmesg-cmdline.js';
import {
  cpusOf,
  devicesOf,
  iommuOf,
  processorOf,
  ramOf,
  syscfgOf,
  vgaOf,
} from './from-dmesg-machine.js';
import { describeLog, describeMap } from './from-dmesg-notes.js';
import { hasRoomForEfi, placesOf } from './from-dmesg-places.js';
import { plain } from './log-text.js';
import { Remarks, type Remark } from './remarks.js';

/** The data of a scenario file, and remarks: what was read, what was guessed, what was not used. */
export interface DraftScenario {
  readonly data: Readonly<Record<string, unknown>>;
  readonly remarks: readonly Remark[];
}

export interface DraftOptions {
  readonly name: string;
  /** Leave the command line as logged: do not add mem_encrypt=on. */
  readonly asLogged: boolean;
}

const RANGES_MIN = 2;
const RANGES_MAX = LIMITS.memoryRanges.most;
const SHOWN = 8;

/** Makes a scenario from a log's facts. Throws E_DMESG if there is no usable memory map. */
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

/** Throws E_DMESG for a log without a map, with a broken map, or with a map that is not the machine's. */
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
      reason: 'the memory map has more ranges than a kernel can store',
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

/** The facts with BIOS firmware if the memory of an EFI machine is too small for the simulated EFI firmware. */
function withFirmware(facts: DmesgFacts, remarks: Remarks): DmesgFacts {
  if (!facts.efi || hasRoomForEfi(facts)) return facts;
  remarks.guessed(
    'firmware.type: bios, although the log is of an EFI boot: no room in its memory for the simulated EFI firmware',
  );
  return { ...facts, efi: false, efiMemoryMap: [], efiTooSmall: true };
}
