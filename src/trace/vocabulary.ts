/**
 * The words of a trace: each kind of event with its fields in the order they are printed. The first field of a kind is
 * its principal one: its value stands beside the kind. What is not in this table is refused, when it is emitted as well as
 * when it is read, so that a misspelt field of an expectation never passes for an absent one.
 */

/**
 * How events of a kind may merge: with any like event close by, or only with the one just before. Over a line of the
 * kernel's log (`line`) others do merge: a loop may print one for each turn.
 */
export type Merging = 'nearby' | 'neighbour' | 'line';

interface KindRow {
  readonly fields: readonly [string, ...string[]];
  readonly merging: Merging;
}

const MAPPING = ['va', 'pa', 'size', 'flags', 'C', 'type', 'table', 'reserved'] as const;
const REENCRYPTION = ['pa', 'bytes', 'via'] as const;

/**
 * All kinds. Our choice: what changes the state of the CPU, or speaks to a person, keeps its place among its
 * neighbours (`neighbour`); what a loop does page after page gathers in one line (`nearby`).
 */
export const KINDS = {
  enter: { fields: ['fn', 'what'], merging: 'nearby' },
  cpuid: { fields: ['leaf', 'sub', 'eax', 'ebx', 'ecx', 'edx'], merging: 'nearby' },
  rdmsr: { fields: ['msr', 'value'], merging: 'nearby' },
  wrmsr: { fields: ['msr', 'value'], merging: 'neighbour' },
  cr: { fields: ['reg', 'value', 'table', 'C'], merging: 'neighbour' },
  map: { fields: MAPPING, merging: 'nearby' },
  unmap: { fields: MAPPING, merging: 'nearby' },
  protect: { fields: [...MAPPING, 'was'], merging: 'nearby' },
  'tlb-flush': { fields: ['how', 'va'], merging: 'nearby' },
  'cache-flush': { fields: ['how', 'va', 'pa'], merging: 'nearby' },
  copy: { fields: ['from', 'to', 'fromPa', 'toPa', 'fromC', 'toC'], merging: 'nearby' },
  fill: { fields: ['at', 'pa', 'value', 'C', 'type'], merging: 'nearby' },
  encrypt: { fields: REENCRYPTION, merging: 'nearby' },
  decrypt: { fields: REENCRYPTION, merging: 'nearby' },
  dma: {
    fields: ['device', 'direction', 'bus', 'pa', 'bytes', 'C', 'via', 'what', 'result'],
    merging: 'nearby',
  },
  ipi: { fields: ['to', 'vector', 'what', 'at'], merging: 'neighbour' },
  vmrun: { fields: ['vmcb', 'C', 'exit', 'why'], merging: 'nearby' },
  vmexit: { fields: ['code', 'info1', 'info2'], merging: 'nearby' },
  console: { fields: ['text'], merging: 'line' },
  read: {
    fields: ['what', 'at', 'pa', 'C', 'bytes', 'value', 'lowmem', 'ebda', 'result'],
    merging: 'nearby',
  },
  fault: {
    fields: ['what', 'why', 'handler', 'va', 'level', 'entry', 'C', 'value', 'reserved'],
    merging: 'neighbour',
  },
  panic: { fields: ['message', 'where'], merging: 'neighbour' },
  outcome: { fields: ['kind', 'where', 'message'], merging: 'neighbour' },
} as const satisfies Record<string, KindRow>;

/** A kind of event. */
export type TraceKind = keyof typeof KINDS;

/** Fields that an event of any kind may have: the CPU it happened on, where there are several. */
export const COMMON_FIELDS = ['cpu'] as const;

/** What is printed of an event's origin, and how many events a line stands for. */
export const ORIGIN_FIELDS = ['in', 'file', 'patch', 'hunk', 'n'] as const;

/** A field that an event of any kind may have. */
export type CommonField = (typeof COMMON_FIELDS)[number];

/** A field that the table gives some kind. */
export type OwnField = (typeof KINDS)[TraceKind]['fields'][number];

/** The name of a field of some kind. */
export type FieldName = OwnField | CommonField;

/** The principal field of kind K. */
export type PrincipalOf<K extends TraceKind> = (typeof KINDS)[K]['fields'][0];

/** The kinds that have a field N. */
export type KindsWith<N extends OwnField> = {
  [K in TraceKind]: N extends (typeof KINDS)[K]['fields'][number] ? K : never;
}[TraceKind];

/** Every kind, in the table's order. */
export const TRACE_KINDS = Object.keys(KINDS).filter(isKind);

/** Whether a word is a kind of event. */
export function isKind(word: string): word is TraceKind {
  return Object.hasOwn(KINDS, word);
}

/** The field whose value stands beside the kind. */
export function principalOf(kind: TraceKind): FieldName {
  return KINDS[kind].fields[0];
}

/** The keys that an event of a kind may have besides the kind itself, in the order they are printed. */
export function keysOf(kind: TraceKind): readonly string[] {
  return [...KINDS[kind].fields.slice(1), ...COMMON_FIELDS, ...ORIGIN_FIELDS];
}
