/** Why a boot without a hunk came to what it came to: one line, made of what the machine saw. */
import { compare, type EventDifference } from '../trace/compare.js';
import { kindOf, type Trace, type TraceEvent } from '../trace/trace.js';
import { clashOnWalk, clashText } from './blame.js';
import type { Run, StepPair } from './matrix.js';

/** The line of a row: what was read wrongly and why, else what the last fault met, else what was done otherwise. */
export function mechanismOf(run: Run): string {
  const { wrong } = run;
  const fault = faultText(run);
  if (wrong?.readC !== undefined) {
    const { reader, name, readC, writeC, writer } = wrong;
    const read = clashText({
      readC,
      ...(writeC === undefined ? {} : { writeC }),
      ...(writer === undefined ? {} : { writer }),
    });
    return `${reader} reads ${name} ${read}`;
  }
  if (fault !== undefined) return fault;
  const other = run.differs === undefined ? undefined : firstDifference(run.differs);
  if (wrong !== undefined) {
    return `${wrong.reader} gets other bytes than ${wrong.name} was put${other === undefined ? '' : `; first ${other}`}`;
  }
  return other ?? 'nothing runs differently';
}

/** What the fault met that a boot ended in; undefined where it did not end in one. */
function faultText({ boot, outcome }: Run): string | undefined {
  const last = boot.kernel.say.lastFault;
  if (last === null || outcome.kind === 'booted') return undefined;
  const cpu = boot.machine.cpus[last.cpu];
  if (cpu === undefined || outcome.message?.includes(last.what.split('(')[0] ?? '') !== true)
    return undefined;
  const clash = clashOnWalk(boot, cpu, last.at);
  const who = cpu.id === 0 ? 'the CPU' : `CPU ${String(cpu.id)}`;
  if (clash === undefined) return `${last.what} in ${outcome.where ?? '?'}`;
  return `${last.what}: ${who} reads ${clash.what} ${clashText(clash)}`;
}

/** The first thing that was done otherwise, with its step. */
function firstDifference({ label, before, after }: StepPair): string {
  const [difference] = compare(traceOf(label, before), traceOf(label, after)).steps;
  const [event] = difference?.events ?? [];
  return `${label}: ${event === undefined ? 'the order of events' : eventText(event)}`;
}

function eventText(difference: EventDifference): string {
  if (difference.change !== 'changed') {
    const verb = difference.change === 'gone' ? 'not done' : 'done besides';
    return `${verb}: ${lineOf(difference.event)}`;
  }
  const fields = difference.fields
    .filter(({ field }) => !['file', 'patch', 'hunk'].includes(field))
    .map(
      ({ field, expected, found }) =>
        `${field} ${String(expected ?? '–')} → ${String(found ?? '–')}`,
    );
  return `${lineOf(difference.expected)}: ${fields.join(', ') || 'by other code'}`;
}

/** An event in a few words: its kind and what it is about, and who did it. */
function lineOf(event: TraceEvent): string {
  const kind = kindOf(event);
  const about = kind === undefined ? '' : String(event[kind]);
  const by = event.in === undefined || event.in === about ? '' : ` in ${String(event.in)}`;
  return `${kind ?? 'event'} ${about}${by}`;
}

/** One step as a trace, for the comparison. */
function traceOf(label: string, events: readonly TraceEvent[]): Trace {
  return {
    schema: 1,
    header: {
      scenario: '-',
      scenarioDigest: '',
      stage: 0,
      activate: false,
      without: [],
      with: [],
      settings: {},
      seed: '',
      image: { name: '', digest: '' },
      config: {},
      overlay: [],
    },
    steps: [{ label, events: [...events] }],
    consumed: [],
    final: { regions: [] },
    outcome: { kind: 'booted' },
  };
}
