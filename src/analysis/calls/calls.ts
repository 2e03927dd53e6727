/**
 * Runs a call script: boots up to a label, then does the script's steps with the kernel's functions and the CPU's
 * mappings.
 */
import { own } from '../../base/own.js';
import { hexBytes, startsWith } from '../../base/bytes.js';
import { BootEnd, CpuLost } from '../../kernel/ends.js';
import type { Kernel } from '../../kernel/kernel.js';
import { hex, KEY_PLAIN, pa, PAGE_SIZE, va, type Va } from '../../machine/address.js';
import { isFault } from '../../machine/cpu/cpu.js';
import { MEMTYPE_NAMES } from '../../machine/cpu/memory-types.js';
import { Boot, type BootOptions } from '../../sequencer/boot.js';
import { physicalOf, virtualOf } from '../../inspect/place.js';
import { walkOf, type Walk } from '../../inspect/walk.js';
import { InputError, type Place } from '../../base/errors.js';
import type { SanitizerReport } from '../../trace/report.js';
import type { Outcome, TraceEvent } from '../../trace/trace.js';
import type { ScriptFile, ScriptStep, ScriptPlace } from './file.js';
import { ScriptValues, valueText, type Missing } from './values.js';
import { producedAt } from '../effects/produced.js';
import { seriesFunctions } from '../../series/series-names.js';

/** Most bytes in a result. */
const SHOWN = 64;

/** Bytes that a step read or wrote. */
export interface ByteRange {
  readonly length: number;
  /** The first 64 bytes at most, in hexadecimal and as text. */
  readonly hex: string;
  readonly text: string;
  /** The region or blob at this address when the kernel was entered, and whether its bytes are the same. */
  readonly produced?: { readonly name: string; readonly same: boolean };
}

/**
 * The outcome of a step. `absent`: this kernel lacks a name that a patch of the series adds. `skipped`: the result of an
 * earlier step that it needs is missing. `ended`: the boot ended or the CPU hangs; the script ends there.
 */
export type CallStatus = 'done' | 'absent' | 'skipped' | 'ended';

/** One step's result: plain data. */
export interface CallResult {
  /** The step as written: `early_memremap_dec(initrd, 4096)`. */
  readonly step: string;
  readonly status: CallStatus;
  /** The name of the result for later steps. */
  readonly as?: string;
  /** Arguments as passed to the function. */
  readonly args?: readonly string[];
  /** The return value of a call; absent if it returned nothing. */
  readonly result?: string;
  /** The reason for a status other than `done`. */
  readonly why?: string;
  /** Address of the access, its C-bit and effective memory type; a `bus` step has the physical address only. */
  readonly va?: string;
  readonly pa?: string;
  readonly C?: 0 | 1;
  readonly type?: string;
  readonly bytes?: ByteRange;
  readonly walk?: Walk;
  /** Events during the step, as in a trace. */
  readonly events: readonly TraceEvent[];
}

/** The result of a call script: plain data, deterministic. */
export interface ScriptResult {
  readonly probe: string;
  readonly patch?: number;
  readonly scenario: string;
  readonly stage: number;
  readonly activate: boolean;
  readonly at: string;
  /** Whether the boot reached the label; if not, there are no steps. */
  readonly reached: boolean;
  readonly steps: readonly CallResult[];
  /** The reports of the sanitizer whose first access was in a step; absent: there are none, or it was off. */
  readonly reports?: readonly SanitizerReport[];
  /** The outcome if the boot ended before the label, or in the last step. */
  readonly outcome?: Outcome;
}

/** What the labels of a script's steps begin with. */
const STEP = 'probe:';

type StepData = Omit<CallResult, 'step' | 'events'>;
type Callable = (...args: never[]) => unknown;

/**
 * Boots to the label and does the steps. Throws InputError with the script's file and path: E_LABEL, E_PLACE,
 * E_NOT_MAPPED, E_PROBE_ARGUMENT, E_PROBE_RESULT, E_PROBE_BYTES, E_PROBE_CALL (arguments that a function cannot process).
 */
export function runScript(file: ScriptFile, options: BootOptions): ScriptResult {
  const { probe } = file;
  const boot = new Boot(options);
  within(file.place(['at']), () => {
    boot.runTo(probe.at);
  });
  const head = {
    probe: probe.probe,
    ...(probe.patch !== undefined && { patch: probe.patch }),
    scenario: options.scenario.name,
    stage: options.stage,
    activate: options.activate,
    at: probe.at,
  };
  // A boot that reached its last label has the outcome `booted`; its kernel can still be called.
  if (boot.outcome !== null && boot.outcome.kind !== 'booted') {
    return { ...head, reached: false, steps: [], outcome: boot.outcome };
  }
  const { steps, outcome } = new Run(boot, file).steps();
  const reports = boot.reports().filter(({ step }) => step.startsWith(STEP));
  return {
    ...head,
    reached: true,
    steps,
    ...(reports.length > 0 && { reports }),
    ...(outcome !== undefined && { outcome }),
  };
}

class Run {
  private readonly values: ScriptValues;
  private outcome: Outcome | undefined;

