/** The results of a call script, one line per step: two runs of it are compared by these lines. */
import { own } from '../../base/own.js';
import { kindOf, type TraceEvent } from '../../trace/trace.js';
import type { ByteRange, ScriptResult, CallResult } from './calls.js';

/** Most bytes and events in a line (our choice). */
const BYTES = 16;
const EVENTS = 3;

/** The results of a call script by its steps, numbered from 1. */
export function answersOf({ reached, steps, outcome }: ScriptResult): Record<string, string> {
  const end = outcome === undefined ? '' : `${outcome.kind} in ${outcome.where ?? '?'}`;
  const lines = steps.map((step, i): [string, string] => [
    `${String(i + 1)} ${step.step}`,
    answerOf(step),
  ]);
  return {
    ...(!reached && { boot: `ends before the label: ${end}` }),
    ...(reached && end !== '' && { boot: `ends in a step: ${end}` }),
    ...Object.fromEntries(lines),
  };
}

/** The result of one step in a line. */
function answerOf(step: CallResult): string {
  if (step.status === 'absent' || step.status === 'skipped') return step.status;
  const { result, bytes, walk, C, type, events } = step;
  const shown = events.filter((event) => kindOf(event) !== 'enter');
  const more = shown.length > EVENTS ? [`${String(shown.length - EVENTS)} more events`] : [];
  const parts = [
    ...(step.status === 'ended' ? ['ends'] : []),
    ...(result === undefined ? [] : [`returns ${result}`]),
    ...(walk === undefined ? [] : [`${walk.pa ?? walk.fault ?? '?'}${access(walk.c, walk.type)}`]),
    ...(bytes === undefined ? [] : [`${bytesText(bytes)}${access(C, type)}`]),
    ...shown.slice(0, EVENTS).map(eventText),
    ...more,
  ];
  return parts.join('; ') || 'done';
}

function access(c: number | undefined, type: string | undefined): string {
  return `${c === undefined ? '' : ` C=${String(c)}`}${type === undefined ? '' : ` ${type}`}`;
}

function bytesText({ hex, text, produced }: ByteRange): string {
  const shown = `${hex.replaceAll(' ', '').slice(0, 2 * BYTES)} |${text.slice(0, BYTES)}|`;
  if (produced === undefined) return shown;
  return `${shown} ${produced.same ? 'same bytes as' : 'differs from'} ${produced.name}`;
}

function eventText(event: TraceEvent): string {
  const kind = kindOf(event) ?? 'event';
  const fields = ['C', 'fromC', 'toC', 'type', 'how']
    .filter((field) => own(event, field) !== undefined)
    .map((field) => `${field} ${String(own(event, field))}`);
  return [kind, String(event[kind]), ...fields].join(' ');
}
