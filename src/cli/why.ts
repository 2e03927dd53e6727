/** `sme-boot why`: who wrote and read a place in memory, and how it is reached, at a label. */
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { hex, LINE_SIZE } from '../machine/address.js';
import { LINES, UNTOUCHED } from '../machine/memory/dram-page.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { History, type Past } from '../inspect/history.js';
import type { PhysicalRange } from '../inspect/memory.js';
import { checkPlace, parsePlace, physicalRanges, sizeOfPlace } from '../inspect/place.js';
import { mappedRanges } from '../inspect/tables.js';
import { pageName, tlbOf } from '../inspect/tlb.js';
import { printable } from '../base/printable.js';
import { overlap, rangeIn } from '../trace/event-ranges.js';
import type { SanitizerReport } from '../trace/report.js';
import { table } from './columns.js';
import { addExecuteOptions, checkExecute, prepareExecuted } from './execute-options.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { cache, keyText, parseCache } from './inspect-cache.js';
import { cpuOf, refuseCpu } from './inspect-cpu.js';
import { checked, endingOf } from './inspect-label.js';
import { dataOf, textOf, type Part } from './inspect-view.js';
import type { Io } from './io.js';
import { addOutput, checkOutput, formOf, openResult, type OutputFlags } from './output.js';
import { Progress } from './progress.js';
import { reportLines } from './report-lines.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, type RunFlags } from './run-options.js';
import { refuseWithout } from './usage.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends RunFlags, OutputFlags<(typeof FORMS)[number]> {
  at?: string;
  anyway?: boolean;
  cpu?: string;
  all?: boolean;
}

const EXAMPLES = `
PLACE is as in sme-boot inspect --cache: a symbol or region, all of it; an address, with :LEN for several bytes. The
boot runs twice: once to find the physical memory of PLACE at the label, once to record the accesses to it.

Examples:
  sme-boot why sme_me_mask --at startup_64:phys_base
  sme-boot why initrd:64 --at load_ucode_bsp
  sme-boot why 0x467:4 epyc-efi --at smp_init
${exitHelp({ mismatch: 'the boot ended before the label (without --anyway)' })}`;

/** Rows of a table without --all (our choice). */
const ROWS = 20;

export function whyCommand(io: Io): Command {
  const command = new Command('why')
    .description('print who wrote and read a place in memory, newest first, and how it is reached')
    .argument('<PLACE>', 'the place, with :LEN for several bytes of it')
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addExecuteOptions(addRunOptions(command))
    .option(
      '--at <LABEL>',
      'stop after the step of this label, with --execute at this function, or F:return (default: at the end of the boot)',
    )
    .option('--anyway', 'if the boot does not reach the label, print the state at its end')
    .option('--cpu <N>', 'whose translations (default: 0, the boot CPU)')
    .option('--all', `print all rows (default: the newest ${String(ROWS)} of each table)`)
    .addHelpText('after', EXAMPLES)
    .action((place: string, scenario: string, flags: Flags, self: Command) => {
      checkExecute(self, flags);
      refuseWithout(self, '--anyway', '--at');
      refuseCpu(self);
      why(io, place, scenario, flags);
    });
  return addOutput(command, { formats: FORMS });
}

function why(io: Io, text: string, scenario: string, flags: Flags): void {
  const progress = new Progress(io);
  const first = twiceBooted(scenario, flags, progress.step);
  const { boot } = first;
  const { at } = flags;
  if (at !== undefined) checked('--at', () => boot.indexOf(at));
  const { where, length } = parseCache(text);
  checked('PLACE', () => {
    checkPlace(boot, where);
  });
  checkOutput(flags.output);
  const cpu = cpuOf(boot, flags.cpu);
  const run = (each: InspectedBoot): void => {
    if (at === undefined) each.runToEnd();
    else each.runTo(at);
  };
  run(boot);
  const ending = endingOf(boot, at);
  const reached = at === undefined || boot.reached(at);
  const reports = first.reports();
  let views: Part[] = [];
  if (reached || flags.anyway === true) {
    const size = length ?? sizeOfPlace(boot, where);
    const ranges = physicalRanges(boot, parsePlace(boot, where, 'pa'), size, where, cpu);
    const second = first.again();
    const written = ranges.some((range) => writtenIn(second, range));
    const history = new History(second, ranges);
    const end = history.listen();
    run(second);
    end();
    const most = flags.all === true ? Infinity : ROWS;
    views = [
      placeOf(second, text, ranges, written),
      ...viewsOf(second, cpuOf(second, flags.cpu), text, ranges, history, most),
      ...(reports === null ? [] : [reportsAbout(reports, ranges, io.paint)]),
    ];
  } else io.exitCode = EXIT.mismatch;
  progress.clear();
  if (ending !== undefined) io.stderr.write(`sme-boot: ${printable(ending)}\n`);
  const out = openResult(io, flags.output);
  if (formOf(flags, FORMS) === 'json') {
    const label = at === undefined ? {} : { at, reached };
    const data = { place: text, ...label, ...dataOf(views) };
    out.write(`${JSON.stringify(data, null, 2)}\n`);
  } else out.print(textOf(views, out.columns));
  out.end();
}

