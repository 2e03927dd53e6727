/** Remarks on a log as a whole and on its maps. */
import type { DmesgFacts, E820Fact } from './dmesg-facts.js';
import { plural, type Remarks } from './remarks.js';

/** Bytes of usable memory in a map. */
export const usableBytes = (e820: readonly E820Fact[]): number =>
  e820
    .filter(({ type }) => type === 'usable')
    .reduce((sum, { start, end }) => sum + end - start + 1, 0);

/** What one has to know of the log as a whole. */
export function describeLog(facts: DmesgFacts, remarks: Remarks): void {
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

/** The share of its memory that a kernel may have beyond its map, for rounding: one in so many (our choice). */
const BEYOND = 50;

/** Signs that lines of the map are missing from the log. */
function doubtsOf({ e820, at, boot, memoryKib, bits32 }: DmesgFacts): string[] {
  const usable = usableBytes(e820);
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

/** What the maps are, and what is to be doubted of them. */
export function describeMap(facts: DmesgFacts, remarks: Remarks): void {
  const { e820, e820Unnamed = [], mapSource, efi, efiMemoryMap, efiProblem } = facts;
  const source = mapSource === undefined ? '' : `, as "${mapSource}"`;
  remarks.read(`firmware.e820: ${String(e820.length)} ranges${source}`, 'e820', 'e820 last');
  for (const doubt of doubtsOf(facts)) remarks.guessed(`firmware.e820: ${doubt}`);
  if (e820Unnamed.length > 0) {
    remarks.guessed(
      `firmware.e820: reserved is written for ${e820Unnamed.join(', ')}, which a scenario has no word for`,
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
