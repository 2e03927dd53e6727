/** A boot told to a person: a line per step, what became encrypted, what was read intact, how it ended. */
import type { ChalkInstance } from 'chalk';
import { withoutEffect } from '../linux/options/options.js';
import { BOOT_STEPS } from '../linux/boot-steps.js';
import type { Boot } from '../sequencer/boot.js';
import { KEXEC_LABEL } from '../sequencer/kexec.js';
import { notModelled } from '../series/options.js';
import type { Consumed, Trace, TraceEvent } from '../trace/trace.js';
import { kindOf } from '../trace/trace.js';

const LABEL_WIDTH = 28;
/** Columns that a frame takes besides the text. */
const FRAME = 4;

/** What is booted: one paragraph before the steps. */
export function summaryHead(boot: Boot, paint: ChalkInstance): string {
  const { scenario, stage, activate, without = [], stub, with: extra = [] } = boot.options;
  const patches =
    stage === 0 ? 'the base kernel' : `the base kernel with patches 1 to ${String(stage)}`;
  const also = activate && stage < 18 ? ' and 18' : '';
  const less = without.length === 0 ? '' : ` without ${without.join(', ')}`;
  const kept = stub === true ? ' (names kept)' : '';
  const more = extra.length === 0 ? '' : ` with ${extra.join(', ')}`;
  const image = boot.program.image;
  const version = image.version === undefined ? '' : `, ${image.version}`;
  return [
    `${paint.bold(scenario.name)}: ${scenario.title}`,
    `${patches}${also}${less}${kept}${more}, image ${image.file}${version}`,
    ...taken(boot),
    scenario.cmdline === null ? 'no command line' : `command line: ${scenario.cmdline}`,
    ...ramDiskOtherwise(boot),
    ...optionLines(scenario.cmdline ?? '', paint),
    '',
    '',
  ].join('\n');
}

/** That the RAM disk is not as long as that of the machine which the scenario is of, where it says how long. */
function ramDiskOtherwise({ options: { scenario }, loaded }: Boot): string[] {
  const { initrdSize } = scenario.loader;
  const size = loaded.regions.find(({ name }) => name === 'initrd')?.size ?? 0;
  if (initrdSize === undefined || size === initrdSize) return [];
  return [
    `RAM disk: ${String(size)} bytes; the scenario's machine had one of ${String(initrdSize)} (loader.initrdSize)`,
  ];
}

/** What of the command line is not modelled, and what changes nothing here. */
function optionLines(line: string, paint: ChalkInstance): string[] {
  const left = notModelled(line).map(({ option, why }) => `${option} (${why})`);
  const idle = withoutEffect(line).map(({ option }) => option);
  return [
    ...(left.length === 0 ? [] : [paint.yellow(`not modelled: ${left.join(', ')}`)]),
    ...(idle.length === 0
      ? []
      : [paint.dim(`without effect here: ${idle.join(', ')} (why: sme-boot list options)`)]),
  ];
}

/** What a kernel file is made of, where it is more than the kernel, and which parts of it the boot uses. */
function taken({ options, program: { image } }: Boot): string[] {
  const lines: string[] = [];
  if (image.packedWith !== undefined)
    lines.push(`the image is compressed with ${image.packedWith}`);
  const { uki } = image;
  if (uki === undefined) return lines;
  const uses = ['.linux'];
  const leaves = [...uki.unused];
  const sort = (section: string, there: boolean, used: boolean): void => {
    if (there) (used ? uses : leaves).push(section);
  };
  sort('.initrd', uki.initrd !== undefined, options.initrd === uki.initrd);
  sort('.cmdline', uki.cmdline !== undefined, options.scenario.cmdline === uki.cmdline);
  const what = [uki.system, uki.release].filter((each) => each !== undefined).join(', ');
  const left = leaves.length === 0 ? '' : `; not used: ${leaves.join(', ')}`;
  lines.push(
    `a UKI${what === '' ? '' : ` of ${what}`}: ${uses.join(', ')} used${left}; its stub is not run`,
  );
  return lines;
}

