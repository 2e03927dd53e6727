/** The cause of the outcome of a boot without a hunk: one line, from the machine's records. */
import { eventDifferences, type EventDifference } from '../../check/compare.js';
import { entryText } from '../../kernel/fault-text.js';
import { kindOf, type TraceEvent } from '../../trace/trace.js';
import { mismatchOnWalk, mismatchText } from './key-mismatch.js';
import type { Run, StepPair } from './run.js';
import type { MatrixRow } from './report.js';

/**
 * The cause of a row: the first wrong read and its key mismatch, else that of the last fault, else the first
 * difference.
 */
export function causeOf(run: Run, difference: MatrixRow['difference']): string {
  const other = difference === undefined ? undefined : `${difference.step}: ${difference.was}`;
  const because = other === undefined ? '' : `; first ${other}`;
  const { wrong } = run;
  if (wrong?.readC !== undefined) {
    const { reader, name, readC, writeC, writer } = wrong;
    const read = mismatchText({ readC, writeC, writer });
    // Same key, or never written: the bytes were wrong when they were written.
    return `${reader} reads ${name} ${read}${writeC === readC || writer === undefined ? because : ''}`;
  }
  const fault = faultText(run, because);
  if (fault !== undefined) return fault;
  if (wrong !== undefined)
    return `${wrong.reader} reads other bytes than those written for ${wrong.name}${because}`;
  if (!run.encrypted) return `no memory is encrypted${because}`;
  return other ?? 'nothing runs differently';
}

/** The cause of the fault that ended a boot; undefined if no fault ended it. */
function faultText({ boot, outcome }: Run, because: string): string | undefined {
  const last = boot.kernel.trace.lastFault;
  if (last === null || outcome.kind === 'booted') return undefined;
  const cpu = boot.machine.cpus[last.cpu];
  if (cpu === undefined || outcome.message?.includes(last.what.split('(')[0] ?? '') !== true)
    return undefined;
  const mismatch = mismatchOnWalk(boot, cpu, last.at);
  const reader = cpu.id === 0 ? 'the CPU' : `CPU ${String(cpu.id)}`;
  if (mismatch === undefined) {
    // No key mismatch: the reserved bit is set in the entry as it was written.
    const { read } = last;
    const entry = read === undefined || read.reserved === 0n ? '' : `: ${entryText(read)}`;
    return `${last.what} in ${outcome.where ?? '?'}${entry}${because}`;
  }
  return `${last.what}: ${reader} reads ${mismatch.what} ${mismatchText(mismatch)}`;
}

/** Fields that state how memory is accessed, and kinds of event that change memory: they rank first among differences. */
const ACCESS_FIELDS = ['C', 'fromC', 'toC', 'type'];
const MEMORY_KINDS = ['map', 'copy', 'encrypt', 'decrypt', 'wrmsr', 'cr', 'protect', 'dma'];

function rankOf(difference: EventDifference): number {
  if (difference.change === 'changed') {
    if (difference.fields.some(({ field }) => ACCESS_FIELDS.includes(field))) return 0;
    return MEMORY_KINDS.includes(kindOf(difference.found) ?? '') ? 1 : 2;
  }
  const kind = kindOf(difference.event) ?? '';
  if (kind === 'enter') return 3;
  return MEMORY_KINDS.includes(kind) ? 1 : 2;
}

/** The highest-ranking difference in the events of a step. */
export function differenceOf({ label, before, after }: StepPair): MatrixRow['difference'] {
  const [found] = eventDifferences(before, after).sort((a, b) => rankOf(a) - rankOf(b));
  if (found === undefined) return undefined;
  const event = found.change === 'changed' ? found.found : found.event;
  return { step: label, change: found.change, event, was: eventText(found) };
}

function eventText(difference: EventDifference): string {
  if (difference.change !== 'changed') {
    const verb = difference.change === 'gone' ? 'missing' : 'extra';
    return `${verb}: ${lineOf(difference.event)}`;
  }
  const principal = kindOf(difference.found);
  const fields = difference.fields
    .filter(({ field }) => !['file', 'patch', 'hunk'].includes(field))
    .map(({ field, expected, found }) =>
      field === principal
        ? `was ${String(expected)}`
        : `${field} ${String(expected ?? '–')} → ${String(found ?? '–')}`,
    );
  return `${lineOf(difference.found)}: ${fields.join(', ') || 'same event, another hunk'}`;
}

/** An event in a few words: its kind, its principal field and its function. */
function lineOf(event: TraceEvent): string {
  const kind = kindOf(event);
  const about = kind === undefined ? '' : String(event[kind]);
  const by = event.in === undefined || event.in === about ? '' : ` in ${String(event.in)}`;
  return `${kind ?? 'event'} ${about}${by}`;
}
