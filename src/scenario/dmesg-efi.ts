/**
 * The EFI memory map as all kernel versions print it with efi=debug: arch/x86/platform/efi/efi.c print_efi_memmap,
 * drivers/firmware/efi/efi.c efi_md_typeattr_format. Before Linux 3.18 types and attributes are numbers; before 4.5
 * ranges are half-open; almost every version adds attribute columns.
 */
import { EFI_MEMORY_TYPE } from '../firmware/efi/layout.js';
import type { Collected, EfiFact } from './dmesg-facts.js';
import type { LogLine } from './log-text.js';
import { joinings } from './log-unwrap.js';

/** memory_type_name: long words until Linux 5.9, then words of twelve characters. */
const TYPES = new Map<string, number>([
  ['Reserved', EFI_MEMORY_TYPE.RESERVED_TYPE],
  ['Loader Code', EFI_MEMORY_TYPE.LOADER_CODE],
  ['Loader Data', EFI_MEMORY_TYPE.LOADER_DATA],
  ['Boot Code', EFI_MEMORY_TYPE.BOOT_SERVICES_CODE],
  ['Boot Data', EFI_MEMORY_TYPE.BOOT_SERVICES_DATA],
  ['Runtime Code', EFI_MEMORY_TYPE.RUNTIME_SERVICES_CODE],
  ['Runtime Data', EFI_MEMORY_TYPE.RUNTIME_SERVICES_DATA],
  ['Conventional Memory', EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY],
  ['Conventional', EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY],
  ['Unusable Memory', EFI_MEMORY_TYPE.UNUSABLE_MEMORY],
  ['Unusable', EFI_MEMORY_TYPE.UNUSABLE_MEMORY],
  ['ACPI Reclaim Memory', EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY],
  ['ACPI Reclaim', EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY],
  ['ACPI Memory NVS', EFI_MEMORY_TYPE.ACPI_MEMORY_NVS],
  ['ACPI Mem NVS', EFI_MEMORY_TYPE.ACPI_MEMORY_NVS],
  ['Memory Mapped I/O', EFI_MEMORY_TYPE.MEMORY_MAPPED_IO],
  ['MMIO', EFI_MEMORY_TYPE.MEMORY_MAPPED_IO],
  ['MMIO Port Space', EFI_MEMORY_TYPE.MEMORY_MAPPED_IO_PORT_SPACE],
  ['MMIO Port', EFI_MEMORY_TYPE.MEMORY_MAPPED_IO_PORT_SPACE],
  ['PAL Code', EFI_MEMORY_TYPE.PAL_CODE],
]);
/** Types after PAL code: Linux 4.6 and scenarios do not have them; read as reserved. */
const LATER = new Map([
  ['Persistent Memory', 14],
  ['Persistent', 14],
  ['Unaccepted', 15],
]);
const LAST_TYPE = 13;

const MENTION = /\befi: {0,2}mem(\d{1,4}):/i;
const ENTRY =
  /\befi: {0,2}mem(\d{1,4}): {0,2}(?:\[([^|\]]{1,24})\|([^\]]{0,96})\]|type=(\d{1,10}), attr=0x([0-9a-f]{1,16}),) {0,4}range=\[0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})([)\]])/gi;
/** EFI_MEMORY_RUNTIME, bit 63, in sixteen digits. */
const RUNTIME = /^[89a-f][0-9a-f]{15}$/i;

const number = (text: string | undefined): number => Number(`0x${text ?? '0'}`);

type Entry = EfiFact & { readonly index: number; readonly other?: string };

function typeOf(word: string, digits: string | undefined): { type: number; other?: string } {
  const numbered = digits ?? /^type=(\d{1,10})$/.exec(word)?.[1];
  if (numbered !== undefined) {
    const type = Number(numbered);
    return type <= LAST_TYPE
      ? { type }
      : { type: EFI_MEMORY_TYPE.RESERVED_TYPE, other: `type ${numbered}` };
  }
  const type = TYPES.get(word);
  if (type !== undefined) return { type };
  return {
    type: EFI_MEMORY_TYPE.RESERVED_TYPE,
    other: LATER.has(word) ? word : `"${word}"`,
  };
}

function entriesIn(text: string): Entry[] | undefined {
  const entries: Entry[] = [];
  for (const match of text.matchAll(ENTRY)) {
    const [, index, word = '', columns = '', digits, attr, start, end, bracket] = match;
    const attribute = attr ?? /^attr=0x([0-9a-f]{16})/i.exec(columns)?.[1];
    const range = { start: number(start), end: number(end) - (bracket === ')' ? 1 : 0) };
    if (range.end < range.start - 1) return undefined;
    entries.push({
      index: Number(index),
      ...range,
      ...typeOf(word.trim(), digits),
      runtime: attribute === undefined ? /^RUN\b/.test(columns) : RUNTIME.test(attribute),
    });
  }
  return entries.length === 0 ? undefined : entries;
}

/** Most continuation lines of a broken line: 130 columns in a mail of 60. */
const REST = 4;

/** Parses a line of the EFI map; as takeE820, an incomplete line is joined with the lines after it. */
export function takeEfi(
  facts: Collected,
  lines: readonly LogLine[],
  index: number,
): { taken: boolean; joined: number } {
  const line = lines[index];
  if (line === undefined || !MENTION.test(line.text)) return { taken: false, joined: 0 };
  facts.efi = true;
  for (const { joined, soft, hard } of joinings(lines, index, REST, MENTION)) {
    const entries = entriesIn(soft) ?? entriesIn(hard);
    if (entries === undefined) continue;
    for (const entry of entries) addEntry(facts, entry, line.no);
    return { taken: true, joined };
  }
  facts.efiBroken.push(line);
  return { taken: true, joined: 0 };
}

function addEntry(facts: Collected, { index, other, ...range }: Entry, line: number): void {
  // The map is printed again with efi_fake_mem=, and by some versions after a change: the first is the firmware's.
  if (index === 0 && facts.efiNumbers.length > 0) facts.at.set('efi again', line);
  if (facts.at.has('efi again') || facts.efiNumbers.at(-1) === index) return;
  const what = `an EFI memory type (${other ?? ''}), read as reserved`;
  const isNew = !facts.unused.some((fact) => fact.what === what);
  if (other !== undefined && range.end >= range.start && isNew) facts.unused.push({ what, line });
  if (!facts.at.has('efi map')) facts.at.set('efi map', line);
  facts.efiNumbers.push(index);
  // Some firmware pads its map with entries of zero pages.
  if (range.end < range.start) return;
  facts.efiMemoryMap.push(range);
}

/** Why a boot's EFI map cannot be used: broken or missing lines; undefined if it can. */
export function efiProblem({ efiBroken, efiNumbers }: Collected, unit: string): string | undefined {
  if (efiBroken.length > 0) {
    const where = efiBroken.slice(0, 5).map(({ no }) => String(no));
    return `${unit} ${where.join(', ')}${efiBroken.length > 5 ? ' and more' : ''} cannot be read`;
  }
  const missing = efiNumbers.findIndex((number, i) => number !== i);
  return missing < 0 ? undefined : `the line of mem${String(missing).padStart(2, '0')} is missing`;
}
