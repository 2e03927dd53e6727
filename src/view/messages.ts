/** What the page asks of its worker, and what the worker answers. All of it can be cloned (HTML: structured clone). */
import type { Difference } from '../check/compare.js';
import type { CachedRow } from '../inspect/cached.js';
import type { ExposedRange, Exposure } from '../inspect/exposure/exposure.js';
import type { MappedRange } from '../inspect/tables.js';
import type { TlbRow } from '../inspect/tlb.js';
import type { Walk } from '../inspect/walk.js';
import type { SanitizerReport } from '../trace/report.js';
import type { AnyOutcome, Consumed, RegionState, TraceEvent } from '../trace/trace.js';
import type { Choice } from './choice.js';
import type { Layer, Tiles, TileWindow } from './layers.js';

/** A scenario as YAML. */
export interface ScenarioText {
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

/** Files that the boots read, instead of what is built in. */
export interface BootFiles {
  readonly kernel?: { readonly name: string; readonly bytes: Uint8Array } | undefined;
  readonly systemMap?: string | undefined;
  readonly initrd?: Uint8Array | undefined;
  readonly dtb?: Uint8Array | undefined;
}

/** What the worker has from the beginning. */
export interface Setup {
  readonly scenarios: readonly ScenarioText[];
  readonly files: BootFiles;
  /** Whether the sanitizer watches the boots; undefined: those of the model, and no executed ones. */
  readonly sanitize?: boolean | undefined;
}

/** Which of two boots: the one that is shown, or the one that it is compared with. */
export type Side = 'shown' | 'other';

/** A hunk or an alternative of the series. */
export interface HunkRow {
  readonly id: string;
  readonly what: string;
  readonly file: string;
  /** Of an alternative: the hunk that it replaces; '' if it comes on top. */
  readonly instead?: string;
}

/** A patch with its hunks. */
export interface PatchRow {
  readonly number: number;
  readonly hunks: readonly HunkRow[];
  readonly alternatives: readonly HunkRow[];
}

/** What can be chosen. */
export interface Offer {
  readonly version: string;
  readonly patches: readonly PatchRow[];
  /** The number of the last patch. */
  readonly stages: number;
  /** The kernel file that boots; undefined: the built-in image. */
  readonly kernel: { readonly name: string; readonly digest: string } | undefined;
}

/** A boot that has begun. */
export interface Begun {
  readonly title: string;
  /** The kernel image with its version. */
  readonly image: string;
  readonly cmdline: string | null;
  /** Labels of all steps, in order; undefined: instructions are executed, and steps are known when they are reached. */
  readonly labels: readonly string[] | undefined;
  /** The first byte after all RAM. */
  readonly end: number;
  readonly ram: readonly { readonly base: number; readonly size: number }[];
  /** Where the kernel is loaded, in bytes. */
  readonly kernelAt: number;
  /** The command line that makes the same boot; a file whose name is not known is `FILE`. */
  readonly words: string;
}

/** A step that has run. */
export interface Stepped {
  readonly label: string;
  readonly outcome: AnyOutcome | null;
  /** Rules of the reports that are new with the step. */
  readonly rules: readonly string[];
}

/** What a boot has come to. */
export interface Advance {
  /** The steps that have run since the answer before. */
  readonly steps: readonly Stepped[];
  readonly ended: boolean;
  /** Instructions that have been executed; undefined: the model's functions run. */
  readonly instructions?: number | undefined;
}

/** A named range of memory, as DRAM has it. */
export interface RegionRow {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly state: RegionState;
}

/** The registers of a CPU, as `inspect --regs` has them. */
export type Registers = Readonly<Record<string, unknown>>;

/** What is known of a step besides the state of the machine after it. */
export interface StepRecord {
  /** Its description. */
  readonly what: string;
  readonly events: readonly TraceEvent[];
  /** The lines of the screen, of an executed boot those of its serial port; undefined: the machine has none. */
  readonly screen: readonly string[] | undefined;
  /** What was read until then; undefined: the readers are not known. */
  readonly reads: readonly Consumed[] | undefined;
  /** undefined: the sanitizer is off. */
  readonly reports: readonly SanitizerReport[] | undefined;
}

/** The state after a step. */
export interface Frame extends StepRecord {
  readonly label: string;
  readonly regions: readonly RegionRow[];
  readonly cpus: readonly Registers[];
  readonly outcome: AnyOutcome | null;
}

/** A line of memory: its last write to DRAM, and its lines in the cache. */
export interface LineRow {
  readonly pa: number;
  /** 0: without encryption; undefined: never written. */
  readonly key: number | undefined;
  readonly writer: string | undefined;
  /** Offsets of the blocks of 16 bytes that this write left as they were, under the key before it. */
  readonly left: readonly number[];
}

/** Who and what is in a range of memory. */
export interface RangeDetails {
  readonly base: number;
  readonly owners: readonly string[];
  /** Regions, blobs and symbols: where one begins in the range, or the offset in the one that the range begins in. */
  readonly names: readonly string[];
  /** Who wrote lines of it last in DRAM, by the first line of each. */
  readonly writers: readonly string[];
  /** Lines that are in the cache, and those of them that are dirty. */
  readonly cached: number;
  readonly dirty: number;
}

/** Bytes of a place in three views. */
export interface MemoryRows {
  readonly place: string;
  readonly ranges: readonly { readonly base: number; readonly size: number }[];
  readonly dram: Uint8Array;
  readonly c0: Uint8Array;
  readonly c1: Uint8Array;
  readonly lines: readonly LineRow[];
  readonly cached: readonly CachedRow[];
  readonly owners: readonly string[];
}

/** A page walk with what the TLB and the cache have of it. */
export interface WalkRows {
  readonly walk: Walk;
  /** The CPU's translation of that address. */
  readonly tlb: TlbRow | undefined;
  /** The cached lines of the entry of each level. */
  readonly cached: readonly (readonly CachedRow[])[];
  /** The name of the linear address, if it has one. */
  readonly symbol: string | undefined;
}

/** What a machine's plaintext is at a label. */
export interface ExposureRows {
  /** CPUs that have encryption on. */
  readonly encryption: readonly number[];
  readonly dram: number;
  readonly cache: number;
  readonly ranges: readonly ExposedRange[];
  /** Blocks that a write under a key left in the clear. */
  readonly remnants: Exposure['remnants'];
}

/** Memory of one region, or of none, that differs between two boots. */
export interface DifferentRange {
  readonly base: number;
  readonly size: number;
  readonly name: string;
}

/** Two boots side by side. */
export interface DifferenceRows {
  /** Undefined while one of them has not ended. */
  readonly traces: Difference | undefined;
  /** The label at which memory was compared: the one that is shown, or the last one that both have. */
  readonly at: string;
  /** Ranges of whole lines whose bytes in DRAM differ; those of the kernel's page tables and stacks too. */
  readonly memory: readonly DifferentRange[];
  /** Ranges that are not listed, because there are more. */
  readonly more: number;
}

/** The questions by name: what each takes, and its answer. */
export interface Questions {
  offer: { readonly ask: Setup; readonly answer: Offer };
  boot: { readonly ask: { side: Side; choice: Choice }; readonly answer: Begun };
  step: { readonly ask: { side: Side }; readonly answer: Advance };
  stop: { readonly ask: { side: Side }; readonly answer: null };
  frame: { readonly ask: { label: string }; readonly answer: Frame };
  tiles: {
    readonly ask: { label: string; layer: Layer; window: TileWindow };
    readonly answer: Tiles;
  };
  range: {
    readonly ask: { label: string; base: number; size: number };
    readonly answer: RangeDetails;
  };
  memory: {
    readonly ask: { label: string; place: string; length: number };
    readonly answer: MemoryRows;
  };
  walk: { readonly ask: { label: string; place: string; cpu: number }; readonly answer: WalkRows };
  tables: { readonly ask: { label: string; cpu: number }; readonly answer: readonly MappedRange[] };
  exposure: { readonly ask: { label: string }; readonly answer: ExposureRows };
  names: { readonly ask: { label: string }; readonly answer: readonly string[] };
  difference: { readonly ask: { label: string }; readonly answer: DifferenceRows };
}
export type QuestionName = keyof Questions;

/** A question, with the number that its answer has too. */
export type Question = {
  [Name in QuestionName]: {
    readonly id: number;
    readonly name: Name;
    readonly ask: Questions[Name]['ask'];
  };
}[QuestionName];

/** An answer: a value, or the text of an error. */
export type Answer =
  | { readonly id: number; readonly value: Questions[QuestionName]['answer'] }
  | { readonly id: number; readonly error: string };
