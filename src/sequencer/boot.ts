/**
 * Runs a boot: firmware and loader, then the kernel's steps in order, on one simulated machine. Determines the outcome:
 * a panic, a triple fault, a hung CPU, or `/init` running.
 */
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { earlyFile } from '../firmware/early-archive.js';
import { builtInInitrd, MICROCODE_PATH } from '../firmware/initrd.js';
import { SETUP_DATA } from '../firmware/efi/layout.js';
import { load, type Loaded, type Region } from '../firmware/loader.js';
import { __START_KERNEL_map, COMMAND_LINE_SIZE } from '../kernel/constants.js';
import { BootEnd } from '../kernel/ends.js';
import type { Hunk } from '../kernel/hunk.js';
import { Kernel } from '../kernel/kernel.js';
import { Program } from '../kernel/program.js';
import type { KernelState } from '../kernel/state.js';
import { BOOT_STEPS, type BootStep } from '../linux/boot-steps.js';
import type { Machine, MachineSnapshot } from '../machine/machine.js';
import { pciRequester } from '../machine/requester.js';
import type { BlockCipherFactory } from '../machine/types.js';
import { configOf, link, type LinkedKernel } from '../series/link.js';
import { compose, isWholeSeries, type HunkSelection } from '../series/compose.js';
import { asSource, type ByteSource } from '../base/byte-source.js';
import { optional } from '../base/optional.js';
import { Sanitizer, type SanitizerSnapshot } from '../sanitizer/sanitizer.js';
import { Recorder, type RecorderState } from '../trace/recorder.js';
import type { SanitizerReport } from '../trace/report.js';
import type { Outcome, Trace, TraceHeader } from '../trace/trace.js';
import type { Origin as Code } from '../trace/event.js';
import { imageOf } from './boot-image.js';
import { regionsOf } from './regions.js';
import type { InspectedBoot, MemoryRecords } from './inspected-boot.js';
import { recordsOf } from './memory-records.js';
import { labelIndex } from './label-index.js';
import { passedEfi, type PassedEfi } from './kexec-efi.js';
import { LOADER_LABEL } from './loader-label.js';
import { machineOf } from './machine-of.js';
import { ownFault } from './own-hunks.js';
import { symbolOf } from './symbols.js';
import { sanitizerHost } from './sanitizer-host.js';
import { screenOf, watchScreen } from './screen.js';
import type { Expected } from './expected.js';
import { finalRegions, writeBackAll, type Digest } from './final-state.js';
import { firmwareOf } from '../scenario/firmware.js';
import {
  crossPurgatory,
  enterNext,
  KEXEC_LABEL,
  loadNext,
  nextKernel,
  produceNext,
  type NextKernel,
  type Running,
} from './kexec.js';
import { initrdPlace, kernelRoom } from '../scenario/memory-layout.js';
import { setupDataOf } from '../scenario/setup-data.js';
import { traceHeader } from './trace-header.js';
import type { Scenario } from '../scenario/scenario.js';

export interface BootOptions extends HunkSelection {
  readonly scenario: Scenario;
  /** SHA-256 of the scenario's data, for the trace. */
  readonly scenarioDigest: string;
  /** Settings of the command line, for the trace. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Files of the user that the boot reads, their paths relative to the working directory, for the trace. */
  readonly files?: TraceHeader['files'];
  /** The modules of the own hunks (`extra`), for the trace; default: the hunks alone. */
  readonly ownHunks?: TraceHeader['ownHunks'];
  /** Default: the built-in image. */
  readonly image?: KernelImage;
  /** Default: the built-in initrd. */
  readonly initrd?: Uint8Array | ByteSource;
  /** A flattened device tree for the setup_data chain, instead of the scenario's. */
  readonly deviceTree?: Uint8Array;
  readonly cipher: BlockCipherFactory;
  /** SHA-256 in hexadecimal. */
  readonly digest: Digest;
  /** Encrypt on the first read of the ciphertext (the default), or at once. */
  readonly lazy?: boolean;
  /** Whether the sanitizer watches the machine; default: no. */
  readonly sanitize?: boolean;
  /** Called with the label of each step before it runs, to show progress. */
  readonly onStep?: (label: string) => void;
}

