/**
 * Records the trace of an executed boot from the machine's probe points. It listens to none that each access to memory
 * would have to ask, so that the boot stays fast. Page tables are compared at the beginning of each step.
 */
import { describe } from '../../kernel/fault-text.js';
import { KEY_PLAIN, PAGE_SIZE } from '../../machine/address.js';
import { MSR, msrName } from '../../machine/cpu/msr.js';
import { LineSet } from '../../machine/memory/line-set.js';
import { REQUESTER_PLATFORM } from '../../machine/requester.js';
import { finalRegions, writeBackAll, type Digest } from '../../sequencer/final-state.js';
import type { ExecutedBoot } from '../../sequencer/executed-boot.js';
import type { EventFields, Span } from '../../trace/event.js';
import { rangeText, renderEvent, type Symbolize } from '../../trace/render.js';
import type { SanitizerReport } from '../../trace/report.js';
import {
  TRACE_SCHEMA,
  withReports,
  type Trace,
  type TraceEvent,
  type TraceHeader,
  type TraceStep,
} from '../../trace/trace.js';
import type { TraceKind } from '../../trace/vocabulary.js';
import { coarsened, StepEvents, type Line } from './step-events.js';
import { tableChanges, tablesOf } from './table-changes.js';

/** The most lines of a trace, and the numbers of lines of a kind in a step that are tried (our choice). */
const MOST_LINES = 2000;
const DETAILS = [64, 32, 16, 8, 4, 2, 1] as const;
/** The most lines of the console (our choice: so that the others have room). */
const MOST_CONSOLE = 1000;

/**
 * Lines whose key changed are in one range if they are at most this many bytes apart (our choice): which of them the cache
 * has written back by the end of a step is not in order.
 */
const GAP = 0x1_0000;
/** Leaves of CPUID that SME is found by: the largest one, the address sizes, and memory encryption (APM vol. 3, E.4). */
const SME_LEAVES: ReadonlySet<number> = new Set([0x8000_0000, 0x8000_0008, 0x8000_001f]);
/** MSRs that a kernel writes all the time: bases of segments, and the counters. */
const TSC = 0x10;
const TSC_DEADLINE = 0x6e0;
const FREQUENT: ReadonlySet<number> = new Set([
  ...[MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE, MSR.TSC_AUX],
  ...[TSC, TSC_DEADLINE],
]);
const CONTROL: readonly string[] = ['CR0', 'CR3', 'CR4'];

const span = (space: Span['space'], start: number, length: number): Span => ({
  space,
  start,
  length,
});
const cBit = (key: number): 0 | 1 => (key === KEY_PLAIN ? 0 : 1);
const sizeName = (size: number): string =>
  size === PAGE_SIZE ? '4K' : size === 0x20_0000 ? '2M' : '1G';

export class ExecutedTracer {
  private readonly steps: StepEvents[] = [];
  private step: StepEvents;
  private tables: ReturnType<typeof tablesOf> = [];
  /** Lines whose key changed in the step, by the function that wrote them and the direction. */
  private keys = new Map<string, { fn: string; encrypted: boolean; lines: LineSet }>();
  private readonly ends: readonly (() => void)[];
  /** Characters of the console that are in the trace. */
  private seen = 0;
  private consoleLines = 0;

  /** Records from now on. The boot has not begun. */
  constructor(
    private readonly boot: ExecutedBoot,
    private readonly header: TraceHeader,
  ) {
    const [loader = '', first = ''] = boot.labels;
    this.step = this.begin(loader);
    for (const region of boot.loaded.firmwareRegions) this.loaded('firmware', region);
    for (const region of boot.loaded.regions) this.loaded('loader', region);
    this.step = this.begin(first);
    this.tables = tablesOf(boot.machine, boot.executor.cpu);
    this.ends = this.listen();
    const then = boot.onLabel;
    boot.onLabel = (label) => {
      this.close();
      this.step = this.begin(label);
      then?.(label);
    };
  }

  /** Ends the record and returns the trace: caches are written back, then DRAM is read, as for a boot of the model. */
  finish(digest: Digest, reports?: readonly SanitizerReport[]): Trace {
    const { boot } = this;
    const { kind = 'interrupted', where, message = '' } = boot.outcome ?? {};
    const outcome = {
      kind,
      ...(where !== undefined && { where }),
      message: `${message}, after ${String(boot.executor.instructions)} instructions`,
    };
    this.close();
    this.step.add('outcome', outcome, 'boot');
    for (const end of this.ends) end();
    writeBackAll(boot.machine);
    const regions = finalRegions(boot.machine, boot.regions(), digest);
    const trace: Trace = {
      schema: TRACE_SCHEMA,
      header: this.header,
      steps: this.rendered(),
      consumed: [],
      final: {
        regions: regions.map(({ name, pa, state, digest: hash }) => ({
          name,
          pa: rangeText(pa),
          bytes: pa.length,
          state,
          digest: hash,
        })),
      },
      outcome,
    };
    return withReports(trace, reports);
  }

  /** The events of a step so far, with all details that a trace may have. */
  eventsOf(label: string): TraceEvent[] {
    const step = this.steps.find((each) => each.label === label);
    return step === undefined ? [] : this.eventsFrom(coarsened(step.lines, DETAILS[0]));
  }

  private begin(label: string): StepEvents {
    const step = new StepEvents(label);
    this.steps.push(step);
    return step;
  }

