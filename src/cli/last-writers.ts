/**
 * The code that overwrote, or encrypted in place, what firmware or the loader put into memory, where a boot read it
 * wrong: for the lines of the summary. From the machine's record of last writes, and the events of the trace.
 */
import { UNNAMED, wrongRead } from '../analysis/matrix/key-mismatch.js';
import { LOADER_LABEL, type Boot } from '../sequencer/boot.js';
import { inPlaceRange, overlap, writtenRange, type TextRange } from '../trace/event-ranges.js';
import type { Consumed, Trace, TraceEvent } from '../trace/trace.js';
import { kindOf } from '../trace/trace.js';

/** The first wrong byte of a read: its physical address, its last writer at that time, and the step. */
interface Wrong {
  readonly pa: number;
  readonly writer: string;
  readonly label: string;
}

const keyOf = (name: string, by: string): string => JSON.stringify([name, by]);

/** The loader's region that the kernel itself writes to. */
const KERNEL_IMAGE = 'kernel image';

const has = (range: TextRange | undefined, pa: number): boolean =>
  range !== undefined && overlap(range, { start: pa, end: pa + 1 });
const writes = (event: TraceEvent, pa: number): boolean => has(writtenRange(event), pa);
/** Whether an event encrypts or decrypts an address in place. */
const inPlace = (event: TraceEvent, pa: number): boolean => has(inPlaceRange(event), pa);

/** A function with its hunk. */
const nameOf = (fn: string, hunk: unknown): string =>
  typeof hunk === 'string' ? `${fn} (${hunk})` : fn;

/** Collects the wrong reads of a boot while it runs. */
export class LastWriters {
  private readonly found = new Map<string, Wrong>();

  constructor(private readonly boot: Boot) {
    boot.recorder.onReadCheck((check) => {
      const key = keyOf(check.name, check.by);
      if (check.intact || this.found.has(key)) return;
      const { pa, writer } = wrongRead(boot, check);
      if (pa === undefined || writer === undefined || writer === UNNAMED) return;
      this.found.set(key, { pa: Number(pa), writer, label: boot.ahead[0] ?? '' });
    });
  }

  /** To be called before each step: the kernel that runs records its reads. */
  beforeStep(): void {
    this.boot.kernel.trace.reads ??= [];
  }

  /**
   * The lines below that of a wrong read: the function, and its hunk, that overwrote what firmware or the loader put
   * there, or those that encrypted it in place. None if no function did, or if the read was of another address.
   */
  lines({ name, by }: Consumed, { steps }: Trace): string[] {
    const wrong = this.found.get(keyOf(name, by));
    if (wrong === undefined) return [];
    const { pa, writer, label } = wrong;
    const placed = steps
      .find((step) => step.label === LOADER_LABEL)
      ?.events.some((event) => event.what !== KERNEL_IMAGE && writes(event, pa));
    if (placed !== true) return [];
    const to = steps.findIndex((step) => step.label === label);
    const events = steps.slice(1, to + 1).flatMap((step) => step.events);
    // The last writer may have encrypted in place what another function had overwritten before.
    const at = events.findLastIndex((event) => event.in === writer && inPlace(event, pa));
    if (at < 0) return [`overwritten by ${nameOf(writer, this.hunkOf(writer))}`];
    const before = events.slice(0, at).findLast((event) => writes(event, pa));
    if (before !== undefined) return [`overwritten by ${nameOf(String(before.in), before.hunk)}`];
    return events
      .slice(0, at + 1)
      .filter((event) => inPlace(event, pa))
      .map(
        (event, index) =>
          `${index === 0 ? '' : 'then '}${String(kindOf(event))}ed in place by ${nameOf(String(event.in), event.hunk)}`,
      );
  }

  private hunkOf(fn: string): string | undefined {
    return this.boot.kernel.table.get(fn)?.hunk;
  }
}
