/** Why a boot without a hunk came to what it came to: one line, made of what the machine saw. */
import { eventDifferences, type EventDifference } from '../../check/compare.js';
import { entryText } from '../../kernel/fault-text.js';
import { kindOf, type TraceEvent } from '../../trace/trace.js';
import { clashOnWalk, clashText } from './key-mismatch.js';
import type { Run, StepPair } from './run.js';
import type { MatrixRow } from './report.js';

/** The line of a row: what was read wrongly and why, else what the last fault met, else what was done otherwise. */
export function causeOf(run: Run, difference: MatrixRow['difference']): string {
  const other = difference === undefined ? undefined : `${difference.step}: ${difference.was}`;
  const because = other === undefined ? '' : `; first ${other}`;
  const { wrong } = run;
  if (wrong?.readC !== undefined) {
    const { reader, name, readC, writeC, writer } = wrong;
    const read = clashText({ readC, writeC, writer });
    // Through the same key, or never written: the bytes were wrong when they came there.
    return `${reader} reads ${name} ${read}${writeC === readC || writer === undefined ? because : ''}`;
  }
  const fault = faultText(run, because);
  if (fault !== undefined) return fault;
  if (wrong !== undefined)
    return `${wrong.reader} gets other bytes than ${wrong.name} was put${because}`;
  if (!run.encrypted) return `no memory is encrypted${because}`;
  return other ?? 'nothing runs differently';
}

/** What the fault met that a boot ended in; undefined where it did not end in one. */
function faultText({ boot, outcome }: Run, because: string): string | undefined {
  const last = boot.kernel.trace.lastFault;
  if (last === null || outcome.kind === 'booted') return undefined;
  const cpu = boot.machine.cpus[last.cpu];
  if (cpu === undefined || outcome.message?.includes(last.what.split('(')[0] ?? '') !== true)
    return undefined;
  const clash = clashOnWalk(boot, cpu, last.at);
  const who = cpu.id === 0 ? 'the CPU' : `CPU ${String(cpu.id)}`;
  if (clash === undefined) {
    // No key differs: a reserved bit was written as it is read.
    const { read } = last;
    const met = read === undefined || read.reserved === 0n ? '' : `: ${entryText(read)}`;
    return `${last.what} in ${outcome.where ?? '?'}${met}${because}`;
  }
  return `${last.what}: ${who} reads ${clash.what} ${clashText(clash)}`;
}

/** Fields that tell how memory is reached, and kinds that change it: what is looked at first of several differences. */
const REACH = ['C', 'fromC', 'toC', 'type'];
const CHANGES = ['map', 'copy', 'encrypt', 'decrypt', 'wrmsr', 'cr', 'protect', 'dma'];

function rankOf(difference: EventDifference): number {
  if (difference.change === 'changed') {
    if (difference.fields.some(({ field }) => REACH.includes(field))) return 0;
    return CHANGES.includes(kindOf(difference.found) ?? '') ? 1 : 2;
  }
  const kind = kindOf(difference.event) ?? '';
  if (kind === 'enter') return 3;
  return CHANGES.includes(kind) ? 1 : 2;
}

/** The first telling thing that was done otherwise in a step. */
export function differenceOf({ label, before, after }: StepPair): MatrixRow['difference'] {
  const [found] = eventDifferences(before, after).sort((a, b) => rankOf(a) - rankOf(b));
  if (found === undefined) return undefined;
  const event = found.change === 'changed' ? found.found : found.event;
  return { step: label, change: found.change, event, was: eventText(found) };
}

function eventText(difference: EventDifference): string {
  if (difference.change !== 'changed') {
    const verb = difference.change === 'gone' ? 'not done' : 'done besides';
    return `${verb}: ${lineOf(difference.event)}`;
  }
  const principal = kindOf(difference.found);
  const fields = difference.fields
    .filter(({ field }) => !['file', 'patch', 'hunk'].includes(field))
    .map(({ field, expected, found }) =>
      field === principal
        ? `before ${String(expected)}`
        : `${field} ${String(expected ?? '–')} → ${String(found ?? '–')}`,
    );
  return `${lineOf(difference.found)}: ${fields.join(', ') || 'by other code'}`;
}

/** An event in a few words: its kind and what it is about, and who did it. */
function lineOf(event: TraceEvent): string {
  const kind = kindOf(event);
  const about = kind === undefined ? '' : String(event[kind]);
  const by = event.in === undefined || event.in === about ? '' : ` in ${String(event.in)}`;
  return `${kind ?? 'event'} ${about}${by}`;
}