/**
 * The whole state of a boot at a label, to resume from; with the codec also in another process. Shares pages with the
 * boot.
 */
export interface BootSnapshot {
  readonly next: number;
  readonly machine: MachineSnapshot;
  readonly kernel: KernelState;
  readonly recorder: RecorderState;
  readonly outcome: Outcome | null;
  /** Whether the kernel is the one entered by kexec, and the EFI data passed to it. */
  readonly kexeced: boolean;
  readonly passed: PassedEfi | null;
  /** The sanitizer's state; absent if it is off. */
  readonly sanitizer?: SanitizerSnapshot;
}

export { LOADER_LABEL };

/** Labels of all steps, in order. */
export const LABELS: readonly string[] = [LOADER_LABEL, ...BOOT_STEPS.map((step) => step.label)];
/** The steps of the kernel that is entered by kexec. */
const NEXT_STEPS = BOOT_STEPS.filter(({ before }) => before !== 'kexec_load').map((step) => ({
  ...step,
  label: `${KEXEC_LABEL}${step.label}`,
}));
const NEXT_LABELS: readonly string[] = NEXT_STEPS.map((step) => step.label);

/** Labels of all possible steps of a scenario's boots, in order. */
export const labelsOf = ({ kexec }: Scenario): readonly string[] =>
  kexec === undefined ? LABELS : [...LABELS, ...NEXT_LABELS];

export class Boot implements InspectedBoot {
  readonly executed = false;
  readonly kernelPlaced = true;
  readonly machine: Machine;
  readonly recorder: Recorder;
  /** Labels of all possible steps of this boot, in order. */
  readonly labels: readonly string[];
  outcome: Outcome | null = null;
  /** Watches the machine; null if it is off. */
  readonly sanitizer: Sanitizer | null;
  private next = 0;
  /** False until the loader has made the first kernel. */
  private booting = false;
  private first: Running;
  /** Hunks whose names have addresses in the image. */
  private readonly placed: readonly Hunk[];
  /** The kernel entered by kexec. */
  private second: Running | null = null;
  private readonly initrd: Uint8Array | ByteSource;
  private prepared: NextKernel | undefined;
  /** The EFI data passed by the first kernel to the second one. */
  private passed: PassedEfi | null = null;

  constructor(readonly options: BootOptions) {
    const { scenario } = options;
    const { hunks, placed } = compose(options);
    this.placed = placed;
    const linked = link(hunks, placed);
    const image = imageOf(options, linked.baseFunctions);
    const program = new Program(image, linked.variables, linked.functions);
    this.labels = labelsOf(scenario);
    this.machine = machineOf(scenario, options.cipher, options.lazy);
    this.sanitizer =
      options.sanitize === true ? new Sanitizer(this.machine, sanitizerHost(this)) : null;
    this.sanitizer?.start();
    this.initrd = options.initrd ?? builtInInitrd(scenario.loader.initrdSize);
    const initrd = asSource(this.initrd);
    this.recorder = new Recorder({ symbolize: (space, address) => this.symbolize(space, address) });
    for (const { name, requester } of this.machine.bus.all) {
      if (requester === undefined) continue;
      this.machine.originOf.set(pciRequester(requester), this.recorder.intern(name));
    }
    const { kernelAt, cmdlineAt, zeroPageAt } = scenario.loader;
    const loaded = load(this.machine, {
      image,
      overlay: program.overlaySegments(),
      initrd,
      initrdAt: initrdPlace(scenario, initrd.length, kernelRoom(image, kernelAt)),
      cmdline: scenario.cmdline,
      ...optional({ kernelAt, cmdlineAt, zeroPageAt }),
      setupData: setupDataOf(scenario, options.deviceTree),
      firmware: firmwareOf(scenario),
      bios: scenario.firmware,
      vga: scenario.machine.vga,
    });
    const kernel = this.kernelOf(linked, program);
    kernel.state.guest = scenario.guest;
    kernel.state.slide = loaded.kernelAt - program.link('_text');
    this.first = { linked, program, loaded, kernel };
    this.booting = true;
    this.recorder.header(traceHeader(options, image, program.overlay));
    this.produce(this.initrd);
  }

