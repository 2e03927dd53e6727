/**
 * The vocabulary of a trace: each kind of event with its fields in the order they are printed. The first field of a kind
 * is its principal one: its value is printed beside the kind. A kind or field that is not in this table is refused, when
 * it is emitted and when it is read, so that a misspelt field of an expectation never counts as an absent one.
 */

/**
 * How events of a kind may merge: with an equal one within a window (`nearby`), or only with the event just before
 * (`adjacent`, `line`). Other events merge across a line of the kernel's log (`line`): a loop may print one per iteration.
 */
export type Merging = 'nearby' | 'adjacent' | 'line';

interface KindRow {
  readonly fields: readonly [string, ...string[]];
  readonly merging: Merging;
}

const MAPPING = ['va', 'pa', 'size', 'flags', 'C', 'type', 'table', 'reserved'] as const;
const REENCRYPTION = ['pa', 'bytes', 'via'] as const;

/**
 * All kinds. Our choice: an event that changes the state of the CPU, or ends the boot, stays in order with the events
 * around it (`adjacent`); what a loop does page by page merges into one line (`nearby`).
 */
export const KINDS = {
  enter: { fields: ['fn', 'what'], merging: 'nearby' },
  cpuid: { fields: ['leaf', 'sub', 'eax', 'ebx', 'ecx', 'edx'], merging: 'nearby' },
  rdmsr: { fields: ['msr', 'value'], merging: 'nearby' },
  wrmsr: { fields: ['msr', 'value'], merging: 'adjacent' },
  cr: { fields: ['reg', 'value', 'table', 'C'], merging: 'adjacent' },
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
  ipi: { fields: ['to', 'vector', 'what', 'at'], merging: 'adjacent' },
  vmrun: { fields: ['vmcb', 'C', 'exit', 'why'], merging: 'nearby' },
  vmexit: { fields: ['code', 'info1', 'info2'], merging: 'nearby' },
  console: { fields: ['text'], merging: 'line' },
  read: {
    fields: ['what', 'at', 'pa', 'C', 'bytes', 'value', 'lowmem', 'ebda', 'result'],
    merging: 'nearby',
  },
  fault: {
    fields: ['what', 'why', 'handler', 'va', 'level', 'entry', 'C', 'value', 'reserved'],
    merging: 'adjacent',
  },
  panic: { fields: ['message', 'where'], merging: 'adjacent' },
  outcome: { fields: ['kind', 'where', 'message'], merging: 'adjacent' },
} as const satisfies Record<string, KindRow>;

/** A kind of event. */
export type TraceKind = keyof typeof KINDS;

/** Fields that an event of any kind may have: the CPU it happened on, where there are several. */
export const COMMON_FIELDS = ['cpu'] as const;

/** Fields of an event's origin, and the number of events that a line merges. */
export const ORIGIN_FIELDS = ['in', 'file', 'patch', 'hunk', 'n'] as const;

/** A field that an event of any kind may have. */
export type CommonField = (typeof COMMON_FIELDS)[number];

/** A field that at least one kind has. */
export type OwnField = (typeof KINDS)[TraceKind]['fields'][number];

/** The name of any field of an event. */
export type FieldName = OwnField | CommonField;

/** The principal field of kind K. */
export type PrincipalOf<K extends TraceKind> = (typeof KINDS)[K]['fields'][0];

/** The kinds that have a field N. */
export type KindsWith<N extends OwnField> = {
  [K in TraceKind]: N extends (typeof KINDS)[K]['fields'][number] ? K : never;
}[TraceKind];

/** Every kind, in the table's order. */
export const TRACE_KINDS = Object.keys(KINDS).filter(isKind);

/** Whether `word` is a kind of event. */
export function isKind(word: string): word is TraceKind {
  return Object.hasOwn(KINDS, word);
}

/** The field whose value is printed beside the kind. */
export function principalOf(kind: TraceKind): FieldName {
  return KINDS[kind].fields[0];
}

/** The keys of an event of a kind, other than the kind itself, in the order they are printed. */
export function keysOf(kind: TraceKind): readonly string[] {
  return [...KINDS[kind].fields.slice(1), ...COMMON_FIELDS, ...ORIGIN_FIELDS];
}

/** The kind of an event: its first key that is a kind; undefined if there is none. */
export function kindOf(event: Readonly<Record<string, unknown>>): TraceKind | undefined {
  return Object.keys(event).find(isKind);
}

/** Where an executed image is entered: at its ELF's entry, or at the decompressor of a bzImage. */
export const IMAGE_ENTRIES = ['kernel', 'decompressor'] as const;
export type ImageEntry = (typeof IMAGE_ENTRIES)[number];
