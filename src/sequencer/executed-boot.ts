/**
 * A boot that executes a kernel image's own instructions: machine, firmware and loader of a scenario, then the image from
 * its ELF's entry, with the zero page that its decompressor leaves. No kernel model, no patches.
 */
import { asSource, type ByteSource } from '../base/byte-source.js';
import { optional } from '../base/optional.js';
import { IO_APIC_ADDRESS, IO_APIC_ID } from '../firmware/acpi/madt.js';
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { builtInInitrd } from '../firmware/initrd.js';
import { load, LOADER_LAYOUT, type Loaded, type Region } from '../firmware/loader.js';
import { stubOf } from '../firmware/image/stub.js';
import { BOOT_DS, type StubEntry } from '../firmware/stub-entry.js';
import { pa, va, type Va } from '../machine/address.js';
import { PcAt } from '../machine/devices/pc-at.js';
import type { Uart16550 } from '../machine/devices/uart-16550.js';
import type { Machine, MachineSnapshot } from '../machine/machine.js';
import { pciRequester } from '../machine/requester.js';
import type { BlockCipherFactory } from '../machine/types.js';
import { firmwareOf } from '../scenario/firmware.js';
import { initrdPlace, kernelRoom, stubRoom } from '../scenario/memory-layout.js';
import type { Scenario } from '../scenario/scenario.js';
import { setupDataOf } from '../scenario/setup-data.js';
import type { AnyOutcome } from '../trace/trace.js';
import type { ImageEntry } from '../trace/vocabulary.js';
import { loadFlat } from '../x86/segments.js';
import { Executor, type ExecutorSnapshot, type RunEnd, type RunOptions } from '../x86/executor.js';
import type { Origin as Code } from '../trace/event.js';
import { GENERAL_REGISTERS } from '../machine/cpu/registers.js';
import { Sanitizer, type SanitizerSnapshot } from '../sanitizer/sanitizer.js';
import { executedHost } from './executed-host.js';
import { outcomeOf, type ExecutedEnd } from './executed-end.js';
import { ExecutedNames, type Progress } from './executed-names.js';
import { loaderRegions, regionsOf } from './regions.js';
import { stepsOf } from './executed-steps.js';
import type { ImageNames, InspectedBoot, MemoryRecords } from './inspected-boot.js';
import { entryPlaces, kernelPlaceAt, type KernelPlace } from './kernel-place.js';
import { LOADER_LABEL } from './loader-label.js';
import { machineOf } from './machine-of.js';
import { recordsAtEntry } from './memory-records.js';
import { labelOf, Stops } from './stops.js';

export interface ExecutedBootOptions {
  readonly scenario: Scenario;
  readonly image: KernelImage;
  /** Default: the built-in initrd. */
  readonly initrd?: Uint8Array | ByteSource;
  readonly cipher: BlockCipherFactory;
  /** Encrypt on the first read of the ciphertext (the default), or at once. */
  readonly lazy?: boolean;
  /** Whether accesses to lines in the cache skip its search (the default); the effect is the same. */
  readonly direct?: boolean;
  /** Where the image is entered: at its ELF's entry (the default), or at its decompressor's stub, which only a bzImage has. */
  readonly entry?: ImageEntry;
  /** A flattened device tree for the setup_data chain, instead of the scenario's. */
  readonly deviceTree?: Uint8Array;
  /** Whether the sanitizer watches the machine; default: no. */
  readonly sanitize?: boolean;
  /** The most instructions of the whole boot. */
  readonly maxInstructions?: number;
  /** Runs of a block of code after which it is translated (Infinity: never). The effect is the same. */
  readonly translateAfter?: number;
}

/** Runs of a block that its translation costs about (our choice). */
const TRANSLATE_AFTER = 100;
/** Bit 7 of xloadflags: XLF_MEM_ENCRYPTION (arch/x86/include/uapi/asm/bootparam.h, since 6.9). */
const XLF_MEM_ENCRYPTION = 0x80;
/** The first release whose decompressor parses `mem_encrypt=` (arch/x86/boot/compressed/misc.c). */
const PARSED_SINCE = { major: 6, minor: 9 } as const;

/** Whether an image's decompressor parses `mem_encrypt=`; an image that names no version does not. */
function parsesMemEncrypt({ version = '' }: KernelImage): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  const { major: since, minor: from } = PARSED_SINCE;
  return Number(major) > since || (Number(major) === since && Number(minor) >= from);
}