  /** The running kernel: after a kexec, the second one. */
  private get running(): Running {
    return this.second ?? this.first;
  }
  get kernel(): Kernel {
    return this.running.kernel;
  }
  get linked(): LinkedKernel {
    return this.running.linked;
  }
  get program(): Program {
    return this.running.program;
  }
  get loaded(): Loaded {
    return this.running.loaded;
  }
  /** The running kernel; undefined while the machine is loaded. */
  get kernelIfAny(): Kernel | undefined {
    return this.booting ? this.kernel : undefined;
  }
  get slide(): number {
    return this.kernel.slide;
  }
  get kexecs(): boolean {
    return this.options.scenario.kexec !== undefined;
  }
  /** Whether the kernel is the one entered by kexec. */
  get kexeced(): boolean {
    return this.second !== null;
  }

  /** Labels of the remaining steps; the first is the next one. */
  get ahead(): readonly string[] {
    return this.outcome === null ? this.labels.slice(this.next) : [];
  }

  /** The scenario's expectation; undefined unless the whole series is applied. */
  get expected(): Expected | undefined {
    return isWholeSeries(this.options) ? this.options.scenario.expect : undefined;
  }

  /** Runs one step; false if the boot has ended. */
  step(): boolean {
    const { labels } = this;
    const label = labels[this.next];
    if (label === undefined || this.outcome !== null) return false;
    this.options.onStep?.(label);
    this.recorder.step(label);
    const row = this.rows.find((step) => step.label === label);
    // The real console takes the screen over from the boot console.
    if (row?.before === 'store screen') this.watchScreen();
    try {
      this.runStep(row);
      this.next++;
      if (this.next === labels.length) this.end({ kind: 'booted', where: 'run_init' });
    } catch (error) {
      if (!(error instanceof BootEnd)) throw ownFault(error, this.options, label);
      this.next++;
      this.end({ kind: error.kind, where: error.where, message: error.message });
    }
    return this.outcome === null;
  }

  /** The steps of the kernel that runs. */
  private get rows(): readonly BootStep[] {
    return this.second === null ? BOOT_STEPS : NEXT_STEPS;
  }

  /** Runs a step of the kernel, or the loader where there is none. */
  private runStep(row: BootStep | undefined): void {
    if (row === undefined) {
      this.describeLoad();
      return;
    }
    const kexec = row.before === 'kexec_load';
    if (row.before === 'jump') this.kernel.jump('startup_64');
    if (kexec) this.prepareNext(passedEfi(this.kernel));
    const next = kexec ? this.nextKernel() : undefined;
    if (next !== undefined) loadNext(this.kernel, next);
    row.run(this.kernel);
    if (next === undefined) return;
    crossPurgatory(this.kernel, this.options.digest);
    produceNext(this.recorder, next, this.initrd, COMMAND_LINE_SIZE, {
      machine: this.machine,
      loaded: this.first.loaded,
    });
    this.second = enterNext(next, this.machine, this.options.scenario, this.recorder);
    this.second.kernel.notes = this.sanitizer;
    this.sanitizer?.codeReplaced();
  }

  /** The second kernel of a scenario; undefined if it has none. */
  private nextKernel(): NextKernel | undefined {
    const { scenario, digest } = this.options;
    if (scenario.kexec === undefined) return undefined;
    this.prepared ??= nextKernel(
      scenario,
      scenario.kexec.stage,
      this.first.program.image,
      asSource(this.initrd),
      digest,
      this.passed,
    );
    return this.prepared;
  }

