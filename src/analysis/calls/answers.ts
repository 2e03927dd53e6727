/** What a probe answers, a line for each step: what two runs of it are compared by. */
import { kindOf, type TraceEvent } from '../../trace/trace.js';
import type { ByteRange, ScriptResult, CallResult } from './calls.js';

/** Bytes and events that a line has room for (our choice). */
const BYTES = 16;
const EVENTS = 3;

/** The answers of a probe by its steps, numbered from 1. */
export function answersOf({ reached, steps, outcome }: ScriptResult): Record<string, string> {
  const end = outcome === undefined ? '' : `${outcome.kind} in ${outcome.where ?? '?'}`;
  const lines = steps.map((step, i): [string, string] => [
    `${String(i + 1)} ${step.step}`,
    answerOf(step),
  ]);
  return {
    ...(!reached && { boot: `ends before: ${end}` }),
    ...(reached && end !== '' && { boot: `ends in it: ${end}` }),
    ...Object.fromEntries(lines),
  };
}

/** One step in a line. */
function answerOf(step: CallResult): string {
  if (step.status === 'absent' || step.status === 'skipped') return step.status;
  const { result, bytes, walk, C, type, events } = step;
  const telling = events.filter((event) => kindOf(event) !== 'enter');
  const more = telling.length > EVENTS ? [`${String(telling.length - EVENTS)} more events`] : [];
  const parts = [
    ...(step.status === 'ended' ? ['ends'] : []),
    ...(result === undefined ? [] : [`gives ${result}`]),
    ...(walk === undefined ? [] : [`${walk.pa ?? walk.fault ?? '?'}${reach(walk.c, walk.type)}`]),
    ...(bytes === undefined ? [] : [`${bytesText(bytes)}${reach(C, type)}`]),
    ...telling.slice(0, EVENTS).map(eventText),
    ...more,
  ];
  return parts.join('; ') || 'done';
}

function reach(c: number | undefined, type: string | undefined): string {
  return `${c === undefined ? '' : ` C=${String(c)}`}${type === undefined ? '' : ` ${type}`}`;
}

function bytesText({ hex, text, produced }: ByteRange): string {
  const shown = `${hex.replaceAll(' ', '').slice(0, 2 * BYTES)} |${text.slice(0, BYTES)}|`;
  if (produced === undefined) return shown;
  return `${shown} ${produced.same ? 'as' : 'not as'} ${produced.name} was put`;
}

function eventText(event: TraceEvent): string {
  const kind = kindOf(event) ?? 'event';
  const fields = ['C', 'fromC', 'toC', 'type', 'how']
    .filter((field) => event[field] !== undefined)
    .map((field) => `${field} ${String(event[field])}`);
  return [kind, String(event[kind]), ...fields].join(' ');
}
