/** A boot for programs: its steps, its trace, and the machine at any label. */
import { asSource, type ByteSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';
import { checkLimit, LIMITS } from '../base/limits.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import type { Region } from '../firmware/placed.js';
import type { BusLog, ClearAccess } from '../inspect/exposure/bus-log.js';
import {
  exposureAt,
  recordBus,
  type ExposedRange,
  type Exposure,
} from '../inspect/exposure/exposure.js';
import { bytesOf, type MemoryView } from '../inspect/memory.js';
import { parsePlace, physicalRanges, virtualOf } from '../inspect/place.js';
import { mappedRanges, type MappedRange } from '../inspect/tables.js';
import { walkOf, type Walk } from '../inspect/walk.js';
import type { Machine } from '../machine/machine.js';
import type { BlockCipherFactory } from '../machine/types.js';
import { Boot as Sequencer } from '../sequencer/boot.js';
import type { Digest } from '../sequencer/final-state.js';
import type { SanitizerReport } from '../trace/report.js';
import type { Outcome, Trace, TraceEvent } from '../trace/trace.js';
import type { LoadedScenario } from './scenario.js';
import { ownOf, selectionOf } from './selection.js';
import type { Selection } from './series.js';

export type {
  ByteSource,
  ClearAccess,
  ExposedRange,
  Exposure,
  KernelImage,
  MappedRange,
  MemoryView,
  Region,
  Walk,
};
export { type WalkLevel } from '../inspect/walk.js';

/** What is booted, besides the scenario. */
export interface BootOptions extends Selection {
  /** A kernel image, of `readKernelImage`; default: the built-in one. */
  readonly image?: KernelImage | undefined;
  /** Default: the built-in initrd. */
  readonly initrd?: Uint8Array | undefined;
  /** A flattened device tree for the setup_data chain, instead of the scenario's. */
  readonly deviceTree?: Uint8Array | undefined;
  /** Whether the sanitizer watches the boot, and the trace has its reports; default: true. */
  readonly sanitize?: boolean | undefined;
}

/** What a host provides: the same results on each, at different speeds. */
export interface Host {
  readonly cipher: BlockCipherFactory;
  /** SHA-256 in lower-case hexadecimal. */
  readonly digest: Digest;
}

/** The state of a boot between two steps. */
export interface Snapshot {
  /** The label of the last step that had run; undefined: none. */
  readonly after: string | undefined;
  /** Puts the boot back into this state. It can be done more than once. */
  restore(): void;
}

/**
 * A boot that has not begun. A place (`text` below) is an address, a symbol or a region, with optional [index] and +offset:
 * `early_level4_pgt[511]`, `initrd+64`, `kernel text`, `0x1000000`.
 */
export class Boot {
  readonly #boot: Sequencer;

  /** Throws InputError for a selection that does not build, and for input that does not fit the machine. */
  constructor(loaded: LoadedScenario, options: BootOptions, host: Host) {
    const { scenario, digest, settings, file } = loaded;
    const { image, initrd, deviceTree, sanitize = true } = options;
    const own = ownOf(options);
    this.#boot = new Sequencer({
      scenario,
      scenarioDigest: digest,
      settings,
      ...(file !== undefined && { files: { scenario: file } }),
      ...selectionOf(options, own),
      ...(own !== undefined && { ownHunks: own.modules }),
      ...(image !== undefined && { image }),
      ...(initrd !== undefined && { initrd: asSource(initrd) }),
      ...(deviceTree !== undefined && { deviceTree }),
      sanitize,
      ...host,
    });
  }

  /** The machine. Changing it changes the boot. */
  get machine(): Machine {
    return this.#boot.machine;
  }

  /** Labels of all steps that this boot can have, in order. */
  get labels(): readonly string[] {
    return this.#boot.labels;
  }

  /** Labels of the steps that have not run; empty if the boot has ended. The first is the next one. */
  get ahead(): readonly string[] {
    return this.#boot.ahead;
  }

  /** How the boot ended; null while it runs. */
  get outcome(): Outcome | null {
    return this.#boot.outcome;
  }

  /** Whether the step of a label has run: a boot that ends early does not reach the later ones. */
  reached(label: string): boolean {
    const { labels } = this.#boot;
    return labels.indexOf(label) >= 0 && labels.indexOf(label) < this.#steps;
  }

  /** Runs one step; false if the boot has ended. Throws UnmodelledError for a part of the machine that is not modelled. */
  step(): boolean {
    if (this.#boot.outcome === null) this.#steps++;
    if (this.#log !== undefined) this.#log.step = this.#steps - 1;
    return this.#boot.step();
  }

  /** Runs up to and including the step of a label; false if the boot ended before it. Throws E_LABEL for an unknown label. */
  runTo(label: string): boolean {
    const { labels } = this.#boot;
    if (!labels.includes(label)) this.#boot.runTo(label);
    while (!this.reached(label) && this.step());
    return this.reached(label);
  }

  /** Runs to the end and returns the trace. */
  run(): Trace {
    while (this.step());
    return this.#boot.finish();
  }

  /** The events of a step that has run, by label, as the trace has them; empty for any other label. */
  eventsOf(label: string): readonly TraceEvent[] {
    return this.#boot.recorder.eventsOf(label);
  }

  /** The reports of the sanitizer so far, in the order of the first of each; none if it is off. */
  reports(): readonly SanitizerReport[] {
    return this.#boot.reports();
  }

  /** Named ranges of physical memory, in bytes: the kernel's sections, the initrd, firmware tables. */
  regions(): readonly Region[] {
    return this.#boot.regions();
  }

  /** The page walk of the boot processor for a place, level by level, and its end. Has no side effects. */
  translate(text: string): Walk {
    const { machine } = this.#boot;
    return walkOf(machine, machine.cpus[0], virtualOf(parsePlace(this.#boot, text, 'va')));
  }

  /** The current page tables as ranges of pages with equal attributes, by virtual address. */
  pageTables(): MappedRange[] {
    const { machine } = this.#boot;
    return mappedRanges(machine, machine.cpus[0]);
  }

  /**
   * Reads `length` bytes of physical memory from a place on. Throws E_PLACE for an unknown place, E_NOT_MAPPED for a virtual
   * address that the tables do not map, E_MEM for a length outside 1 byte to 64 MiB.
   */
  read(text: string, length: number, view: MemoryView): Uint8Array {
    checkLimit(LIMITS.savedMemory, length, {});
    if (!Number.isInteger(length) || length < 1) {
      throw new InputError({ code: 'E_MEM', expected: 'a number of bytes', found: `${length}` });
    }
    const place = parsePlace(this.#boot, text, 'pa');
    return bytesOf(this.#boot.machine, physicalRanges(this.#boot, place, length, text), view);
  }

  /**
   * Records from now on who uses memory without a key; call it before the first step. A boot that is restored to a snapshot
   * has the record of all steps that have run since.
   */
  recordBus(): void {
    this.#log ??= recordBus(this.#boot);
  }

  /**
   * The memory that is in the clear now: what a probe on the memory bus would read. Without `recordBus` the reasons that need
   * a record are `not-known`.
   */
  exposure(): Exposure {
    return exposureAt(this.#boot, this.#log);
  }

  /** The whole state of the boot between two steps, to return to. */
  snapshot(): Snapshot {
    const [state, steps] = [this.#boot.snapshot(), this.#steps];
    return {
      after: steps === 0 ? undefined : this.#boot.labels[steps - 1],
      restore: () => {
        this.#boot.restore(state);
        this.#steps = steps;
      },
    };
  }

  /** Number of steps that have begun. */
  #steps = 0;
  #log: BusLog | undefined;
}