  /** Sets the EFI data for the second kernel, which is built again from it. */
  private prepareNext(passed: PassedEfi | null): void {
    this.passed = passed;
    this.prepared = undefined;
  }

  runToEnd(): void {
    while (this.step());
  }

  /** The place of a label in the order of the boot. Throws E_LABEL for a label that the boot does not have. */
  indexOf(label: string): number {
    return labelIndex(this.labels, label);
  }

  /** Runs up to and including the step of a label. Throws E_LABEL for a label that the boot does not have. */
  runTo(label: string): void {
    const index = labelIndex(this.labels, label);
    while (this.next <= index && this.step());
  }

  /** Whether the step of a label has run, or the boot ended in it. */
  reached(label: string): boolean {
    return labelIndex(this.labels, label) < this.next;
  }

  /** The label of the last step that has run; undefined before the first. */
  get lastLabel(): string | undefined {
    return this.labels[this.next - 1];
  }

  /** Runs to the end. */
  run(): Trace {
    this.runToEnd();
    return this.finish();
  }

  /** The trace of a boot that has ended: caches are written back, then DRAM is read (our choice). */
  finish(): Trace {
    this.watchScreen();
    this.sanitizer?.stop();
    writeBackAll(this.machine);
    const regions = finalRegions(this.machine, this.regions(), this.options.digest);
    const reports = this.sanitizer === null ? undefined : this.reports();
    return this.recorder.finish({ regions, screen: screenOf(this.machine) }, reports);
  }

  /** The reports of the sanitizer so far. */
  reports(): readonly SanitizerReport[] {
    return this.sanitizer?.reports() ?? [];
  }

  /** Named ranges of physical memory, also for `inspect`. */
  regions(): Region[] {
    return [
      ...regionsOf(this.program, this.loaded),
      ...this.kernel.state.memblock.reserved
        .filter(({ owner }) => owner === 'reserve_real_mode')
        .map(({ base, size }) => ({ name: 'trampoline', base, size })),
      ...this.kernel.state.userPages.map(({ name, pa: base }) => ({ name, base, size: 4096 })),
    ].filter((region) => region.size > 0);
  }

  /**
   * Replaces the kernel by that of another hunk selection, on the same machine. All its functions must have addresses in
   * the image, as those of the series without some hunks have; snapshots of the one are then valid for the other. No step
   * of it has run. Throws RangeError for a function without an address.
   */
  relink(selection: HunkSelection): void {
    const { program } = this.first;
    const linked = link(compose(selection).hunks, this.placed);
    const unplaced = [...linked.table.values()].find(
      ({ kind, name }) => kind === 'fn' && !program.has(name),
    );
    if (unplaced !== undefined) {
      throw new RangeError(`${unplaced.name} has no address in this image`);
    }
    this.first = { ...this.first, linked, kernel: this.kernelOf(linked, program) };
    this.second = null;
  }

  private kernelOf(linked: LinkedKernel, program: Program): Kernel {
    const { machine, recorder } = this;
    const config = configOf(this.options.scenario.config, linked);
    const kernel = new Kernel(
      machine,
      machine.cpus[0],
      program,
      linked.table,
      config,
      recorder,
      linked.freshState(),
    );
    kernel.notes = this.sanitizer;
    return kernel;
  }

  /** The whole state of the boot between two steps. */
  snapshot(): BootSnapshot {
    return {
      next: this.next,
      machine: this.machine.snapshot(),
      kernel: structuredClone(this.kernel.state),
      recorder: this.recorder.snapshot(),
      outcome: this.outcome,
      kexeced: this.second !== null,
      passed: this.passed,
      ...(this.sanitizer !== null && { sanitizer: this.sanitizer.snapshot() }),
    };
  }

