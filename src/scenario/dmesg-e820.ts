/** The memory map as kernels of all versions print it (arch/x86/kernel/e820.c, e820_print_map). */
import type { Collected, E820Name } from './dmesg-facts.js';
import type { LogLine } from './log-text.js';
import { joinings } from './log-unwrap.js';

/** Words for the types, from the oldest kernels to the newest, tried in this order. */
const TYPES = new Map<string, E820Name>([
  ['usable', 'usable'],
  ['System RAM', 'usable'],
  ['reserved', 'reserved'],
  ['device reserved', 'reserved'],
  ['ACPI data', 'ACPI data'],
  ['ACPI NVS', 'ACPI NVS'],
  ['unusable', 'unusable'],
]);
/** Types that the kernel does not use as RAM and that scenarios do not have (soft reserved: CXL, HBM; persistent). */
const UNNAMED = ['soft reserved', 'persistent (type 7)', 'persistent (type 12)'];
const WORDS = [...TYPES.keys(), ...UNNAMED];

/** Prefixes of map lines by source: the BIOS's first (default_machine_specific_memory_setup). */
const SOURCE = 'BIOS-(?:e820|e801|88)|Xen|jailhouse|lguest';
const SPAN_NEW = '\\[mem 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\\] {0,8}';
/** Before Linux 3.5: the end was exclusive, and the type in parentheses. */
const SPAN_OLD = '([0-9a-f]{16}) - ([0-9a-f]{16}) {0,4}';
const START = new RegExp(`\\b(${SOURCE}): {0,4}(?:${SPAN_NEW}|${SPAN_OLD})`, 'gi');
/** Any line of a map, complete or broken; gaps are separate lines since Linux 6.16. */
const MENTION = new RegExp(`\\b(?:${SOURCE}): {0,4}(?!\\[gap)(?:\\[|[0-9a-f]{8}|$)`, 'i');
/**
 * Xen's map on a serial console (xen/arch/x86/e820.c, print_e820_memory_map): exclusive ends, or inclusive ones in
 * brackets.
 */
const HYPERVISOR =
  /\(XEN\)(?: \[[^\]]{1,32}\])? {1,4}(?:\[([0-9a-f]{16}), ([0-9a-f]{16})\]|([0-9a-f]{16}) - ([0-9a-f]{16})) \(([\w ]{1,24})\)/i;

const number = (text: string | undefined): number => Number(`0x${text ?? '0'}`);

/** The type at the start of a text; `partial` if the text ends within a type's word. */
function typeAt(text: string): { name: E820Name; unnamed?: string } | 'partial' | undefined {
  const open = text.startsWith('(') ? text.slice(1) : text;
  const known = WORDS.find(
    (word) => open.startsWith(word) && /^(?:\W|BIOS|$)/.test(open.slice(word.length)),
  );
  if (known !== undefined) {
    const name = TYPES.get(known);
    return name === undefined ? { name: 'reserved', unnamed: known } : { name };
  }
  const numbered = /^type \d{1,10}\b/.exec(open)?.[0];
  if (numbered !== undefined) return { name: 'reserved', unnamed: numbered };
  const rest = open.trimEnd();
  if ([...WORDS, 'type '].some((word) => word.startsWith(rest))) return 'partial';
  const other = /^[A-Za-z][\w ]{0,31}/.exec(open)?.[0];
  return other === undefined ? undefined : { name: 'reserved', unnamed: other };
}

interface Found {
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly type: E820Name;
  readonly unnamed?: string;
}

/** The ranges in a line: one, or more if line ends were lost. Undefined if one of them is incomplete. */
function rangesIn(text: string): Found[] | undefined {
  const found: Found[] = [];
  for (const match of text.matchAll(START)) {
    const [whole, source = '', start, end, oldStart, oldEnd] = match;
    const type = typeAt(text.slice(match.index + whole.length, match.index + whole.length + 64));
    if (type === undefined || type === 'partial') return undefined;
    const span =
      start === undefined
        ? { start: number(oldStart), end: number(oldEnd) - 1 }
        : { start: number(start), end: number(end) };
    if (span.end < span.start) return undefined;
    const { name, ...unnamed } = type;
    found.push({ source, ...span, type: name, ...unnamed });
  }
  return found.length === 0 ? undefined : found;
}

/** A line that has only the word for a type after its time stamp. */
const LONE_TYPE = new RegExp(
  `^.{0,96}(?:[\\]>:] {0,2}|^)(${WORDS.map((word) => word.replace(/[()]/g, '\\$&')).join('|')}|type \\d{1,10})\\s{0,8}$`,
);
/** Most continuation lines of a broken line. */
const REST = 3;

/**
 * Parses a line of the memory map. An incomplete line is joined with the lines after it; if it stays broken, it is added
 * to `facts.broken`. Returns whether the line belongs to a map, and the number of continuation lines used.
 */
export function takeE820(
  facts: Collected,
  lines: readonly LogLine[],
  index: number,
): { taken: boolean; joined: number } {
  const line = lines[index];
  if (line === undefined) return { taken: false, joined: 0 };
  const hypervisor = HYPERVISOR.exec(line.text);
  if (hypervisor !== null) {
    const [, first, last, start, end, word = ''] = hypervisor;
    const type = TYPES.get(word) ?? 'reserved';
    facts.hypervisorMap.push(
      first === undefined
        ? { start: number(start), end: number(end) - 1, type }
        : { start: number(first), end: number(last), type },
    );
    return { taken: true, joined: 0 };
  }
  if (!MENTION.test(line.text)) return { taken: false, joined: 0 };
  let split = '';
  for (const { joined, soft, hard, next = '' } of joinings(lines, index, REST, MENTION)) {
    // The word that pr_cont prints may be a separate message with its own time stamp.
    if (joined === 1) split = `${line.text} ${LONE_TYPE.exec(next)?.[1] ?? ''}`;
    const ranges = rangesIn(soft) ?? rangesIn(hard) ?? rangesIn(split);
    if (ranges === undefined) continue;
    for (const range of ranges) addRange(facts, range, line.no);
    return { taken: true, joined };
  }
  facts.broken.push(line);
  return { taken: true, joined: 0 };
}

function addRange(facts: Collected, found: Found, line: number): void {
  const { source, unnamed, ...range } = found;
  if (/^xen$/i.test(source)) {
    facts.xenRanges++;
    return;
  }
  const last = facts.e820.at(-1);
  // Two consoles on one port print each line twice.
  if (last !== undefined && last.start === range.start && last.end === range.end) return;
  if (unnamed !== undefined && !facts.e820Unnamed.includes(unnamed))
    facts.e820Unnamed.push(unnamed);
  if (!/^BIOS-e820$/i.test(source)) facts.mapSource ??= source;
  if (!facts.at.has('e820')) facts.at.set('e820', line);
  facts.at.set('e820 last', line);
  facts.e820.push(range);
}

/** Whether a line begins another memory map: ranges are sorted, and its first range is not above the last one. */
export function beginsMap(facts: Collected, text: string): boolean {
  const last = facts.e820.at(-1);
  if (last === undefined || !MENTION.test(text)) return false;
  const [first] = rangesIn(text) ?? [];
  if (first === undefined || /^xen$/i.test(first.source)) return false;
  return first.start <= last.start && !(first.start === last.start && first.end === last.end);
}
