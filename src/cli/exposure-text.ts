/** The memory in the clear as text. */
import { printable } from '../base/printable.js';
import { rangeText } from '../inspect/exposed.js';
import type { ClearAccess, Code } from '../inspect/exposure/bus-log.js';
import type { ChangedRange, Changes } from '../inspect/exposure/changes.js';
import {
  encryptingCpus,
  plainRanges,
  writerOf,
  type ExposedRange,
} from '../inspect/exposure/exposure.js';
import { namesIn } from '../inspect/exposure/owners.js';
import type { Contents } from '../inspect/exposure/recognise.js';
import { REASONS, type Reason } from '../inspect/exposure/why.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { fitted } from './fit.js';
import { sizeText } from './size-text.js';

/** Most names, texts, formats and further ranges of a paragraph (our choice). */
const NAMES = 3;
const TEXTS = 3;
const FORMATS = 4;
const PLACES = 3;
/** Most ranges that came or went by one writer. */
const CHANGED = 3;

/** The first of some words, and how many more there are. */
function first(words: readonly string[], most: number, all = words.length): string {
  const shown = words.slice(0, most);
  return [...shown, ...(all > shown.length ? [`${String(all - shown.length)} more`] : [])].join(
    ', ',
  );
}

const codeText = ({ fn, hunk }: Code): string =>
  printable(hunk === undefined ? fn : `${fn} (${hunk})`);

/** When and how a write happened: `in smp_init, CPU 0, through the direct map`. */
function accessText(access: ClearAccess, labels: readonly string[]): string {
  const { step, cpu, encryption, paging, through } = access;
  const parts = [`in ${labels[step] ?? '?'}`];
  if (cpu !== undefined) {
    parts.push(`CPU ${String(cpu)}`);
    if (!paging) parts.push('paging off');
    else if (through !== undefined) parts.push(`through ${through}`);
    if (!encryption) parts.push('encryption off');
  }
  return parts.join(', ');
}

/** What the bytes look like, in words. */
export function contentsText(contents: Contents, bytes: number): string {
  const { zero, texts, textCount, formats, random } = contents;
  if (zero === bytes) return 'zeros';
  const parts: string[] = [];
  if (formats.length > 0) {
    const named = formats.map(({ name, at, count }) =>
      [name, ...(count > 1 ? [`(${String(count)})`] : []), `at +0x${at.toString(16)}`].join(' '),
    );
    parts.push(`looks like ${first(named, FORMATS)}`);
  }
  // In bytes without a pattern a text is an accident.
  if (textCount > 0 && !random) {
    const longest = [...texts].sort((a, b) => b.text.length - a.text.length || a.at - b.at);
    const shown = longest.slice(0, TEXTS).sort((a, b) => a.at - b.at);
    const quoted = shown.map(({ text }) => JSON.stringify(printable(text)));
    parts.push(`text ${first(quoted, TEXTS, textCount)}`);
  }
  if (random) parts.push('random-looking bytes: noise, ciphertext, compressed');
  if (parts.length === 0) parts.push('nothing recognisable');
  if (zero * 2 > bytes) parts.push(`${sizeText(zero)} zeros`);
  return parts.join('; ');
}

/** What is not so on the bus, or will change there, in words. */
function busLines({ where, newer, ciphertext }: ExposedRange): [string, string][] {
  const lines: [string, string][] = [];
  if (where === 'cache') {
    lines.push(['bus', 'not yet: dirty in the cache, plaintext once written back']);
  }
  if (ciphertext > 0) {
    lines.push([
      'but',
      `${sizeText(ciphertext)} of it are ciphertext that the write left as it was`,
    ]);
  }
  if (newer.plaintext > 0) {
    lines.push(['cache', `newer plaintext for ${sizeText(newer.plaintext)} of it, dirty`]);
  }
  if (newer.ciphertext > 0) {
    lines.push([
      'cache',
      `${sizeText(newer.ciphertext)} of it will be ciphertext once written back`,
    ]);
  }
  return lines;
}

/** Ranges that a paragraph describes together: equal but for their places and contents. */
type Group = [ExposedRange, ...ExposedRange[]];

function groupsOf(ranges: readonly ExposedRange[]): Group[] {
  const groups = new Map<string, Group>();
  for (const range of ranges) {
    const { writer, owner, why, where } = range;
    const key = JSON.stringify([codeText(writer), owner.text, why.text, where]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [range]);
    else known.push(range);
  }
  return [...groups.values()];
}

