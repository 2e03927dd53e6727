/**
 * The events of a step of an executed boot. A real kernel does the same thing thousands of times: equal events of a step
 * are one line, at the place of the first. Where a trace would be too long, the events of a kind beyond the first ones of
 * a step are merged into a line without their details.
 */
import { endOf, isSpan, type EventFields, type Field, type Span } from '../../trace/event.js';
import { principalOf, type FieldName, type TraceKind } from '../../trace/vocabulary.js';

/** A line to be: what happened, in which function, how often. */
export interface Line {
  readonly kind: TraceKind;
  readonly fields: EventFields;
  readonly fn: string;
  readonly n: number;
}

/** The fields that are kept where events are merged without details. */
const KEPT: Readonly<Partial<Record<TraceKind, readonly FieldName[]>>> = {
  cpuid: ['leaf'],
  wrmsr: ['msr'],
  cr: ['reg', 'C'],
  map: ['size', 'flags', 'C', 'type'],
  unmap: ['size', 'flags', 'C', 'type'],
  protect: ['size', 'flags', 'C', 'type', 'was'],
  'tlb-flush': ['how'],
  'cache-flush': ['how'],
  fault: ['what'],
  dma: ['device', 'direction', 'C'],
};
/** The function of a merged line. */
const SEVERAL = 'several functions';
/** Lines of a kind in a step that keep their details while the boot runs (our choice). */
const MOST = 1000;

const fieldText = (field: Field | undefined): string =>
  isSpan(field) ? `${field.space}${field.start}+${field.length}` : String(field);

const union = (a: Span, b: Span): Span => {
  const start = Math.min(a.start, b.start);
  return { space: a.space, start, length: Math.max(endOf(a), endOf(b)) - start };
};

/** A line without its details: the fields that are kept, and the range that covers all if it is the principal field. */
function merged(line: Line, into: Line | undefined): Line {
  const { kind, fields, n } = line;
  const principal = principalOf(kind);
  const own = fields[principal];
  const before = into?.fields[principal];
  const kept = Object.fromEntries((KEPT[kind] ?? []).map((name) => [name, fields[name]]));
  const covering = isSpan(own) ? (isSpan(before) ? union(own, before) : own) : own;
  const bytes = typeof fields.bytes === 'number' ? { bytes: addBytes(fields, into?.fields) } : {};
  return {
    kind,
    fields: { [principal]: kind === 'console' ? '…' : covering, ...kept, ...bytes },
    fn: SEVERAL,
    n: n + (into?.n ?? 0),
  };
}

const addBytes = ({ bytes }: EventFields, before: EventFields | undefined): number =>
  Number(bytes) + Number(before?.bytes ?? 0);

function keyOf(kind: TraceKind, fields: EventFields, fn: string): string {
  return `${kind} ${fn} ${Object.values(fields).map(fieldText).join(' ')}`;
}

const coarseKey = ({ kind, fields }: Line): string =>
  `${kind} ${(KEPT[kind] ?? []).map((name) => fieldText(fields[name])).join(' ')}`;

/** Lines of which at most `most` of each kind have their details; those of the console have them all. */
export function coarsened(lines: readonly Line[], most: number): Line[] {
  const seen = new Map<TraceKind, number>();
  const coarse = new Map<string, number>();
  const out: Line[] = [];
  for (const line of lines) {
    const count = (seen.get(line.kind) ?? 0) + 1;
    seen.set(line.kind, count);
    if (count <= (line.kind === 'console' ? Infinity : most) || line.kind === 'outcome') {
      out.push(line);
      continue;
    }
    const key = coarseKey(line);
    const index = coarse.get(key) ?? out.length;
    coarse.set(key, index);
    out[index] = merged(line, out[index]);
  }
  return out;
}

export class StepEvents {
  private readonly found = new Map<string, { -readonly [F in keyof Line]: Line[F] }>();
  private readonly kinds = new Map<TraceKind, number>();

  constructor(readonly label: string) {}

  add(kind: TraceKind, fields: EventFields, fn: string): void {
    let key = keyOf(kind, fields, fn);
    let line: Line = { kind, fields, fn, n: 1 };
    const known = this.found.get(key);
    if (known !== undefined) {
      known.n++;
      return;
    }
    const count = this.kinds.get(kind) ?? 0;
    if (count >= MOST) {
      key = `coarse ${coarseKey(line)}`;
      line = merged(line, this.found.get(key));
    } else this.kinds.set(kind, count + 1);
    this.found.set(key, line);
  }

  get lines(): readonly Line[] {
    return [...this.found.values()];
  }
}
