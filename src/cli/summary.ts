/** The summary of a boot as text: a line per step, what became encrypted, what was read intact, the outcome. */
import { imageText } from '../firmware/image/kernel-image.js';
import type { ChalkInstance } from 'chalk';
import { withoutEffect } from '../linux/options/options.js';
import type { Boot } from '../sequencer/boot.js';
import { whatOf } from '../sequencer/step-what.js';
import { notModelled } from '../series/options.js';
import { printable } from '../base/printable.js';
import type { Consumed, Trace, TraceEvent } from '../trace/trace.js';
import { kindOf } from '../trace/trace.js';
import { rangeText } from '../trace/render.js';
import { notFound, type NotFound, type Search } from '../trace/searches.js';
import { TURN_ON } from '../series/patches.js';
import { summaryReports } from './summary-reports.js';
import type { LastWriters } from './last-writers.js';
import { cacheLines } from './summary-cache.js';

const LABEL_WIDTH = 28;
/** Columns of a frame in addition to its text. */
const FRAME = 4;

/** The paragraph before the steps: scenario, patches, image, command line. */
export function summaryHead(boot: Boot, paint: ChalkInstance): string {
  const { scenario, stage, activate, without = [], stub, with: extra = [] } = boot.options;
  const patches =
    stage === 0 ? 'the base kernel' : `the base kernel with patches 1 to ${String(stage)}`;
  const also = activate && stage < TURN_ON ? ` and ${String(TURN_ON)}` : '';
  const leftOut = without.length === 0 ? '' : ` without ${without.join(', ')}`;
  const stubs = stub === true ? ' (replaced by stubs)' : '';
  const added = extra.length === 0 ? '' : ` with ${extra.join(', ')}`;
  const own = (boot.options.ownHunks ?? []).map(
    ({ path = '', hunks }) => `own hunks of ${printable(path)}: ${hunks.join(', ')}`,
  );
  return [
    `${paint.bold(printable(scenario.name))}: ${printable(scenario.title)}`,
    `${patches}${also}${leftOut}${stubs}${added}, image ${printable(imageText(boot.program.image))}`,
    ...own,
    ...imageParts(boot),
    scenario.cmdline === null ? 'no command line' : `command line: ${printable(scenario.cmdline)}`,
    ...initrdSizeLine(boot),
    ...cacheLines(boot),
    ...optionLines(boot, paint),
    '',
    '',
  ].join('\n');
}

/** A line if the initrd's size is not the one that the scenario states for its machine. */
function initrdSizeLine({ options: { scenario }, loaded }: Boot): string[] {
  const { initrdSize } = scenario.loader;
  const size = loaded.regions.find(({ name }) => name === 'initrd')?.size ?? 0;
  if (initrdSize === undefined || size === initrdSize) return [];
  return [
    `initrd: ${String(size)} bytes; on the scenario's machine it had ${String(initrdSize)} (loader.initrdSize)`,
  ];
}

/** The options of the command line that are not modelled, and those without effect. */
function optionLines({ options }: Boot, paint: ChalkInstance): string[] {
  const line = options.scenario.cmdline ?? '';
  const unmodelled = notModelled(line, options.extra).map(({ option, why }) =>
    printable(`${option} (${why})`),
  );
  const idle = withoutEffect(line).map(({ option }) => printable(option));
  return [
    ...(unmodelled.length === 0 ? [] : [paint.yellow(`not modelled: ${unmodelled.join(', ')}`)]),
    ...(idle.length === 0
      ? []
      : [paint.dim(`no effect here: ${idle.join(', ')} (reasons: sme-boot list options)`)]),
  ];
}