  constructor(
    private readonly boot: Boot,
    private readonly file: ScriptFile,
  ) {
    this.values = new ScriptValues(boot);
  }

  private get k(): Kernel {
    return this.boot.kernel;
  }

  steps(): { steps: CallResult[]; outcome: Outcome | undefined } {
    const steps: CallResult[] = [];
    for (const [index, step] of this.file.probe.calls.entries()) {
      if (this.outcome !== undefined) break;
      this.boot.recorder.step(`${STEP}${index + 1}`);
      const data = this.guarded(index, step);
      const events = this.boot.recorder.snapshot().steps.at(-1)?.events ?? [];
      steps.push({ step: stepText(step), ...data, events });
    }
    return { steps, outcome: this.outcome };
  }

  /** Does a step; an end of the boot becomes its outcome, an error gets its place in the file. */
  private guarded(index: number, step: ScriptStep): StepData {
    try {
      return within(this.file.place(['calls', index]), () => this.perform(index, step));
    } catch (error) {
      if (error instanceof BootEnd) {
        this.outcome = { kind: error.kind, where: error.where, message: error.message };
      } else if (error instanceof CpuLost) {
        this.outcome = { kind: 'hung', where: error.where, message: error.message };
      } else throw error;
      return { status: 'ended', why: `${this.outcome.kind} in ${error.where}: ${error.message}` };
    }
  }

  private perform(index: number, step: ScriptStep): StepData {
    if ('call' in step) return this.call(index, step);
    if ('read' in step) return this.memory(this.where(index, 'read', step.read, 'va'), step);
    if ('write' in step) return this.memory(this.where(index, 'write', step.write, 'va'), step);
    if ('bus' in step) return this.bus(this.where(index, 'bus', step.bus, 'pa'), step);
    if ('swap' in step) return this.swap(index, step);
    const evaluated = this.where(index, 'entry', step.entry, 'va');
    if (!('value' in evaluated)) return missingStep(evaluated);
    return { status: 'done', walk: walkOf(this.k.machine, this.k.cpu, virtualOf(evaluated.value)) };
  }

  /** The place in memory of a step; errors are reported at its key. */
  private where(
    index: number,
    key: string,
    where: ScriptPlace,
    numbers: 'va' | 'pa',
  ): ReturnType<ScriptValues['place']> {
    return within(this.file.place(['calls', index, key]), () => this.values.place(where, numbers));
  }

  private call(index: number, { call, args, as }: Extract<ScriptStep, { call: string }>): StepData {
    const named = as === undefined ? {} : { as };
    const given: unknown[] = [];
    let missing: Missing | undefined;
    for (const [i, argument] of args.entries()) {
      const evaluated = within(this.file.place(['calls', index, 'args', i]), () =>
        this.values.argument(argument),
      );
      if ('value' in evaluated) given.push(evaluated.value);
      else missing ??= evaluated;
    }
    if (!this.k.table.has(call)) {
      const patch = seriesFunctions().get(call)?.patch;
      return { ...named, ...missingStep({ absent: call, ...(patch !== undefined && { patch }) }) };
    }
    if (missing !== undefined) return { ...named, ...missingStep(missing) };
    const fns: Readonly<Record<string, Callable>> = this.k.fn;
    const value = checkedCall(call, () => own(fns, call)?.(...(given as never[])));
    if (as !== undefined) this.values.store(as, value);
    const result = valueText(value);
    return {
      status: 'done',
      ...named,
      ...(given.length > 0 && { args: given.map(argumentText) }),
      ...(result !== undefined && { result }),
    };
  }

  /** Reads or writes bytes through the current page tables. */
  private memory(
    evaluated: ReturnType<ScriptValues['place']>,
    step: Extract<ScriptStep, { read: unknown } | { write: unknown }>,
  ): StepData {
    if (!('value' in evaluated)) return missingStep(evaluated);
    const at = virtualOf(evaluated.value);
    let bytes: Uint8Array;
    if ('read' in step) bytes = this.k.readBytes(at, step.length);
    else {
      bytes = bytesOf(step.bytes);
      this.k.writeBytes(at, bytes);
    }
    const found = this.k.cpu.translate(at);
    const reached = isFault(found)
      ? {}
      : {
          pa: hex(found.pa),
          C: found.key === 0 ? (0 as const) : (1 as const),
          type: MEMTYPE_NAMES[found.type],
        };
    const physical = this.contiguous(at, bytes.length);
    return { status: 'done', va: hex(at), ...reached, bytes: this.shown(bytes, physical) };
  }

  private bus(
    evaluated: ReturnType<ScriptValues['place']>,
    step: Extract<ScriptStep, { bus: unknown }>,
  ): StepData {
    if (!('value' in evaluated)) return missingStep(evaluated);
    const { machine } = this.boot;
    if (step.wbinvd === true) for (const cpu of machine.cpus) cpu.wbinvd();
    const physical = physicalOf(this.boot, evaluated.value, String(step.bus));
    const bytes = machine.dram.peek(pa(physical), step.length);
    return { status: 'done', pa: hex(physical), bytes: this.shown(bytes, physical) };
  }