/** Where an option first stands as a word of its own, counted from 1; 0: nowhere (cmdline_find_option_bool). */
function positionOf(cmdline: string, option: string): number {
  let at = 0;
  for (const word of cmdline.split(' ')) {
    if (word === option) return at + 1;
    at += word.length + 1;
  }
  return 0;
}

/** Whether the decompressor of a kernel since 6.9 passes XLF_MEM_ENCRYPTION on. */
function encryptionRequested(cmdline: string | null): boolean {
  if (cmdline === null) return false;
  return positionOf(cmdline, 'mem_encrypt=on') > positionOf(cmdline, 'mem_encrypt=off');
}

/** The state of an executed boot, structured-clonable. */
export interface ExecutedBootSnapshot {
  readonly machine: MachineSnapshot;
  readonly executor: ExecutorSnapshot;
  /** The names of origins, the labels so far, and the end. */
  readonly names: readonly string[];
  readonly labels: readonly string[];
  /** Where the kernel is; null: its decompressor runs, or it was left. */
  readonly place: KernelPlace | null;
  readonly progress: Progress;
  readonly outcome: AnyOutcome | null;
  readonly ended: RunEnd | null;
  /** The sanitizer's state; absent if it is off. */
  readonly sanitizer?: SanitizerSnapshot;
}

export class ExecutedBoot implements InspectedBoot {
  readonly executed = true;
  readonly kexecs = false;
  get kernelPlaced(): boolean {
    return this.names.place !== null;
  }
  readonly machine: Machine;
  readonly executor: Executor;
  /** The entry of the decompressor's stub where the boot begins; null: it begins at the kernel. */
  readonly stubEntry: StubEntry | null;
  readonly devices: PcAt;
  readonly uart: Uart16550;
  readonly image: KernelImage;
  readonly names: ExecutedNames;
  /** Watches the machine; null if it is off. */
  readonly sanitizer: Sanitizer | null;
  /** The end of the boot, where it has ended. */
  outcome: AnyOutcome | null = null;
  /** The steps that it has come to. */
  readonly labels: string[];
  /** Called with each label that is reached, before the code after it runs. */
  onLabel: ((label: string) => void) | null = null;
  /** The number of the step whose code ran last. */
  private ran = 0;
  private readonly steps: Stops;
  private readonly afterLoading: Loaded;
  /** Where the kernel can be entered by its decompressor. */
  private readonly entries: ReadonlySet<number>;
  /** False while firmware and loader fill the memory. */
  private isLoaded = false;
  /** The end that is final: what follows a limit may still be run. */
  private ended: RunEnd | null = null;

  /**
   * Loads the machine; the next instruction is the image's first. Throws E_USAGE for the entry at the decompressor of an image
   * that has none, and the errors of its options.
   */
  constructor(readonly options: ExecutedBootOptions) {
    const { scenario, image, initrd: given, cipher, lazy = true, direct = true } = options;
    this.image = image;
    const { machine, loader, firmware, cmdline } = scenario;
    this.machine = machineOf(scenario, cipher, lazy);
    // The I/O APIC is where the MADT of the firmware says.
    this.devices = new PcAt(this.machine, { base: IO_APIC_ADDRESS, id: IO_APIC_ID });
    this.uart = this.devices.uart;
    this.sanitizer =
      options.sanitize === true
        ? new Sanitizer(
            this.machine,
            executedHost(() => (this.isLoaded ? this : undefined)),
          )
        : null;
    this.sanitizer?.start();
    const initrd = asSource(given ?? builtInInitrd(loader.initrdSize));
    const { kernelAt, cmdlineAt, zeroPageAt } = loader;
    const stub = options.entry === 'decompressor' ? stubOf(image) : undefined;
    // What a loader of the firmware's kind does: a BIOS' loader uses the 32-bit entry, EFI's and kexec the 64-bit one.
    this.stubEntry = stub === undefined ? null : firmware.type === 'efi' ? 64 : 32;
    const room = stub === undefined ? kernelRoom(image, kernelAt) : stubRoom(stub, kernelAt);
    this.afterLoading = load(this.machine, {
      image,
      overlay: [],
      initrd,
      initrdAt: initrdPlace(scenario, initrd.length, room),
      cmdline,
      ...optional({ kernelAt, cmdlineAt, zeroPageAt }),
      setupData: setupDataOf(scenario, options.deviceTree),
      firmware: firmwareOf(scenario),
      bios: firmware,
      vga: machine.vga,
      ...(stub !== undefined &&
        this.stubEntry !== null && { stub: { ...stub, entry: this.stubEntry } }),
    });
    if (stub === undefined && parsesMemEncrypt(image) && encryptionRequested(cmdline)) {
      const at = BOOT_PARAMS.xloadflags;
      const flags = (this.afterLoading.zeroPage[at] ?? 0) | XLF_MEM_ENCRYPTION;
      this.afterLoading.zeroPage[at] = flags;
      this.machine.dmaWrite(pa((zeroPageAt ?? LOADER_LAYOUT.zeroPage) + at), Uint8Array.of(flags));
    }
    const [cpu, ...others] = this.machine.cpus;
    cpu.rip = va(this.afterLoading.entry);
    const place = stub === undefined ? { kernelAt: this.afterLoading.kernelAt, offset: 0 } : null;
    this.names = new ExecutedNames(image, this.afterLoading, place, {
      cpu: () => this.executor.cpu,
      kernelAt: (at) => kernelPlaceAt(this.machine, this.executor.cpu, image, at) ?? undefined,
    });
    for (const { name, requester } of this.machine.bus.all) {
      if (requester === undefined) continue;
      this.machine.originOf.set(pciRequester(requester), this.names.origins.intern(name));
    }
    this.executor = new Executor(this.machine, cpu, {
      direct,
      translateAfter: options.translateAfter ?? TRANSLATE_AFTER,
      platform: this.devices,
      others,
    });
    this.executor.originOf = this.names.originAt;
    if (stub !== undefined) loadFlat(this.executor.core, BOOT_DS);
    this.entries =
      stub === undefined ? new Set() : entryPlaces(this.machine, image, stub.minAlignment);
    const { entry } = this.afterLoading;
    const first = stub === undefined ? this.names.codeAt(entry) : this.names.functionAt(entry);
    this.labels = [LOADER_LABEL, first ?? 'entry'];
    this.steps = this.stopsAt(...stepsOf(this.names));
    this.isLoaded = true;
  }

