/** The accesses to ranges of physical memory during a boot: by code, key and boot step, newest first. */
import type { Origin as CodeOrigin } from '../trace/event.js';
import { requestingCpu, REQUESTER_PLATFORM, type Requester } from '../machine/requester.js';
import { deviceName } from '../sanitizer/writers.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { PhysicalRange } from './memory.js';

/** What an access does: `walk` reads a page-table entry, `write-back` moves dirty lines to memory. */
export type PastKind = 'read' | 'write' | 'fetch' | 'walk' | 'write-back';

/** Accesses of one kind by one piece of code, one after the other in a step: sizes in bytes. */
export interface Past {
  readonly kind: PastKind;
  readonly step: string;
  /** The function, or the device. */
  readonly in: string;
  readonly file?: string;
  readonly patch?: number;
  readonly hunk?: string;
  /** The CPU; absent for devices. */
  readonly cpu?: number;
  /** 0: without encryption, 1: the host's key, others: guests'. */
  readonly key: number;
  /** First and last physical address that was accessed, within the ranges. */
  readonly first: number;
  readonly last: number;
  /** The linear address of the first access; absent for devices and write-backs. */
  readonly va?: number;
  readonly n: number;
}

/** An entry that grows while the same code goes on. */
type Growing = { -readonly [Field in keyof Past]: Past[Field] };

/** Accesses that are recorded apart: older ones are forgotten beyond this many (our choice). */
const MOST = 10_000;

export class History {
  private readonly past: Growing[] = [];
  /** Entries that were forgotten. */
  forgotten = 0;

  /** @param most entries that are kept. */
  constructor(
    private readonly boot: InspectedBoot,
    private readonly ranges: readonly PhysicalRange[],
    private readonly most = MOST,
  ) {}

  /** Records from now on. Returns the function that ends this. */
  listen(): () => void {
    const { probes } = this.boot.machine;
    const ends = [
      probes.accessed.listen((kind, cpu, va, pa, key, _type, length) => {
        this.add(kind, pa, length, key, cpu, va);
      }),
      probes.walked.listen((cpu, va, pa, key) => {
        this.add('walk', pa, 8, key, cpu, va);
      }),
      probes.dma.listen((kind, requester, pa, key, length) => {
        // The platform reads for reports only; what it writes is the loader's and firmware's.
        if (kind === 'read' && requester === REQUESTER_PLATFORM) return;
        this.add(kind, pa, length, key, requester);
      }),
      probes.writtenBack.listen((pa, key, length, origin) => {
        this.add('write-back', pa, length, key, undefined, undefined, origin);
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** The step of the oldest entry that is kept: what was before it is known only if none was forgotten. */
  get since(): string | undefined {
    return this.past[0]?.step;
  }

  /** What was recorded, newest first. */
  get newestFirst(): readonly Past[] {
    return [...this.past].reverse();
  }

  private add(
    kind: PastKind,
    pa: number,
    length: number,
    key: number,
    requester: Requester | undefined,
    va?: number,
    origin?: number,
  ): void {
    for (const { base, size } of this.ranges) {
      const first = Math.max(pa, base);
      const last = Math.min(pa + length, base + size) - 1;
      if (first > last) continue;
      const at = va === undefined ? undefined : va + first - pa;
      this.record({
        ...{ kind, step: this.boot.currentLabel ?? 'loader', key, first, last, n: 1 },
        ...this.by(requester, origin),
        ...(at !== undefined && { va: at }),
      });
    }
  }

  private record(entry: Growing): void {
    const previous = this.past.at(-1);
    if (previous !== undefined && isSame(previous, entry)) {
      previous.first = Math.min(previous.first, entry.first);
      previous.last = Math.max(previous.last, entry.last);
      previous.n++;
      return;
    }
    this.past.push(entry);
    if (this.past.length <= this.most) return;
    this.past.shift();
    this.forgotten++;
  }

  private by(
    requester: Requester | undefined,
    origin: number | undefined,
  ): Pick<Past, 'in' | 'file' | 'patch' | 'hunk' | 'cpu'> {
    const { boot } = this;
    if (origin !== undefined) return { in: boot.nameOf(origin) || 'loader' };
    const cpu = requester === undefined ? undefined : requestingCpu(requester);
    if (cpu === undefined && requester !== REQUESTER_PLATFORM) {
      const device = requester === undefined ? undefined : deviceName(boot.machine, requester);
      return { in: device ?? 'device' };
    }
    const { fn, ...code }: CodeOrigin = boot.code();
    return { in: fn, ...code, ...(cpu !== undefined && { cpu }) };
  }
}

function idOf({ kind, step, in: by, hunk = '', cpu, key }: Past): string {
  return [kind, step, by, hunk, cpu, key].join(' ');
}

function isSame(a: Past, b: Past): boolean {
  return idOf(a) === idOf(b);
}