  /** Exchanges the bytes of two places in DRAM, which no cache notices: neither key nor address is part of a transfer. */
  private swap(index: number, step: Extract<ScriptStep, { swap: unknown }>): StepData {
    const { length } = step;
    const [one, other] = [
      this.where(index, 'swap', step.swap, 'pa'),
      this.where(index, 'with', step.with, 'pa'),
    ];
    if (!('value' in one)) return missingStep(one);
    if (!('value' in other)) return missingStep(other);
    const { dram, cpus } = this.boot.machine;
    if (step.wbinvd === true) for (const cpu of cpus) cpu.wbinvd();
    const a = pa(physicalOf(this.boot, one.value, String(step.swap)));
    const b = pa(physicalOf(this.boot, other.value, String(step.with)));
    if (Math.abs(a - b) < length) {
      throw new InputError({
        code: 'E_PROBE_BYTES',
        place: this.file.place(['calls', index, 'length']),
        expected: `at most ${String(Math.abs(a - b))}, so that the two places do not overlap`,
        found: String(length),
      });
    }
    const [bytes, others] = [dram.peek(a, length), dram.peek(b, length)];
    dram.write(a, KEY_PLAIN, others, 0, length);
    dram.write(b, KEY_PLAIN, bytes, 0, length);
    return { status: 'done', pa: hex(a), bytes: this.shown(others, undefined) };
  }

  /** The physical address of a virtual range; undefined if a page is not mapped or the pages are not contiguous. */
  private contiguous(at: Va, length: number): number | undefined {
    const first = this.k.cpu.translate(at);
    if (isFault(first)) return undefined;
    const inPage = first.pa % PAGE_SIZE;
    for (let done = PAGE_SIZE - inPage; done < length; done += PAGE_SIZE) {
      const next = this.k.cpu.translate(va(at + done));
      if (isFault(next) || next.pa !== first.pa + done) return undefined;
    }
    return first.pa;
  }

  private shown(bytes: Uint8Array, physical: number | undefined): ByteRange {
    const some = bytes.subarray(0, SHOWN);
    const made = physical === undefined ? undefined : producedAt(this.boot, physical, bytes.length);
    return {
      length: bytes.length,
      hex: hexBytes(some),
      text: [...some].map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join(''),
      ...(made !== undefined && {
        produced: {
          name: made.name,
          same: startsWith(bytes, made.bytes),
        },
      }),
    };
  }
}

function missingStep(what: Missing): StepData {
  if ('noResult' in what) return { status: 'skipped', why: `$${what.noResult} has no value` };
  const patch = what.patch === undefined ? 'a patch' : `patch ${what.patch}`;
  return { status: 'absent', why: `${what.absent} is added by ${patch}` };
}

/** Adds a place to InputErrors that have none in `calls`. */
function within<T>(place: Place, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof InputError) || error.place.path?.startsWith('calls') === true) {
      throw error;
    }
    const { code, reason, expected, found } = error;
    throw new InputError({
      code,
      place,
      ...(reason !== undefined && { reason }),
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
      cause: error,
    });
  }
}

/** Calls a function with arguments from a file: a TypeError or RangeError is reported as an error of the file. */
function checkedCall(call: string, body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new InputError({
      code: 'E_PROBE_CALL',
      reason: `${call} does not accept these arguments (64-bit values are written 0x…n): ${error.message}`,
      cause: error,
    });
  }
}

/** The bytes of a write: hexadecimal digits after 0x, else text. Throws E_PROBE_BYTES. */
function bytesOf(text: string): Uint8Array {
  if (!text.startsWith('0x')) return new TextEncoder().encode(text);
  const digits = text.slice(2).replace(/[\s_]/g, '');
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(digits)) {
    throw new InputError({
      code: 'E_PROBE_BYTES',
      expected: 'text, or 0x and two hexadecimal digits for each byte',
      found: text,
    });
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** An argument as passed to the function; a device by its name. */
function argumentText(value: unknown): string {
  const isDevice = typeof value === 'object' && value !== null && 'devid' in value;
  return (isDevice && 'name' in value ? String(value.name) : valueText(value)) ?? 'nothing';
}

/** A step as written. */
function stepText(step: ScriptStep): string {
  if ('call' in step) {
    const args = step.args.map((argument) =>
      typeof argument !== 'object'
        ? String(argument)
        : 'text' in argument
          ? JSON.stringify(argument.text)
          : argument.device,
    );
    return `${step.call}(${args.join(', ')})`;
  }
  if ('read' in step) return `read ${step.read}, ${step.length} bytes`;
  if ('write' in step) return `write ${step.write}, ${JSON.stringify(step.bytes)}`;
  if ('entry' in step) return `entry ${step.entry}`;
  const after = step.wbinvd === true ? ' after WBINVD' : '';
  if ('swap' in step) {
    return `swap ${step.swap} with ${step.with}, ${step.length} bytes${after}`;
  }
  return `bus ${step.bus}, ${step.length} bytes${after}`;
}
