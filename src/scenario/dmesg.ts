/** Parses the facts about a machine in a kernel log. A log may have several boots; their facts are separate. */
import { InputError } from '../base/errors.js';
import { beginsMap, takeE820 } from './dmesg-e820.js';
import { efiProblem, takeEfi } from './dmesg-efi.js';
import { nothingKnown, type Collected, type DmesgFacts } from './dmesg-facts.js';
import { isInteresting, takeLine } from './dmesg-lines.js';
import { logLines, type LogLine, type LogText } from './log-text.js';
import { unwrap } from './log-unwrap.js';

export type { DmesgFacts, Extent } from './dmesg-facts.js';

/** A boot whose lines are being read. */
interface Reading {
  readonly facts: Collected;
  readonly first: number;
  last: number;
}

const VERSION = /\bLinux version \d/;
const COMMAND_LINE = /(?:^|[^\w]) ?Command line: /;
const MAP_HEAD = /\b(?:BIOS-provided physical RAM map|provided physical RAM map):/;
const XEN_HEAD = /\(XEN\) {1,4}(?:Xen version \d|Xen-e820 RAM map:|EFI RAM map:)/;
/** Least number of ranges of a map: one below 640 KiB and one above 1 MiB. */
const RANGES_MIN = 2;
/** Most boots listed in an error. */
const SHOWN = 8;

/** Whether a line begins another boot. */
function beginsBoot(facts: Collected, text: string): boolean {
  const known = facts.e820.length > 0 || facts.xenRanges > 0;
  // Xen prints its map before the kernel that it starts: the same boot.
  if (XEN_HEAD.test(text)) return facts.version !== undefined || facts.hypervisorMap.length > 0;
  if (VERSION.test(text)) return facts.version !== undefined || known;
  if (MAP_HEAD.test(text) || beginsMap(facts, text)) return facts.e820.length > 0;
  return (
    known && facts.commandLine !== undefined && COMMAND_LINE.test(text) && !/\(XEN\)/.test(text)
  );
}

const hasMap = ({ facts }: Reading): boolean =>
  facts.e820.length + facts.broken.length + facts.xenRanges + facts.hypervisorMap.length > 0;

/** The facts of every boot with lines of a map, and the number of boots without. */
function readBoots(lines: readonly LogLine[]): { boots: Reading[]; without: number } {
  const boots: Reading[] = [];
  let boot: Reading | undefined;
  let without = 0;
  const close = (): void => {
    if (boot === undefined) return;
    if (hasMap(boot)) boots.push(boot);
    else if (boot.facts.version !== undefined) without++;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line === undefined || !isInteresting(line.text)) continue;
    if (boot === undefined || beginsBoot(boot.facts, line.text)) {
      close();
      boot = { facts: nothingKnown(), first: line.no, last: line.no };
    }
    boot.last = line.no;
    const map = takeE820(boot.facts, lines, i);
    const efi = map.taken ? map : takeEfi(boot.facts, lines, i);
    if (efi.taken) i += efi.joined;
    else takeLine(boot.facts, line.text, line.no);
  }
  close();
  // Without any map, the facts of the last boot are used for the error.
  if (boots.length === 0 && boot !== undefined) boots.push(boot);
  return { boots, without };
}

/** Whether the map could be parsed and the log continues up to the lines about the processors. */
const isComplete = ({ facts }: Reading): boolean =>
  facts.e820.length >= RANGES_MIN &&
  facts.broken.length === 0 &&
  (facts.cpu !== undefined || facts.counts.present !== undefined || facts.counts.up !== undefined);

/** Index of boot `number` (from 1); by default the last complete one, else the last with a map. Throws E_DMESG. */
function choose(boots: readonly Reading[], number: number | undefined): number {
  if (number === undefined) {
    const complete = boots.findLastIndex(isComplete);
    return complete >= 0 ? complete : boots.length - 1;
  }
  if (number >= 1 && number <= boots.length) return number - 1;
  throw new InputError({
    code: 'E_DMESG',
    reason: 'no such boot in the log',
    expected:
      boots
        .slice(0, SHOWN)
        .map(
          ({ first, facts }, i) =>
            `${String(i + 1)} (from ${String(first)}${facts.version === undefined ? '' : `, Linux ${facts.version}`})`,
        )
        .join(', ') + (boots.length > SHOWN ? `, … ${String(boots.length)}` : ''),
    found: String(number),
  });
}

/**
 * Parses the facts about the machine in one boot of a log. `boot`: its number, from 1; by default the last complete one.
 * Other lines are ignored. Throws E_DMESG for a boot that the log does not have.
 */
export function parseDmesg(text: string, boot?: number): DmesgFacts {
  const log = logLines(text);
  const from = log.lines.findIndex((line) => /e820: |Xen: \[|efi: mem/.test(line.text));
  const { lines, joined } = unwrap(log.lines, Math.max(0, from));
  const { boots, without } = readBoots(lines);
  const index = choose(boots, boot);
  const chosen = boots[index];
  const facts = chosen?.facts ?? nothingKnown();
  finish(facts, log, joined);
  if (chosen !== undefined) {
    const { first, last } = chosen;
    facts.boot = { number: index + 1, of: boots.length, without, first, last, unit: log.unit };
  }
  return facts;
}

/** Sets the facts that depend on several lines. */
function finish(facts: Collected, log: LogText, joined: number): void {
  const { counts } = facts;
  const cpus = counts.present ?? counts.up;
  if (cpus !== undefined && cpus > 0) facts.cpus = cpus;
  if (facts.commandLine === undefined && facts.kernelCommandLine.length > 0) {
    facts.commandLine = facts.kernelCommandLine.map((part) => part.replace(/ ?\\$/, '')).join(' ');
    facts.at.set('commandLine', facts.at.get('kernelCommandLine') ?? 0);
  }
  if (facts.e820.length === 0 && facts.hypervisorMap.length >= RANGES_MIN) {
    for (const range of facts.hypervisorMap) facts.e820.push(range);
    facts.fromXen = true;
  }
  const problem = efiProblem(facts, log.unit);
  if (problem !== undefined) {
    facts.efiProblem = problem;
    facts.efiMemoryMap = [];
  }
  facts.undone = [...log.undone, ...(joined === 0 ? [] : [`${String(joined)} wrapped lines`])];
}
