/** Remarks on a log as a whole and on its maps. */
import type { DmesgFacts, E820Fact } from './dmesg-facts.js';
import { plural, type Remarks } from './remarks.js';

/** Bytes of usable memory in a map. */
export const usableBytes = (e820: readonly E820Fact[]): number =>
  e820
    .filter(({ type }) => type === 'usable')
    .reduce((sum, { start, end }) => sum + end - start + 1, 0);

/** Adds remarks about the log as a whole. */
export function describeLog(facts: DmesgFacts, remarks: Remarks): void {
  const { boot, undone = [], version, hypervisor, encryption = '', bits32 } = facts;
  if (boot !== undefined && (boot.of > 1 || boot.without > 0)) {
    const without = boot.without === 0 ? '' : `, and ${String(boot.without)} without a memory map`;
    remarks.note(
      `the log has ${boot.of === 1 ? 'one boot' : `${String(boot.of)} boots`}${without}; this is boot ${String(boot.number)}, ${plural(boot.unit)} ${String(boot.first)} to ${String(boot.last)}${boot.of === 1 ? '' : ' (--boot N selects another)'}`,
    );
  }
  if (version !== undefined)
    remarks.note(`the log is of Linux ${version}; the simulated kernel is Linux 4.6`);
  if (undone.length > 0) remarks.note(`converted to read the log: ${undone.join(', ')}`);
  if (facts.fromXen === true) {
    remarks.note("the memory map is the machine's, printed by Xen; the kernel was a guest of Xen");
  } else if (hypervisor !== undefined) {
    remarks.note(`a virtual machine (${hypervisor}): map and processors are those of the guest`);
  }
  if (/SEV/.test(encryption)) {
    remarks.note(
      `${encryption} is active in the log: an SEV guest. SEV is not modelled: the scenario is a host`,
    );
  }
  if (bits32 !== undefined) {
    remarks.note(
      `a 32-bit kernel (${bits32}): the machine is the log's, the simulated kernel is a 64-bit one`,
    );
  }
}

/** Tolerance of the memory that a kernel reports against its map: 1/50 (our choice). */
const TOLERANCE = 50;

/** Indications that lines of the map are missing from the log. */
function doubtsOf({ e820, at, boot, memoryKib, bits32 }: DmesgFacts): string[] {
  const usable = usableBytes(e820);
  const doubts: string[] = [];
  if (e820[0]?.start !== 0) {
    doubts.push('it does not begin at 0: its first lines may be missing from the log');
  }
  if (boot !== undefined && at?.get('e820 last') === boot.last) {
    doubts.push('the log ends with it: its last lines may be missing');
  }
  if (memoryKib !== undefined && memoryKib * 1024 > usable * (1 + 1 / TOLERANCE) && !bits32) {
    doubts.push(
      `the kernel reports ${String(memoryKib)} KiB of memory, the map has ${String(Math.floor(usable / 1024))}: lines may be missing from the log`,
    );
  }
  return doubts;
}

/** Adds remarks about the maps and their doubtful points. */
export function describeMap(facts: DmesgFacts, remarks: Remarks): void {
  const { e820, e820Unnamed = [], mapSource, efi, efiMemoryMap, efiProblem } = facts;
  const source = mapSource === undefined ? '' : `, as "${mapSource}"`;
  remarks.read(`firmware.e820: ${String(e820.length)} ranges${source}`, 'e820', 'e820 last');
  for (const doubt of doubtsOf(facts)) remarks.guessed(`firmware.e820: ${doubt}`);
  if (e820Unnamed.length > 0) {
    remarks.guessed(
      `firmware.e820: ${e820Unnamed.join(', ')} written as reserved, since scenarios have no such type`,
    );
  }
  if (!efi) {
    if (facts.efiTooSmall !== true) {
      remarks.guessed('firmware.type: bios, since no line of the log mentions EFI');
    }
    return;
  }
  if (efiMemoryMap.length > 0) {
    remarks.read(`firmware.efiMemoryMap: ${String(efiMemoryMap.length)} entries`, 'efi map');
    return;
  }
  const why = efiProblem === undefined ? 'not in the log (needs efi=debug)' : efiProblem;
  remarks.guessed(`firmware.efiMemoryMap: ${why}; made from the BIOS map`);
}
