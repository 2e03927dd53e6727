/** The memory map as kernels of all versions print it (arch/x86/kernel/e820.c, e820_print_map). */
import type { Collected, E820Name } from './dmesg-facts.js';
import type { LogLine } from './log-text.js';
import { joinings } from './log-unwrap.js';

/** Words for the types, from the oldest kernels to the newest; each is tried in this order. */
const TYPES = new Map<string, E820Name>([
  ['usable', 'usable'],
  ['System RAM', 'usable'],
  ['reserved', 'reserved'],
  ['device reserved', 'reserved'],
  ['ACPI data', 'ACPI data'],
  ['ACPI NVS', 'ACPI NVS'],
  ['unusable', 'unusable'],
]);
/** Types that the kernel keeps from itself and a scenario has no word for (soft reserved: CXL, HBM; persistent). */
const UNNAMED = ['soft reserved', 'persistent (type 7)', 'persistent (type 12)'];
const WORDS = [...TYPES.keys(), ...UNNAMED];

/** Whose map a line is of: the BIOS's own names come first (default_machine_specific_memory_setup). */
const SOURCE = 'BIOS-(?:e820|e801|88)|Xen|jailhouse|lguest';
const SPAN_NEW = '\\[mem 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\\] {0,8}';
/** Before Linux 3.5: the end was exclusive, and the type in parentheses. */
const SPAN_OLD = '([0-9a-f]{16}) - ([0-9a-f]{16}) {0,4}';
const START = new RegExp(`\\b(${SOURCE}): {0,4}(?:${SPAN_NEW}|${SPAN_OLD})`, 'gi');
/** Any line of a map, whole or not; gaps are lines of their own since Linux 6.16. */
const MENTION = new RegExp(`\\b(?:${SOURCE}): {0,4}(?!\\[gap)(?:\\[|[0-9a-f]{8}|$)`, 'i');
/** Xen's own map on a serial console (xen/arch/x86/e820.c, print_e820_memory_map): exclusive, then inclusive ends. */
const HYPERVISOR =
  /\(XEN\)(?: \[[^\]]{1,32}\])? {1,4}(?:\[([0-9a-f]{16}), ([0-9a-f]{16})\]|([0-9a-f]{16}) - ([0-9a-f]{16})) \(([\w ]{1,24})\)/i;

const number = (text: string | undefined): number => Number(`0x${text ?? '0'}`);

/** The type at the start of a text; `partial` where the text ends inside a word for one. */
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

/** The ranges in a line: one, or more where line ends were lost. Undefined where one of them is not whole. */
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

/** A line that ends with the word for a type, and says no more behind its stamp. */
const LONE_TYPE = new RegExp(
  `^.{0,96}(?:[\\]>:] {0,2}|^)(${WORDS.map((word) => word.replace(/[()]/g, '\\$&')).join('|')}|type \\d{1,10})\\s{0,8}$`,
);
/** How many lines after a broken one may be its rest. */
const REST = 3;

/**
 * Takes a line of the memory map. A line that is not whole is tried with the lines after it; what stays broken is
 * remembered with its number. Returns whether the line was one of a map, and how many lines after it were its rest.
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
  let apart = '';
  for (const { joined, soft, hard, next = '' } of joinings(lines, index, REST, MENTION)) {
    // pr_cont's words may have become a message of their own, with a stamp.
    if (joined === 1) apart = `${line.text} ${LONE_TYPE.exec(next)?.[1] ?? ''}`;
    const ranges = rangesIn(soft) ?? rangesIn(hard) ?? rangesIn(apart);
    if (ranges === undefined) continue;
    for (const range of ranges) keep(facts, range, line.no);
    return { taken: true, joined };
  }
  facts.broken.push(line);
  return { taken: true, joined: 0 };
}

function keep(facts: Collected, found: Found, line: number): void {
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

/** Whether a line begins a memory map anew: its first range is not above the last one, as ranges are sorted. */
export function beginsMap(facts: Collected, text: string): boolean {
  const last = facts.e820.at(-1);
  if (last === undefined || !MENTION.test(text)) return false;
  const [first] = rangesIn(text) ?? [];
  if (first === undefined || /^xen$/i.test(first.source)) return false;
  return first.start <= last.start && !(first.start === last.start && first.end === last.end);
}