/** A boot that can run twice. */
interface Twice {
  readonly boot: InspectedBoot;
  /** The same boot before its first step. */
  again(): InspectedBoot;
  /** null: the sanitizer was off. */
  reports(): readonly SanitizerReport[] | null;
}

function twiceBooted(scenario: string, flags: Flags, onStep: (label: string) => void): Twice {
  if (flags.execute === true) {
    const prepared = (): ExecutedBoot => {
      const boot = prepareExecuted(scenario, flags);
      boot.onLabel = onStep;
      return boot;
    };
    return { boot: prepared(), again: prepared, reports: () => null };
  }
  const boot = prepareBoot(scenario, flags, onStep);
  const start = boot.snapshot();
  return {
    boot,
    again: () => {
      boot.restore(start);
      return boot;
    },
    reports: () => (boot.sanitizer === null ? null : boot.reports()),
  };
}

const rangeText = (first: number, last: number): string =>
  first === last ? hex(first) : `${hex(first)}..${hex(last)}`;

function viewsOf(
  boot: InspectedBoot,
  cpu: Cpu,
  place: string,
  ranges: readonly PhysicalRange[],
  history: History,
  most: number,
): Part[] {
  const past = history.newestFirst;
  const writes = past.filter(({ kind }) => kind === 'write' || kind === 'write-back');
  const others = past.filter(({ kind }) => kind !== 'write' && kind !== 'write-back');
  const within = history.forgotten === 0 ? 'in the boot' : 'among these';
  return [
    ...forgotten(history),
    rows('writes', 'Writes, newest first', writes, `no write ${within}`, most),
    rows('reads', 'Reads, newest first', others, `no read ${within}`, most),
    cached(boot, cpu, place),
    translations(boot, cpu, ranges, most),
  ];
}

/** How far back the accesses are known, if not to the start of the boot. */
export function forgotten({
  forgotten: older,
  since = '',
  newestFirst,
}: {
  readonly forgotten: number;
  readonly since: string | undefined;
  readonly newestFirst: readonly unknown[];
}): Part[] {
  if (older === 0) return [];
  return [
    {
      name: 'forgotten',
      data: { older, since },
      text: () =>
        `Only the newest ${String(newestFirst.length)} accesses are known, from ${printable(since)} on; ${String(older)} older ones are forgotten\n`,
    },
  ];
}

/** Whether bytes of a range have been written, in whole lines. */
function writtenIn({ machine }: InspectedBoot, { base, size }: PhysicalRange): boolean {
  for (let line = Math.floor(base / LINE_SIZE); line * LINE_SIZE < base + size; line++) {
    const page = Math.floor(line / LINES);
    const key = machine.dram.lastWrites(page)?.keys[line % LINES] ?? UNTOUCHED;
    if (key !== UNTOUCHED) return true;
  }
  return false;
}

/** The physical ranges, and what loader and firmware put there. `written`: they wrote there. */
function placeOf(
  boot: InspectedBoot,
  place: string,
  ranges: readonly PhysicalRange[],
  written: boolean,
): Part {
  const { regions, firmwareRegions } = boot.loaded;
  const overlapping = (all: typeof regions): string[] =>
    all
      .filter((region) =>
        ranges.some(
          ({ base, size }) => region.base < base + size && base < region.base + region.size,
        ),
      )
      .map(({ name }) => name);
  const placed = [
    ...overlapping(regions).map((name) => ({ name, by: 'loader' })),
    ...overlapping(firmwareRegions).map((name) => ({ name, by: 'firmware' })),
  ];
  return {
    name: 'where',
    data: {
      ranges: ranges.map(({ base, size }) => ({ pa: hex(base), bytes: size })),
      placed,
      writtenBefore: written,
    },
    text: () =>
      [
        `${printable(place)} is physical ${ranges.map(({ base, size }) => rangeText(base, base + size - 1)).join(', ')}`,
        ...placed.map(({ name, by }) => `in ${name}, which the ${by} filled with C=0`),
        ...(written && placed.length === 0
          ? ['firmware or the loader wrote there with C=0, before the first step']
          : []),
      ]
        .map((line) => `${line}\n`)
        .join(''),
  };
}