  /** What firmware and loader put into memory, and where the kernel is; while its decompressor runs, where that is loaded. */
  get loaded(): Loaded {
    const { afterLoading, names } = this;
    const { kernelAt } = names.place ?? afterLoading;
    return kernelAt === afterLoading.kernelAt ? afterLoading : { ...afterLoading, kernelAt };
  }

  /** Executes instructions. The entry of the kernel by its decompressor is noticed, and does not end the run. */
  run(options: RunOptions = {}): RunEnd {
    const last = this.executor.instructions + (options.maxInstructions ?? Infinity);
    for (;;) {
      const maxInstructions = last - this.executor.instructions;
      const end = this.runToEntry({ ...options, maxInstructions });
      if (end.kind !== 'breakpoint' || options.breakpoints?.has(end.at) === true) return end;
    }
  }

  /** The same; the entry of the kernel ends the run. */
  private runToEntry(options: RunOptions): RunEnd {
    const { executor, entries, names } = this;
    if (names.place !== null) return executor.run(options);
    const { breakpoints = new Set(), maxInstructions = Infinity } = options;
    const last = executor.instructions + maxInstructions;
    for (;;) {
      const end = executor.run({
        ...options,
        breakpoints: new Set([...breakpoints, ...entries]),
        maxInstructions: last - executor.instructions,
      });
      if (end.kind !== 'breakpoint') return end;
      const entered = entries.has(end.at) ? this.enteredAt(end.at) : undefined;
      if (entered !== undefined) return entered;
      if (breakpoints.has(end.at)) return end;
    }
  }

  /** The code at an address that may be the kernel's entry: from its entry on its symbols are known. */
  private enteredAt(at: Va): RunEnd | undefined {
    const { machine, executor, image, names } = this;
    const place = kernelPlaceAt(machine, executor.cpu, image, at);
    if (place === undefined) return undefined;
    if (place === null) {
      const what = 'a kernel whose relocations give it no single virtual address';
      return { kind: 'not-modelled', at, what, mnemonic: undefined, bytes: new Uint8Array(0) };
    }
    names.place = place;
    executor.renameCode();
    this.arrive(names.codeAt(at) ?? 'entry');
    return { kind: 'breakpoint', at };
  }

