/**
 * A trace as Perfetto's TrackEvent packets, for its UI and trace_processor (protos/perfetto/trace: trace_packet.proto,
 * track_event/track_event.proto, track_descriptor.proto; their field numbers). A pure function of the trace.
 *
 * Time is virtual, our choice: each line of the trace takes a microsecond. Tracks: the boot steps; each CPU, with a slice
 * for each run of lines of one function and an instant for each line; firmware, the loader and each device; the console;
 * the sanitizer. Flows lead from the lines that last wrote a physical range to a line that reads it. Counters are given with
 * the trace, which has none.
 */
import { PbfWriter } from 'pbf';
import { ownOf } from '../base/own.js';
import { inPlaceRange, overlap, readRange, writtenRange, type TextRange } from './event-ranges.js';
import { kindOf, titleOf, type Trace, type TraceEvent } from './trace.js';

/** Nanoseconds of a line. */
const TICK = 1000;
/** The one writer of packets; any number but 0. */
const SEQUENCE = 1;
const PID = 1;

/** Fields of the messages, by their numbers. */
const PACKET = { timestamp: 8, sequence: 10, event: 11, track: 60 } as const;
const TRACK = { uuid: 1, name: 2, process: 3, parent: 5, counter: 8 } as const;
const COUNTER = { unit: 3 } as const;
const SIZE_BYTES = 3;
const PROCESS = { pid: 1, name: 6 } as const;
const EVENT = { annotations: 4, type: 9, track: 11, categories: 22, name: 23, count: 30 } as const;
const FLOWS = { from: 47, ending: 48 } as const;
const ANNOTATION = { bool: 2, int: 4, double: 5, string: 6, name: 10 } as const;
const TYPE = { begin: 1, end: 2, instant: 3, counter: 4 } as const;

type Fields = Readonly<Record<string, unknown>>;

interface Item {
  readonly type: (typeof TYPE)[keyof typeof TYPE];
  readonly track: number;
  readonly time: number;
  readonly name?: string;
  readonly category?: string;
  readonly fields?: Fields;
  /** Flows that pass through, and those that end here. */
  readonly flows?: readonly number[];
  readonly ending?: readonly number[];
  /** Of a counter. */
  readonly count?: number;
}

/** A number of bytes at the end of a boot step. */
export interface CounterSample {
  readonly step: string;
  /** Of the counter. */
  readonly name: string;
  readonly bytes: number;
}

/** The file of a trace. @param counters in the order of the boot. */
export function printPerfetto(trace: Trace, counters: readonly CounterSample[] = []): Uint8Array {
  const tracks = new Tracks(titleOf(trace.header));
  const items = itemsOf(trace, tracks, counters);
  const out = new PbfWriter();
  for (const [index, { name, parent, counter }] of tracks.all.entries()) {
    packet(out, (w) => {
      message(w, PACKET.track, (m) => {
        m.writeVarintField(TRACK.uuid, index + 1);
        m.writeStringField(TRACK.name, name);
        if (counter) {
          message(m, TRACK.counter, (c) => {
            c.writeVarintField(COUNTER.unit, SIZE_BYTES);
          });
        }
        if (parent !== undefined) m.writeVarintField(TRACK.parent, parent);
        else {
          message(m, TRACK.process, (p) => {
            p.writeVarintField(PROCESS.pid, PID);
            p.writeStringField(PROCESS.name, name);
          });
        }
      });
    });
  }
  for (const item of items) writeItem(out, item);
  return out.finish();
}

/** The tracks in the order of their first event; a uuid is the place in the list, counted from 1. */
class Tracks {
  readonly all: {
    readonly name: string;
    readonly parent: number | undefined;
    readonly counter: boolean;
  }[] = [];
  private readonly byName = new Map<string, number>();

  constructor(title: string) {
    this.all.push({ name: title, parent: undefined, counter: false });
    this.of('boot steps');
  }

  of(name: string, counter = false): number {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const uuid = this.all.push({ name, parent: 1, counter });
    this.byName.set(name, uuid);
    return uuid;
  }
}

/** The slices and instants, ascending by time. */
function itemsOf(
  { steps, reports = [] }: Trace,
  tracks: Tracks,
  counters: readonly CounterSample[],
): Item[] {
  const items: Item[] = [];
  const counts = new Map<string, number>();
  const flows = flowsOf(steps.flatMap(({ events }) => events));
  let line = 0;
  for (const { label, events } of steps) {
    const track = tracks.of('boot steps');
    items.push({ type: TYPE.begin, track, time: line * TICK, name: label, category: 'step' });
    let open: { readonly track: number; readonly name: string } | undefined;
    const close = (): void => {
      if (open) items.push({ type: TYPE.end, track: open.track, time: line * TICK });
      open = undefined;
    };
    for (const event of events) {
      const at = tracks.of(trackOf(event));
      const name = nameOf(event);
      const code = isCode(event) && event.in !== undefined ? textOf(event.in) : undefined;
      if (open !== undefined && (open.track !== at || open.name !== code)) close();
      if (open === undefined && code !== undefined) {
        open = { track: at, name: code };
        const { file, patch, hunk } = event;
        const fields = { file, patch, hunk };
        items.push({ type: TYPE.begin, track: at, time: line * TICK, name: code, fields });
      }
      items.push({
        ...{ type: TYPE.instant, track: at, time: line * TICK, name },
        ...{ category: kindOf(event) ?? 'event', fields: event },
        ...flows.get(line),
      });
      line++;
    }
    close();
    for (const report of reports.filter(({ step }) => step === label)) {
      const { rule, at } = report;
      items.push({
        ...{ type: TYPE.instant, track: tracks.of('sanitizer'), time: line * TICK },
        ...{ name: `${rule} at ${at}`, category: 'report', fields: report },
      });
    }
    for (const { name, bytes } of counters.filter(({ step }) => step === label)) {
      if (counts.get(name) === bytes) continue;
      counts.set(name, bytes);
      const counter = tracks.of(name, true);
      items.push({ type: TYPE.counter, track: counter, time: line * TICK, count: bytes });
    }
    items.push({ type: TYPE.end, track, time: line * TICK });
  }
  return items;
}

