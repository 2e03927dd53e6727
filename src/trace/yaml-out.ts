/** Writes a trace as YAML or JSON. Deterministic: equal traces give equal bytes. */
import { own } from '../base/own.js';
import { Document, isCollection, isMap, isPair, isScalar, isSeq, visit, type Node } from 'yaml';
import { jsonText } from '../base/printable.js';
import { hexAsText } from '../base/yaml-source.js';
import { yamlText } from '../base/yaml-text.js';
import { canonicalFiles, canonicalOwnHunks } from './run-files.js';
import { reportInOrder, type SanitizerReport } from './report.js';
import { kindOf, TRACE_SCHEMA, type Scalar, type Trace, type TraceEvent } from './trace.js';
import { keysOf } from './vocabulary.js';

/** How a trace is written. */
export interface PrintOptions {
  /** Path of the JSON Schema relative to the file, for editors: `../../schemas/trace.schema.json`. */
  readonly schema?: string;
}

/** An event with its keys in the vocabulary's order: the kind first. */
export function inOrder(event: TraceEvent): TraceEvent {
  const kind = kindOf(event);
  if (kind === undefined) return event;
  const out: Record<string, Scalar> = {};
  for (const key of [kind, ...keysOf(kind)]) {
    const value = own(event, key);
    if (value !== undefined) out[key] = value;
  }
  return out;
}

/** A trace with all keys in the order they are written. */
export function canonical(trace: Trace): Trace {
  const { header, steps, consumed, final, outcome } = trace;
  const ordered: Trace = {
    schema: TRACE_SCHEMA,
    header: {
      ...(header.version !== undefined && { version: header.version }),
      ...(header.execute !== undefined && { execute: header.execute }),
      ...(header.entry !== undefined && { entry: header.entry }),
      ...(header.until !== undefined && { until: header.until }),
      ...(header.maxInstructions !== undefined && { maxInstructions: header.maxInstructions }),
      scenario: header.scenario,
      scenarioDigest: header.scenarioDigest,
      stage: header.stage,
      activate: header.activate,
      without: header.without,
      ...(header.stub !== undefined && { stub: header.stub }),
      with: header.with,
      ...(header.ownHunks && { ownHunks: canonicalOwnHunks(header.ownHunks) }),
      settings: sorted(header.settings),
      seed: header.seed,
      ...(header.cache && { cache: canonicalCache(header.cache) }),
      ...(header.optionsNotModelled && { optionsNotModelled: header.optionsNotModelled }),
      ...(trace.reports === undefined && { sanitize: false }),
      image: {
        name: header.image.name,
        digest: header.image.digest,
        ...(header.image.version !== undefined && { version: header.image.version }),
      },
      ...(header.files && { files: canonicalFiles(header.files) }),
      config: sorted(header.config),
      overlay: header.overlay,
    },
    steps: steps.map(({ label, events }) => ({ label, events: events.map(inOrder) })),
    consumed: consumed.map(({ name, by, intact, firstDifference }) => ({
      name,
      by,
      intact,
      ...(firstDifference !== undefined && { firstDifference }),
    })),
    final: {
      regions: final.regions.map(({ name, pa, bytes, state, digest }) => ({
        name,
        pa,
        bytes,
        state,
        digest,
      })),
      ...(final.screen !== undefined && { screen: final.screen }),
    },
    outcome: {
      kind: outcome.kind,
      ...(outcome.where !== undefined && { where: outcome.where }),
      ...(outcome.message !== undefined && { message: outcome.message }),
    },
  };
  return trace.reports === undefined
    ? ordered
    : { ...ordered, reports: trace.reports.map(reportInOrder) };
}

function canonicalCache({
  size,
  writeBack,
}: NonNullable<Trace['header']['cache']>): Trace['header']['cache'] {
  return { ...(size !== undefined && { size }), ...(writeBack !== undefined && { writeBack }) };
}

function sorted(settings: Readonly<Record<string, Scalar>>): Record<string, Scalar> {
  return Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a collection is in flow style (one line): events, regions and lists of scalars, except a screen (`block`). */
function isFlow(node: Node, depth: number, block: boolean): boolean {
  if (isSeq(node)) return !block && !node.items.some(isCollection);
  if (!isMap(node)) return false;
  return (
    node.items.length === 0 || (depth >= 2 && !node.items.some(({ value }) => isCollection(value)))
  );
}

/** Whether a node is the section of the reports, with a line for each. */
const isReports = (node: unknown): boolean =>
  isPair(node) && isScalar(node.key) && node.key.value === 'reports';

/** The trace as YAML: a block per step, a line per event. */
export function printTrace(trace: Trace, options: PrintOptions = {}): string {
  const document = new Document(canonical(trace), { ...hexAsText, aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_key, node, ancestors) => {
      const inList = ancestors.at(-1);
      const name = isPair(inList) && isScalar(inList.key) ? inList.key.value : undefined;
      const report = isMap(node) && isReports(ancestors.at(-2));
      node.flow = report || isFlow(node, isSeq(inList) ? 2 : 0, name === 'screen');
    },
  });
  const body = yamlText(document);
  return options.schema === undefined
    ? body
    : `# yaml-language-server: $schema=${options.schema}\n${body}`;
}

/** One event as a line of the trace, without the dash. */
export function printEvent(event: TraceEvent): string {
  const document = new Document(inOrder(event), hexAsText);
  if (isCollection(document.contents)) document.contents.flow = true;
  return yamlText(document).trimEnd();
}

/** One report as a line of the trace, without the dash. */
export function printReport(report: SanitizerReport): string {
  const document = new Document(reportInOrder(report), hexAsText);
  if (isCollection(document.contents)) document.contents.flow = true;
  return yamlText(document).trimEnd();
}

/** The trace as JSON, with the same data as the YAML. */
export function printTraceJson(trace: Trace): string {
  return jsonText(canonical(trace));
}

/**
 * The trace as lines of JSON, for programs that read line by line: the header; each event with its `step`; then a line for
 * each item of the other sections, under the name of one. A step without events is a line of its own.
 */
export function printTraceLines(trace: Trace): string {
  const { schema, header, steps, consumed, final, outcome, reports = [] } = canonical(trace);
  const lines: object[] = [
    { schema, header },
    ...steps.flatMap(({ label, events }) =>
      events.length === 0 ? [{ step: label }] : events.map((event) => ({ step: label, event })),
    ),
    ...consumed.map((each) => ({ consumed: each })),
    ...final.regions.map((region) => ({ region })),
    ...(final.screen === undefined ? [] : [{ screen: final.screen }]),
    ...reports.map((report) => ({ report })),
    { outcome },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