/** The parts of a kernel file that is compressed or a UKI, and which of them the boot uses. */
function imageParts({ options, program: { image } }: Boot): string[] {
  const lines: string[] = [];
  if (image.packedWith !== undefined)
    lines.push(`the image is compressed with ${image.packedWith}`);
  const { uki } = image;
  if (uki === undefined) return lines;
  const uses = ['.linux'];
  const unused = [...uki.unused];
  const sort = (section: string, present: boolean, used: boolean): void => {
    if (present) (used ? uses : unused).push(section);
  };
  sort('.initrd', uki.initrd !== undefined, options.initrd === uki.initrd);
  sort('.cmdline', uki.cmdline !== undefined, options.scenario.cmdline === uki.cmdline);
  const what = printable([uki.system, uki.release].filter((each) => each !== undefined).join(', '));
  const rest = unused.length === 0 ? '' : `; not used: ${unused.join(', ')}`;
  lines.push(
    `a UKI${what === '' ? '' : ` of ${what}`}: ${uses.join(', ')} used${rest}; its stub is not run`,
  );
  return lines;
}

/** The last step of a boot: its line, and below it its noteworthy events. */
export function summaryStep(boot: Boot, label: string, paint: ChalkInstance): string {
  return stepText(label, boot.recorder.snapshot().steps.at(-1)?.events ?? [], paint);
}

/** A step from its events: its line, and below it the noteworthy ones. */
export function stepText(
  label: string,
  events: readonly TraceEvent[],
  paint: ChalkInstance,
): string {
  const notes = events.flatMap((event) => note(event, paint));
  return [
    `${paint.cyan(label.padEnd(LABEL_WIDTH))} ${whatOf(label)}`,
    ...notes.map((n) => `    ${n}`),
    '',
  ].join('\n');
}

/** The lines for an event; most events have none. */
function note(event: TraceEvent, paint: ChalkInstance): string[] {
  const by = event.hunk === undefined ? '' : paint.dim(` (patch ${String(event.hunk)})`);
  switch (kindOf(event)) {
    case 'encrypt':
      return [paint.green(`encrypted in place: ${String(event.encrypt)}`) + by];
    case 'decrypt':
      return [paint.yellow(`decrypted in place: ${String(event.decrypt)}`) + by];
    case 'wrmsr':
      return event.wrmsr === 'SYSCFG' ? [paint.green(`SYSCFG := ${String(event.value)}`) + by] : [];
    case 'cr':
      return event.cr === 'CR3'
        ? [`CR3 := ${String(event.table)}, ${event.C === 1 ? paint.green('C=1') : 'C=0'}`]
        : [];
    case 'console':
      return [paint.dim(printable(String(event.console)))];
    case 'fault':
      return event.handler === 'early_idt_handler_array'
        ? []
        : [
            paint.red(
              printable(`fault: ${String(event.fault)} (${String(event.why)}${entryOf(event)})`),
            ),
          ];
    case 'panic':
      return [paint.red(printable(`panic: ${String(event.panic)}`))];
    case 'read':
      return isRemark(event)
        ? [paint.yellow(printable(`${String(event.read)}: ${String(event.result)}`))]
        : [];
    default:
      return [];
  }
}

/** The page table entry of a fault: its level, address, C bit of the read, value and reserved bits. */
function entryOf({ level, entry, C, value, reserved }: TraceEvent): string {
  if (level === undefined) return '';
  const bits = reserved === undefined ? '' : `, reserved ${String(reserved)}`;
  return `: ${String(level)} entry ${String(entry)} read with C=${String(C)}: ${String(value)}${bits}`;
}

/** Whether a read event has a remark about an initrd or a program in it that the kernel does not log. */
function isRemark({ read, result }: TraceEvent): boolean {
  return result !== undefined && typeof read === 'string' && /^(?:initrd$|\/)/.test(read);
}

/** The first process, as the kernel logs it. */
function firstProcess(trace: Trace): string {
  const lines = trace.steps.flatMap(({ events }) => events.map((event) => String(event.console)));
  return lines.findLast((line) => /^Run .* as init process$/.test(line)) ?? 'booted';
}

