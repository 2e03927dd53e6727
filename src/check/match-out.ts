/**
 * Writes a match file from a trace: how the boot ends, what it reads, what DRAM holds, and of each boot step the events
 * that tell it from others, not all. The file matches the trace that it is written from.
 */
import { Document, isPair, isScalar, isSeq, visit } from 'yaml';
import { hexAsText } from '../base/yaml-source.js';
import type { RunOf } from './run-section.js';
import { valuePattern } from './pattern.js';
import { kindOf, type Scalar, type Trace, type TraceEvent } from '../trace/trace.js';
import type { TraceKind } from '../trace/vocabulary.js';
import { inOrder } from '../trace/yaml-out.js';
import { yamlText } from '../base/yaml-text.js';

/** What is written. */
export interface MatchOutOptions {
  /** The boot of the trace. */
  readonly run: RunOf;
  /** The file of accepted reports, as the match file states its path. */
  readonly suppress?: string;
  /** The patches of that boot, by number. */
  readonly patches: readonly number[];
  /** Labels of the boot steps whose events are written; absent: all steps. */
  readonly steps?: readonly string[];
  /** Kinds of events that are written; absent: those of patches, those of TELLING, and one of each other step. */
  readonly kinds?: readonly TraceKind[];
}

/** Kinds of which the first event of a function is written, whatever patch it is of (our choice). */
const TELLING: ReadonlySet<TraceKind> = new Set([
  'cr',
  'wrmsr',
  'encrypt',
  'decrypt',
  'fault',
  'panic',
]);

/** Fields that say where an event's code is, not what happened; and the number of events that a line merges. */
const NOT_MATCHED: ReadonlySet<string> = new Set(['file', 'patch', 'n']);

/** Sections of the file with a line for each directive or name. */
const BLOCKS: ReadonlySet<unknown> = new Set(['match', 'consumed', 'final']);

/** A value as a pattern that matches it alone; undefined if no pattern does. */
function literal(value: Scalar): Scalar | undefined {
  const text = String(value);
  for (const written of [value, `\\${text}`]) {
    const pattern = valuePattern(written);
    if (typeof pattern !== 'string' && pattern.is === 'literal' && pattern.text === text) {
      return written;
    }
  }
  return undefined;
}

/** The fields of a record as patterns, without those that no pattern matches. */
function literals(record: Readonly<Record<string, Scalar | undefined>>): Record<string, Scalar> {
  const out: Record<string, Scalar> = {};
  for (const [field, value] of Object.entries(record)) {
    const written = value === undefined ? undefined : literal(value);
    if (written !== undefined) out[field] = written;
  }
  return out;
}

/** An event of a step. */
interface Chosen {
  readonly step: string;
  readonly event: TraceEvent;
}

/** The events that are written, in the order of the trace. */
function chosen(trace: Trace, { steps, kinds }: MatchOutOptions): Chosen[] {
  return trace.steps.flatMap(({ label: step, events }) => {
    if (steps !== undefined && !steps.includes(step)) return [];
    const seen = new Set<string>();
    const first = (event: TraceEvent): boolean => {
      const key = JSON.stringify([kindOf(event), event.hunk ?? event.in]);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    };
    const usable = events.filter((event) => {
      const kind = kindOf(event);
      return kind !== undefined && literal(event[kind] ?? '') !== undefined;
    });
    const telling = usable.filter((event) => {
      const kind = kindOf(event);
      if (kind === undefined) return false;
      if (kinds !== undefined) return kinds.includes(kind) && first(event);
      return (event.hunk !== undefined || TELLING.has(kind)) && first(event);
    });
    // A step without a telling event is in the file by its first one, so that it is missed if it is gone.
    const shown = telling.length === 0 && kinds === undefined ? usable.slice(0, 1) : telling;
    return shown.map((event) => ({ step, event }));
  });
}

function directive({ step, event }: Chosen): Record<string, unknown> {
  const fields = Object.entries(inOrder(event)).filter(([field]) => !NOT_MATCHED.has(field));
  return { expect: literals(Object.fromEntries(fields)), step };
}

/** Requirements by name, of the names whose rows agree; the reader is named where readers differ. */
function consumedOf({ consumed }: Trace): Record<string, Record<string, Scalar>> {
  const out: Record<string, Record<string, Scalar>> = {};
  for (const { name } of consumed) {
    const rows = consumed.filter((row) => row.name === name);
    const agrees = (by?: string): boolean =>
      new Set(rows.filter((row) => by === undefined || row.by === by).map(({ intact }) => intact))
        .size === 1;
    const wrong = rows.find(({ intact, by }) => !intact && agrees(by));
    const [row] = rows;
    if (row !== undefined && agrees()) out[name] = { intact: row.intact };
    else if (wrong !== undefined) out[name] = { ...literals({ by: wrong.by }), intact: false };
  }
  return out;
}

function finalOf({ final: { regions } }: Trace): Record<string, { state: string }> {
  const out: Record<string, { state: string }> = {};
  for (const { name, state } of regions) {
    const same = regions.every((region) => region.name !== name || region.state === state);
    if (same) out[name] = { state };
  }
  return out;
}

const numbers = (patches: readonly number[]): string =>
  patches.map((patch) => String(patch).padStart(2, '0')).join(', ');

/** What the file would notice: patches with an event in it, and the others. */
function comments(patches: readonly number[], events: readonly Chosen[]): string[] {
  const listed = new Set(events.map(({ event }) => event.patch));
  const seen = patches.filter((patch) => listed.has(patch));
  const unseen = patches.filter((patch) => !listed.has(patch));
  return [
    'Written from a boot by sme-boot run --match-out. Delete what the test is not about.',
    ...(seen.length === 0
      ? []
      : [`Patches with an event here, without which it fails: ${numbers(seen)}.`]),
    ...(unseen.length === 0 ? [] : [`Patches without an event here: ${numbers(unseen)}.`]),
  ];
}

/** The text of the match file. */
export function matchFileText(trace: Trace, options: MatchOutOptions): string {
  const events = chosen(trace, options);
  const [consumed, final] = [consumedOf(trace), finalOf(trace)];
  const { kind, where, message } = trace.outcome;
  const outcome = { kind, ...literals({ where, message }) };
  const document = new Document(
    {
      expect: 'match',
      run: options.run,
      ...(events.length > 0 && { match: events.map(directive) }),
      ...(options.suppress !== undefined && { suppress: options.suppress }),
      ...(Object.keys(consumed).length > 0 && { consumed }),
      ...(Object.keys(final).length > 0 && { final }),
      outcome,
    },
    { ...hexAsText, aliasDuplicateObjects: false },
  );
  visit(document, {
    Collection: (_key, node, ancestors) => {
      // The file, its sections of names and directives, and each directive are blocks; anything in them is a line.
      const around = ancestors.at(-1);
      const name = isPair(around) && isScalar(around.key) ? around.key.value : undefined;
      const section = ancestors.length === 3 && BLOCKS.has(name);
      node.flow = !(ancestors.length === 1 || section || isSeq(around));
    },
  });
  const head = comments(options.patches, events).map((line) => `# ${line}\n`);
  return `${head.join('')}${yamlText(document)}`;
}