/** What is no code of the kernel: transfers of devices, and the console. */
const isCode = (event: TraceEvent): boolean => !['dma', 'console'].includes(kindOf(event) ?? '');

function trackOf(event: TraceEvent): string {
  const fields: Fields = event;
  if (fields.dma !== undefined) return textOf(fields.dma);
  if (fields.console !== undefined) return 'console';
  return `CPU ${textOf(fields.cpu ?? 0)}`;
}

/** `map 0x1000..0x1fff`: the kind and its principal field, of a transfer what it moves; a line of the console is its text. */
function nameOf(event: TraceEvent): string {
  const kind = kindOf(event);
  if (kind === undefined) return 'event';
  const fields: Fields = event;
  const said = textOf(kind === 'dma' ? (fields.what ?? fields.dma) : ownOf(fields, kind));
  return kind === 'console' ? said : `${kind} ${said}`;
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

interface Flows {
  readonly flows?: number[];
  readonly ending?: number[];
}

/** The flows of each line, by its number: from the lines that last wrote the parts of a range to a line that reads it. */
function flowsOf(events: readonly TraceEvent[]): Map<number, Flows> {
  const flows = new Map<number, Flows>();
  const written: Written[] = [];
  let last = 0;
  events.forEach((event, line) => {
    const read = readRange(event);
    for (const writer of read === undefined ? [] : writersOf(read, written)) {
      const id = ++last;
      const [from, to] = [flows.get(writer), flows.get(line)];
      flows.set(writer, { ...from, flows: [...(from?.flows ?? []), id] });
      flows.set(line, { ...to, ending: [...(to?.ending ?? []), id] });
    }
    const range = writtenRange(event) ?? inPlaceRange(event);
    if (range !== undefined) written.push({ ...range, line });
  });
  return flows;
}

type Written = TextRange & { readonly line: number };

/** The lines that last wrote the parts of a range, ascending. */
function writersOf(range: TextRange, written: readonly Written[]): number[] {
  const found: number[] = [];
  let left: TextRange[] = [range];
  for (let i = written.length - 1; i >= 0 && left.length > 0; i--) {
    const each = written[i];
    if (each === undefined || !left.some((part) => overlap(part, each))) continue;
    found.unshift(each.line);
    left = left.flatMap(({ start, end }) =>
      [
        { start, end: Math.min(end, each.start) },
        { start: Math.max(start, each.end), end },
      ].filter((part) => part.start < part.end),
    );
  }
  return found;
}

// --- Messages ----------------------------------------------------------------------------------------------------

/** A packet of the file: Trace.packet is field 1. */
function packet(out: PbfWriter, body: (w: PbfWriter) => void): void {
  message(out, 1, (w) => {
    body(w);
    w.writeVarintField(PACKET.sequence, SEQUENCE);
  });
}

function message(w: PbfWriter, field: number, body: (w: PbfWriter) => void): void {
  w.writeMessage(field, body, w);
}

function writeItem(out: PbfWriter, item: Item): void {
  packet(out, (w) => {
    w.writeVarintField(PACKET.timestamp, item.time);
    message(w, PACKET.event, (m) => {
      m.writeVarintField(EVENT.type, item.type);
      m.writeVarintField(EVENT.track, item.track);
      if (item.name !== undefined) m.writeStringField(EVENT.name, item.name);
      if (item.category !== undefined) m.writeStringField(EVENT.categories, item.category);
      if (item.count !== undefined) m.writeVarintField(EVENT.count, item.count);
      for (const [name, value] of Object.entries(item.fields ?? {})) {
        if (value !== undefined) annotation(m, name, value);
      }
      for (const id of item.flows ?? []) m.writeFixed64Field(FLOWS.from, id);
      for (const id of item.ending ?? []) m.writeFixed64Field(FLOWS.ending, id);
    });
  });
}

function annotation(w: PbfWriter, name: string, value: unknown): void {
  message(w, EVENT.annotations, (m) => {
    m.writeStringField(ANNOTATION.name, name);
    if (typeof value === 'boolean') m.writeBooleanField(ANNOTATION.bool, value);
    else if (typeof value !== 'number') m.writeStringField(ANNOTATION.string, textOf(value));
    else if (Number.isSafeInteger(value)) m.writeVarintField(ANNOTATION.int, value);
    else m.writeDoubleField(ANNOTATION.double, value);
  });
}