/** `function (hunk)`, with the CPU where it is not the boot CPU. */
function byText({ in: by, hunk, cpu }: Past): string {
  const from = hunk === undefined ? '' : ` (${hunk})`;
  return `${by}${from}${cpu === undefined || cpu === 0 ? '' : `, CPU ${String(cpu)}`}`;
}

function rows(
  name: string,
  title: string,
  past: readonly Past[],
  none: string,
  most: number,
): Part {
  const shown = past.slice(0, most);
  const left = past.length - shown.length;
  return {
    name,
    data: past.map(({ va, first, last, ...rest }) => ({
      ...rest,
      first: hex(first),
      last: hex(last),
      ...(va !== undefined && { va: hex(va) }),
    })),
    text: (columns) =>
      past.length === 0
        ? `${none}\n`
        : `${title}\n${table(
            shown.map((each) => [
              `  ${each.step}`,
              each.kind,
              keyText(each.key),
              rangeText(each.first, each.last),
              `${byText(each)}${each.n > 1 ? `, ${String(each.n)} times` : ''}`,
            ]),
            columns,
          )}${left > 0 ? `  and ${String(left)} older ones (--all)\n` : ''}`,
  };
}

/** The cached lines of the place. */
function cached(boot: InspectedBoot, cpu: Cpu, place: string): Part {
  const view = cache(boot, cpu, place);
  return { ...view, text: (columns) => `In the cache\n${view.text(columns)}` };
}

/** The reports whose first access was in the ranges. */
function reportsAbout(
  all: readonly SanitizerReport[],
  ranges: readonly PhysicalRange[],
  paint: ChalkInstance,
): Part {
  const about = all.filter(({ at }) => {
    const range = rangeIn(at);
    return (
      range !== undefined &&
      ranges.some(({ base, size }) => overlap(range, { start: base, end: base + size }))
    );
  });
  return {
    name: 'reports',
    data: about,
    text: () =>
      about.length === 0
        ? 'no report of the sanitizer about it\n'
        : `Reports of the sanitizer about it\n${about
            .flatMap((report) => reportLines(report, paint))
            .map((line) => `${line}\n`)
            .join('')}`,
  };
}

/** What maps the ranges: the TLB of a CPU, and the page tables. */
function translations(
  boot: InspectedBoot,
  cpu: Cpu,
  ranges: readonly PhysicalRange[],
  most: number,
): Part {
  const hits = (base: number, bytes: number): boolean =>
    ranges.some((range) => base < range.base + range.size && range.base < base + bytes);
  const inTlb = tlbOf(boot.machine, cpu).filter(({ pa, bytes }) => hits(Number(pa), bytes));
  const inTables = mappedRanges(boot.machine, cpu).filter(({ pa, bytes }) => hits(pa, bytes));
  const left = Math.max(0, inTlb.length - most) + Math.max(0, inTables.length - most);
  return {
    name: 'translations',
    data: {
      tlb: inTlb,
      tables: inTables.map(({ va, pa, ...rest }) => ({ va: hex(va), pa: hex(pa), ...rest })),
    },
    text: (columns) =>
      inTlb.length + inTables.length === 0
        ? 'no translation reaches it\n'
        : `Translations that reach it\n${table(
            [
              ...inTlb
                .slice(0, most)
                .map((row) => [
                  '  TLB',
                  row.va,
                  pageName(row.bytes),
                  `C=${String(row.c)}`,
                  row.type,
                  row.stale === undefined ? row.flags : `${row.flags}; stale: ${row.stale}`,
                ]),
              ...inTables
                .slice(0, most)
                .map((range) => [
                  '  tables',
                  rangeText(range.va, range.va + range.bytes - 1),
                  pageName(range.page),
                  `C=${String(range.c)}`,
                  range.type,
                  range.flags,
                ]),
            ],
            columns,
          )}${left > 0 ? `  and ${String(left)} more (--all)\n` : ''}`,
  };
}