/** The lines of a paragraph. */
function paragraph(group: Group, labels: readonly string[]): string[] {
  const largest = group.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const line = (what: string, text: string): string => `    ${what.padEnd(6)} ${text}`;
  const places = group.slice(0, PLACES).map((range) => {
    const name = first(range.names.map(printable), NAMES);
    return `  ${rangeText(range)}  ${sizeText(range.bytes)}${name === '' ? '' : `  ${name}`}`;
  });
  const rest = group.slice(PLACES);
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  const { writer, writes, owner, why, contents, bytes, ciphertext } = largest;
  const last = [...writes].sort((a, b) => b.bytes - a.bytes)[0]?.access;
  const when = last === undefined ? '' : `, ${accessText(last, labels)}`;
  const more = writes.length > 1 ? '; parts of it otherwise' : '';
  const held = `${group.length > 1 ? 'the largest: ' : ''}${contentsText(contents, bytes - ciphertext)}`;
  return [
    ...places,
    ...(rest.length === 0 ? [] : [`  ${String(rest.length)} more, ${sizeText(restBytes)}`]),
    line('by', `${codeText(writer)}${when}${more}`),
    line('owner', owner.text),
    line('why', why.text),
    line('holds', held),
    ...busLines(largest).map(([what, text]) => line(what, text)),
  ];
}

/** What each reason is, as a heading. */
const HEADINGS: Readonly<Record<Reason, string>> = {
  forgotten: 'forgotten: left in the clear, and nothing uses it so',
  unused: 'left in the clear so far, and nothing uses it so now',
  mapped: 'mapped without the C-bit now',
  'in-use': 'used in the clear in the last step',
  device: 'shared with devices',
  unpaged: 'used by CPUs with paging off',
  'page-walk': 'page tables that a CPU reads without the C-bit',
  firmware: "the firmware's",
  'not-known': 'not known why',
};

/** Columns by which a continued line is indented more. */
const HANG = 7;

/** The ranges by reason, those first that nothing needs. */
export function rangesText(
  ranges: readonly ExposedRange[],
  labels: readonly string[],
  columns: number | undefined,
): string {
  const order: readonly Reason[] = ['forgotten', 'unused', 'mapped', 'in-use', ...REASONS];
  const lines = [...new Set(order)].flatMap((reason) => {
    const own = ranges.filter(({ why }) => why.reason === reason);
    if (own.length === 0) return [];
    const bytes = own.reduce((sum, range) => sum + range.bytes, 0);
    const head = `${HEADINGS[reason]}: ${sizeText(bytes)} in ${counted(own.length)}`;
    return ['', head, ...groupsOf(own).flatMap((group) => paragraph(group, labels))];
  });
  return lines.map((line) => `${fitted(line, columns, HANG)}\n`).join('');
}

/** `1 range`, `2 ranges`. */
export const counted = (ranges: number): string =>
  `${String(ranges)} ${ranges === 1 ? 'range' : 'ranges'}`;

/** What came and went, a line for each writer. */
export function changesText({ came, went }: Changes, since: string, columns?: number): string {
  const lines = [
    ...changeLines('came', 'written by', came),
    ...changeLines('went', 'written with a key by', went),
  ];
  const shown = lines.length === 0 ? ['  nothing came or went'] : lines;
  return ['', `since ${since}`, ...shown]
    .map((line) => `${fitted(line, columns, HANG)}\n`)
    .join('');
}

function changeLines(what: string, by: string, ranges: readonly ChangedRange[]): string[] {
  const writers = new Map<string, ChangedRange[]>();
  for (const range of ranges) {
    const name = codeText(range.by);
    writers.set(name, [...(writers.get(name) ?? []), range]);
  }
  return [...writers].map(([name, own]) => {
    const bytes = own.reduce((sum, range) => sum + range.bytes, 0);
    const places = first(own.map(rangeText), CHANGED);
    return `  ${what}  ${sizeText(bytes)}, ${by} ${name}: ${places}`;
  });
}

/**
 * The lines of the summary of a boot that has ended, before its caches are written back: how much is in the clear, and the
 * command that lists it. None with encryption off. `words` are those of the run.
 */
export function exposureSummary(boot: InspectedBoot, words: string): string[] {
  if (encryptingCpus(boot).length === 0) return [];
  const ranges = plainRanges(boot);
  const [head] = ranges;
  if (head === undefined) return ['In the clear at the end: nothing'];
  const largest = ranges.reduce((a, b) => (b.bytes > a.bytes ? b : a), head);
  const bytes = ranges.reduce((sum, range) => sum + range.bytes, 0);
  const name = printable(namesIn(boot, largest)[0] ?? largest.owner.text);
  const by = codeText(writerOf(boot, largest.origin));
  const most = `largest: ${name}, ${sizeText(largest.bytes)}, by ${by}`;
  return [
    `In the clear at the end: ${sizeText(bytes)} in ${counted(ranges.length)} (${most})`,
    `  sme-boot exposure ${words}`,
  ];
}