/**
 * What was consumed, what DRAM contains, the lines of `exposed`, the reports of the sanitizer, deviations from the
 * scenario's expectations, and the outcome as the last line.
 */
export function summaryEnd(
  trace: Trace,
  unexpected: readonly string[],
  paint: ChalkInstance,
  columns = Infinity,
  exposed: readonly string[] = [],
  writers?: LastWriters,
  searches: readonly Search[] = [],
): string {
  const lines = ['', paint.bold('what the boot read')];
  for (const consumed of trace.consumed) {
    lines.push(`  ${consumedLine(consumed, paint)}`);
    for (const line of consumed.intact ? [] : (writers?.lines(consumed, trace) ?? [])) {
      lines.push(`    ${printable(line)}`);
    }
  }
  for (const each of notFound(searches)) lines.push(...notFoundLines(each, paint));
  lines.push('', paint.bold('what DRAM contains'));
  for (const { name: raw, state, bytes } of trace.final.regions) {
    const name = printable(raw);
    const shown = state === 'ciphertext' ? paint.green(state) : state;
    lines.push(`  ${name.padEnd(LABEL_WIDTH)} ${shown} (${String(bytes)} bytes)`);
  }
  if (exposed.length > 0) lines.push('', ...exposed);
  if (trace.final.screen !== undefined)
    lines.push('', ...framed(trace.final.screen.map(printable), columns, paint));
  lines.push(...summaryReports(trace, paint));
  const { kind, where, message } = trace.outcome;
  const reason = kind === 'booted' ? firstProcess(trace) : `in ${where ?? '?'}: ${message ?? ''}`;
  if (unexpected.length > 0)
    lines.push('', ...unexpected.map((line) => paint.red(printable(line))));
  const color = unexpected.length === 0 && kind === 'booted' ? paint.green : paint.red;
  lines.push('', color(printable(`${kind}: ${reason}`)), '');
  return lines.join('\n');
}

/** The screen, in a frame if the terminal is wide enough; leading blank lines are cut. */
function framed(screen: readonly string[], columns: number, paint: ChalkInstance): string[] {
  const first = screen.findIndex((line) => line !== '');
  const lines = first < 0 ? ['(blank)'] : screen.slice(first);
  const width = Math.max(...lines.map((line) => line.length));
  const head = paint.bold('what the screen shows');
  if (width + FRAME > columns) return [head, ...lines];
  const edge = (left: string, right: string): string =>
    paint.dim(`${left}${'─'.repeat(width + 2)}${right}`);
  const side = paint.dim('│');
  return [
    head,
    edge('┌', '┐'),
    ...lines.map((line) => `${side} ${line.padEnd(width)} ${side}`),
    edge('└', '┘'),
  ];
}

function consumedLine(
  { name, by, intact, firstDifference }: Consumed,
  paint: ChalkInstance,
): string {
  const at = firstDifference === undefined ? '' : ` from byte ${String(firstDifference)}`;
  const verdict = intact ? paint.green('intact') : paint.red(`garbage${at}`);
  return `${printable(name).padEnd(LABEL_WIDTH - 2)} ${verdict}, read by ${printable(by)}`;
}

/** A table that was searched for and not found, and below it the ranges that were searched, by the C-bit of the reads. */
function notFoundLines({ what, by, ranges, present }: NotFound, paint: ChalkInstance): string[] {
  const name = printable(what).padEnd(LABEL_WIDTH - 2);
  const where = [0, 1].flatMap((c) => {
    const read = ranges.filter((range) => range.c === c);
    const texts = read.map(({ pa, length }) => rangeText({ space: 'pa', start: pa, length }));
    return read.length === 0
      ? []
      : [`    in ${[...new Set(texts)].join(', ')} with C=${String(c)}`];
  });
  const result = present ? paint.red('not found, although there is one') : 'not found';
  return [`  ${name} ${result}, looked for by ${printable(by)}`, ...where];
}
