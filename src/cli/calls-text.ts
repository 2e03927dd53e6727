/** The result of a call script as text: each step, its result, and the kernel's events during it. */
import { own } from '../base/own.js';
import type { ChalkInstance } from 'chalk';
import type { ByteRange, ScriptResult, CallResult } from '../analysis/calls/calls.js';
import type { Walk } from '../inspect/walk.js';
import { walkEnd, walkRows } from '../inspect/walk-text.js';
import { kindOf, type TraceEvent } from '../trace/trace.js';
import { keysOf } from '../trace/vocabulary.js';
import { printable } from '../base/printable.js';
import { table } from './columns.js';
import { reportLines } from './report-lines.js';
import { TURN_ON } from '../series/patches.js';

/** Bytes in a line of a dump. */
const ROW = 16;
/** A call whose arguments are all literal numbers. */
const PLAIN_NUMBERS = /\([-\d, ]*\)$/;
/** Fields of an event that are not printed: they follow from the step and the function above. */
const OMITTED: ReadonlySet<string> = new Set(['file', 'patch']);

/** A whole result. */
export function scriptText(result: ScriptResult, paint: ChalkInstance): string {
  const { probe, patch, scenario, stage, activate, at, outcome } = result;
  const patches = stage === 0 ? 'the base kernel' : `patches 1 to ${stage}`;
  const also = activate && stage < TURN_ON ? ` and ${TURN_ON}` : '';
  const lines = [
    paint.bold(
      printable(patch === undefined ? probe : `${String(patch).padStart(2, '0')} ${probe}`),
    ),
    paint.dim(printable(`${scenario}, ${patches}${also}, after ${at}`)),
    ...result.steps.flatMap((step) => stepLines(step, paint)),
    ...(result.reports === undefined ? [] : [paint.bold('  Reports of the sanitizer')]),
    ...(result.reports ?? []).flatMap((report) => reportLines(report, paint)),
  ];
  // An end within a step is printed with the step.
  if (!result.reached && outcome !== undefined) {
    const { kind, where, message } = outcome;
    lines.push(
      paint.red(printable(`  ${kind} before the label, in ${where ?? '?'}: ${message ?? ''}`)),
    );
  }
  return `${lines.join('\n')}\n`;
}

function stepLines(step: CallResult, paint: ChalkInstance): string[] {
  const { status, as, args, result, why, bytes, walk, events } = step;
  const head = `  ${paint.cyan(printable(step.step))}${as === undefined ? '' : ` → $${as}`}`;
  const lines = events.map((event) => paint.dim(printable(`    ${eventText(event)}`)));
  if (args !== undefined && !PLAIN_NUMBERS.test(step.step)) {
    lines.unshift(paint.dim(printable(`    with ${args.join(', ')}`)));
  }
  if (result !== undefined) lines.push(printable(`    = ${result}`));
  if (bytes !== undefined) lines.push(...bytesLines(step, bytes, paint));
  if (walk !== undefined) lines.push(...walkLines(walk, paint));
  if (status === 'ended') lines.push(paint.red(printable(`    ended: ${why ?? ''}`)));
  else if (status !== 'done') lines.push(paint.yellow(printable(`    ${status}: ${why ?? ''}`)));
  return [head, ...lines];
}

/** An event on one line, without its file and patch. */
function eventText(event: TraceEvent): string {
  const kind = kindOf(event) ?? '?';
  const fields = keysOf(kind === '?' ? 'enter' : kind).flatMap((key) =>
    own(event, key) === undefined || OMITTED.has(key) ? [] : [`${key} ${String(own(event, key))}`],
  );
  return [`${kind} ${String(event[kind])}`, ...fields].join(', ');
}

function bytesLines(step: CallResult, bytes: ByteRange, paint: ChalkInstance): string[] {
  const { va, pa, C, type } = step;
  const how =
    va === undefined
      ? `physical ${pa ?? '?'}`
      : `${va}, physical ${pa ?? '?'}, ${cBit(C, paint)}, ${type ?? '?'}`;
  const lines = [`    ${how}`];
  for (let at = 0; at < bytes.text.length; at += ROW) {
    const digits = bytes.hex.slice(2 * at, 2 * (at + ROW)).replace(/(..)(?!$)/g, '$1 ');
    lines.push(`    ${digits.padEnd(3 * ROW)} |${printable(bytes.text.slice(at, at + ROW))}|`);
  }
  if (bytes.length > bytes.text.length) lines.push(`    … of ${bytes.length} bytes`);
  if (bytes.produced !== undefined) {
    const { name, same } = bytes.produced;
    lines.push(
      `    ${same ? paint.green(`same bytes as ${name}`) : paint.red(`differs from ${name}`)}`,
    );
  }
  return lines;
}

const cBit = (c: number | undefined, paint: ChalkInstance): string =>
  c === 1 ? paint.green('C=1') : `C=${c ?? '?'}`;

function walkLines(walk: Walk, paint: ChalkInstance): string[] {
  const flags = walk.levels.at(-1)?.flags;
  const rows = table(walkRows(walk)).trimEnd().split('\n');
  const end = `${walkEnd(walk)}${flags === undefined ? '' : `, ${flags}`}`;
  return [...rows, walk.c === 1 ? paint.green(end) : end].map((line) => `    ${line}`);
}