  /** Restores a snapshot of a boot with the same options. */
  restore(snapshot: BootSnapshot): void {
    this.machine.restore(snapshot.machine);
    this.prepareNext(snapshot.passed);
    this.reenter(snapshot.kexeced);
    this.kernel.state = structuredClone(snapshot.kernel);
    this.recorder.restore(snapshot.recorder);
    if (snapshot.sanitizer !== undefined) this.sanitizer?.restore(snapshot.sanitizer);
    // It stopped if the boot had ended.
    this.sanitizer?.start();
    // Accesses are again attributed to the function recorded in the snapshot.
    this.kernel.trace.setOrigin();
    this.next = snapshot.next;
    this.outcome = snapshot.outcome;
  }

  /** Checks the screen: at the end of a boot, and before the real console uses it. */
  watchScreen(): void {
    watchScreen(this.machine, this.kernel.state.console.printk, this.recorder);
  }

  /** Makes the kernel of a snapshot the running one. */
  private reenter(kexeced: boolean): void {
    const next = kexeced ? this.nextKernel() : undefined;
    this.second =
      next === undefined
        ? null
        : enterNext(next, this.machine, this.options.scenario, this.recorder);
    this.kernel.drive();
  }

  private end(outcome: Outcome): void {
    this.outcome = outcome;
    this.recorder.outcome(outcome);
  }

  private produce(initrd: Uint8Array | ByteSource): void {
    const { zeroPage, cmdline, setupData, blobs } = this.first.loaded;
    const { ebdaSegment, lowmemKilobytes } = this.options.scenario.firmware;
    this.recorder.produced('boot params', zeroPage);
    if (cmdline !== null) {
      this.recorder.produced('command line', cmdline.slice(0, COMMAND_LINE_SIZE));
    }
    const word = (value: number): number[] => [value & 0xff, value >> 8];
    const bda = Uint8Array.from([...word(ebdaSegment), ...word(lowmemKilobytes)]);
    this.recorder.produced('BIOS data area', bda);
    this.recorder.produced('initrd', initrd);
    const microcode = earlyFile(asSource(initrd), MICROCODE_PATH);
    if (microcode !== undefined) this.recorder.produced('microcode', microcode);
    for (const [index, { name, bytes }] of setupData.entries()) {
      this.recorder.produced(`setup_data[${String(index)}]`, bytes.slice(0, SETUP_DATA.data));
      this.recorder.produced(name, bytes.slice(SETUP_DATA.data));
    }
    for (const { name, bytes } of blobs) this.recorder.produced(name, bytes);
  }

  private describeLoad(): void {
    const emit = (device: string, { name, base, size }: Region): void => {
      const span = { space: 'pa', start: base, length: size } as const;
      this.recorder.emit('dma', { device, what: name, pa: span }, { fn: device });
    };
    for (const region of this.loaded.firmwareRegions) emit('firmware', region);
    for (const region of this.loaded.regions) emit('loader', region);
  }

  /** The label of the step that runs; undefined before the first. */
  get currentLabel(): string | undefined {
    return this.recorder.currentLabel;
  }
  nameOf(origin: number): string | undefined {
    return this.recorder.nameOf(origin);
  }
  code(): Code {
    return this.kernel.trace.origin();
  }
  codeOf(fn: string): Code {
    const entry = this.kernel.table.get(fn);
    return { fn, ...optional({ file: entry?.file, patch: entry?.patch, hunk: entry?.hunk }) };
  }
  suggested(): Iterable<string> {
    return [...this.program.modelled()].map(([name]) => name);
  }
  records(): MemoryRecords {
    return recordsOf(this.kernel.state);
  }
  registers(): null {
    return null;
  }

  /** The symbol or region of an address; undefined if it has none. */
  symbolize(space: 'va' | 'pa', address: number): string | undefined {
    return symbolOf(this.program, this.loaded, space, address);
  }
}