  /**
   * Runs until a stop or the next step, or until the boot ends, but at most `most` instructions. `labels`: those of `stops`
   * that are reached; none: a step began, a function of a stop was entered, `most` were run, or the boot has ended (`outcome`).
   */
  go(stops: Stops, most = Infinity): { readonly labels: readonly string[]; readonly end: RunEnd } {
    if (this.ended !== null) return { labels: [], end: this.ended };
    const { maxInstructions = Infinity } = this.options;
    const left = Math.max(0, maxInstructions - this.executor.instructions);
    this.ran = this.labels.length - 1;
    const end = this.runToEntry({
      breakpoints: new Set([...stops.addresses, ...this.steps.addresses]),
      maxInstructions: Math.min(left, most),
    });
    if (end.kind === 'breakpoint') {
      const { cpu } = this.executor;
      const labels = stops.stopped(cpu, end.at);
      for (const label of [...this.steps.stopped(cpu, end.at), ...labels]) this.arrive(label);
      return { labels, end };
    }
    if (end.kind !== 'limit') this.ended = end;
    if (end.kind !== 'limit' || left <= most) this.end(end);
    return { labels: [], end };
  }

  private arrive(label: string): void {
    if (this.labels.includes(label)) return;
    this.labels.push(label);
    this.onLabel?.(label);
  }

  /** Ends the boot. */
  end(end: ExecutedEnd): void {
    this.outcome = outcomeOf(end, this.names);
  }

  snapshot(): ExecutedBootSnapshot {
    const { machine, executor, names, labels, outcome, ended, sanitizer } = this;
    return {
      machine: machine.snapshot(),
      executor: executor.snapshot(),
      names: names.origins.snapshot(),
      labels: [...labels],
      place: names.place,
      progress: names.progress,
      outcome,
      ended,
      ...(sanitizer && { sanitizer: sanitizer.snapshot() }),
    };
  }

  /** Goes on from a snapshot of a boot with the same options. */
  restore(snapshot: ExecutedBootSnapshot): void {
    const { machine, executor, names, labels, outcome, ended, sanitizer } = snapshot;
    this.names.place = snapshot.place;
    this.names.progress = snapshot.progress;
    this.names.origins.restore(names);
    this.labels.splice(0, Infinity, ...labels);
    this.ran = labels.length - 1;
    this.outcome = outcome;
    this.ended = ended;
    this.machine.restore(machine);
    this.executor.restore(executor);
    if (sanitizer) this.sanitizer?.restore(sanitizer);
  }

  /** The address of a symbol of the image. Throws RangeError where it has none. */
  symbol(name: string): Va {
    return this.names.link(name);
  }

  /** Stops for labels of this boot. Throws E_LABEL. */
  stopsAt(...labels: readonly string[]): Stops {
    const stops = new Stops(this.machine, this.names);
    for (const label of labels) stops.add(label);
    return stops;
  }

  /** Runs to a label: the entry of a function, under either address, or `F:return`. Throws E_LABEL. Returns the run's end. */
  runTo(label: string, most = Infinity): RunEnd {
    const stops = this.stopsAt(label);
    const last = this.executor.instructions + most;
    for (;;) {
      const { labels, end } = this.go(stops, last - this.executor.instructions);
      if (labels.length > 0 || end.kind !== 'breakpoint') return end;
    }
  }

  /** Runs to the end. */
  runToEnd(): void {
    const none = this.stopsAt();
    while (this.outcome === null) this.go(none);
  }

  /** Whether a label has been reached. */
  reached(label: string): boolean {
    return this.labels.includes(label);
  }

  /** Throws E_LABEL for a function that the image does not have. */
  indexOf(label: string): undefined {
    labelOf(label, this.names);
  }

  // --- For reports -----------------------------------------------------------------------------------------------

  get program(): ImageNames {
    return this.names;
  }
  get slide(): number {
    return this.names.slideAt(this.executor.cpu.rip);
  }
  get lastLabel(): string | undefined {
    return this.labels[this.ran];
  }
  get currentLabel(): string | undefined {
    return this.lastLabel;
  }
  regions(): Region[] {
    const { names, loaded } = this;
    return names.place === null ? loaderRegions(loaded) : regionsOf(names, loaded);
  }
  suggested(): Iterable<string> {
    return this.names.all();
  }
  nameOf(origin: number): string | undefined {
    return this.names.origins.nameOf(origin);
  }
  code(): Code {
    return { fn: this.nameOf(this.machine.origin) ?? '' };
  }
  codeOf(fn: string): Code {
    return { fn };
  }
  records(): MemoryRecords {
    return recordsAtEntry(this.loaded.zeroPage);
  }
  registers(cpu: number): ReturnType<InspectedBoot['registers']> {
    const core = this.executor.coreOf(cpu);
    if (core === undefined) return null;
    const general = new Map(GENERAL_REGISTERS.map((name, index) => [name, core.get64(index)]));
    return { general, rflags: core.flags.value >>> 0 };
  }
}