  /** The steps with as many details as there is room for. */
  private rendered(): TraceStep[] {
    let lines = this.steps.map((each) => each.lines.slice());
    for (const most of DETAILS) {
      lines = this.steps.map((each) => coarsened(each.lines, most));
      if (lines.reduce((sum, { length }) => sum + length, 0) <= MOST_LINES) break;
    }
    return this.steps.map(({ label }, index) => ({
      label,
      events: this.eventsFrom(lines[index] ?? []),
    }));
  }

  private eventsFrom(lines: readonly Line[]): TraceEvent[] {
    const symbolize: Symbolize = (space, address) => this.boot.names.symbolize(space, address);
    return lines.map(({ kind, fields, fn, n }) => renderEvent(kind, fields, { fn }, n, symbolize));
  }

  private loaded(device: string, region: { name: string; base: number; size: number }): void {
    const { name, base, size } = region;
    this.step.add('dma', { device, pa: span('pa', base, size), what: name }, device);
  }

  /** Adds an event of the code that runs, after the lines of the console that are complete. */
  private add(kind: TraceKind, fields: EventFields): void {
    this.console();
    this.step.add(kind, fields, this.boot.code().fn);
  }

  private console(): void {
    const { text } = this.boot.uart;
    for (let end = text.indexOf('\n', this.seen); end >= 0; end = text.indexOf('\n', this.seen)) {
      const line = text.slice(this.seen, end).replace(/\r/g, '');
      this.seen = end + 1;
      this.consoleLines++;
      const shown = this.consoleLines > MOST_CONSOLE ? '…' : line;
      this.step.add('console', { text: shown }, this.boot.code().fn);
    }
  }

  /** Closes a step: what is known at its end only. */
  private close(): void {
    this.console();
    const { machine, executor } = this.boot;
    const { label } = this.step;
    for (const { fn, encrypted, lines } of this.keys.values()) {
      for (const { start, length, bytes } of lines.ranges(GAP)) {
        const kind = encrypted ? 'encrypt' : 'decrypt';
        this.step.add(kind, { pa: span('pa', start, length), bytes }, fn);
      }
    }
    this.keys = new Map();
    const now = tablesOf(machine, executor.cpu);
    for (const { kind, va, bytes, range, was } of tableChanges(this.tables, now)) {
      const { pa, page, flags, c, type } = range;
      const fields = { va: span('va', va, bytes), size: sizeName(page), flags, C: c, type, was };
      this.step.add(kind, { ...fields, pa: span('pa', pa, bytes) }, label);
    }
    this.tables = now;
  }

  private listen(): (() => void)[] {
    const { machine } = this.boot;
    const { probes } = machine;
    const devices = new Map(machine.bus.all.map(({ name, requester }) => [requester, name]));
    return [
      probes.controlWritten.listen((cpu, register) => {
        if (CONTROL.includes(register)) this.control(cpu, register);
      }),
      probes.msrWritten.listen((_cpu, msr, value) => {
        if (FREQUENT.has(msr)) return;
        this.add('wrmsr', { msr: msrName(msr) ?? `0x${msr.toString(16)}`, value });
      }),
      probes.identified.listen((_cpu, leaf, _sub, { eax, ebx, ecx, edx }) => {
        if (!SME_LEAVES.has(leaf)) return;
        const [a, b, c, d] = [eax, ebx, ecx, edx].map((value) => BigInt(value >>> 0));
        this.add('cpuid', { leaf: BigInt(leaf), eax: a, ebx: b, ecx: c, edx: d });
      }),
      probes.flushed.listen((_cpu, what, at) => {
        if (what === 'wbinvd') this.add('cache-flush', { how: what });
        else if (what === 'invlpg') {
          this.add('tlb-flush', { how: what, va: at === undefined ? at : span('va', at, 1) });
        } else this.add('tlb-flush', { how: what === 'tlb' ? 'cr3' : 'pge' });
      }),
      probes.linesFlushed.listen(() => {
        this.add('cache-flush', { how: 'clflush' });
      }),
      probes.faulted.listen((_cpu, fault) => {
        const { address, ...rest } = fault;
        const va = address === undefined ? undefined : span('va', Number(address), 1);
        this.add('fault', { what: describe(rest), why: fault.why, va });
      }),
      probes.dma.listen((kind, requester, pa, key, length) => {
        if (requester === REQUESTER_PLATFORM) return;
        const device = devices.get(requester) ?? 'device';
        const direction = kind === 'read' ? 'to device' : 'from device';
        this.add('dma', { device, direction, pa: span('pa', pa, length), C: cBit(key) });
      }),
      probes.keyChanged.listen((pa, length, from, to, origin) => {
        if (cBit(from) === cBit(to)) return;
        const fn = this.boot.nameOf(origin) ?? '';
        const key = `${fn} ${String(to)}`;
        const known = this.keys.get(key);
        const entry = known ?? { fn, encrypted: to !== KEY_PLAIN, lines: new LineSet() };
        if (known === undefined) this.keys.set(key, entry);
        entry.lines.add(pa, length);
      }),
    ];
  }

  private control(id: number, reg: string): void {
    const cpu = this.boot.machine.cpus[id];
    if (cpu === undefined) return;
    if (reg !== 'CR3') {
      this.add('cr', { reg, value: BigInt(reg === 'CR0' ? cpu.cr0 >>> 0 : cpu.cr4 >>> 0) });
      return;
    }
    const { pa, c } = cpu.decodeEntry(cpu.cr3, PAGE_SIZE);
    const table = this.boot.names.symbolize('pa', pa) ?? `pa:0x${pa.toString(16)}`;
    this.add('cr', { reg, value: BigInt(pa), table, C: c });
  }
}