/** The step that a boot has just made: its line, and below it what a person would want to know. */
export function summaryStep(boot: Boot, label: string, paint: ChalkInstance): string {
  return stepText(label, boot.recorder.snapshot().steps.at(-1)?.events ?? [], paint);
}

/** A step by its events: its line, and below it what a person would want to know. */
export function stepText(
  label: string,
  events: readonly TraceEvent[],
  paint: ChalkInstance,
): string {
  const own = label.startsWith(KEXEC_LABEL) ? label.slice(KEXEC_LABEL.length) : label;
  const step = BOOT_STEPS.find((each) => each.label === own);
  const what = step?.what ?? 'firmware and loader put kernel, initrd and zero page into memory';
  const notes = events.flatMap((event) => note(event, paint));
  return [
    `${paint.cyan(label.padEnd(LABEL_WIDTH))} ${what}`,
    ...notes.map((n) => `    ${n}`),
    '',
  ].join('\n');
}

/** What an event says to a person; most say nothing. */
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
      return [paint.dim(String(event.console))];
    case 'fault':
      return event.handler === 'early_idt_handler_array'
        ? []
        : [paint.red(`fault: ${String(event.fault)} (${String(event.why)}${entryOf(event)})`)];
    case 'panic':
      return [paint.red(`panic: ${String(event.panic)}`)];
    case 'read':
      return isRemark(event)
        ? [paint.yellow(`${String(event.read)}: ${String(event.result)}`)]
        : [];
    default:
      return [];
  }
}

/** The table entry that a fault is about: where it was read, and what was wrong about it. */
function entryOf({ level, entry, C, value, reserved }: TraceEvent): string {
  if (level === undefined) return '';
  const bits = reserved === undefined ? '' : `, reserved ${String(reserved)}`;
  return `: ${String(level)} entry ${String(entry)} read with C=${String(C)}: ${String(value)}${bits}`;
}

/** What is said of an initrd, or of a program in it, besides what the kernel says. */
function isRemark({ read, result }: TraceEvent): boolean {
  return result !== undefined && typeof read === 'string' && /^(?:initrd$|\/)/.test(read);
}

/** The first process, as the kernel says which it runs. */
function firstProcess(trace: Trace): string {
  const lines = trace.steps.flatMap(({ events }) => events.map((event) => String(event.console)));
  return lines.findLast((line) => /^Run .* as init process$/.test(line)) ?? 'booted';
}

/** What was consumed, what DRAM holds, what is otherwise than the scenario says, and the outcome as the last line. */
export function summaryEnd(
  trace: Trace,
  otherwise: readonly string[],
  paint: ChalkInstance,
  columns = Infinity,
): string {
  const lines = ['', paint.bold('what the boot read')];
  for (const consumed of trace.consumed) lines.push(`  ${consumedLine(consumed, paint)}`);
  lines.push('', paint.bold('what DRAM holds'));
  for (const { name, state, bytes } of trace.final.regions) {
    const shown = state === 'ciphertext' ? paint.green(state) : state;
    lines.push(`  ${name.padEnd(LABEL_WIDTH)} ${shown} (${String(bytes)} bytes)`);
  }
  if (trace.final.screen !== undefined)
    lines.push('', ...framed(trace.final.screen, columns, paint));
  const { kind, where, message } = trace.outcome;
  const reason = kind === 'booted' ? firstProcess(trace) : `in ${where ?? '?'}: ${message ?? ''}`;
  if (otherwise.length > 0) lines.push('', ...otherwise.map((line) => paint.red(line)));
  const color = otherwise.length === 0 && kind === 'booted' ? paint.green : paint.red;
  lines.push('', color(`${kind}: ${reason}`), '');
  return lines.join('\n');
}

/** The screen in a frame if the terminal has room for it; blank lines at its top are cut as well. */
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
  return `${name.padEnd(LABEL_WIDTH - 2)} ${verdict}, read by ${by}`;
}
