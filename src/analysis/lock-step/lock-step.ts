/**
 * Lock step: an image's own instructions and the model of the same code, each on a machine of one scenario from the same
 * state on, up to the same label, or to a triple fault of both before it; then everything in which the two machines differ.
 */
import { InputError } from '../../base/errors.js';
import { hex, PAGE_SIZE, pa, va, type Pa, type Va } from '../../machine/address.js';
import { KEY_HOST } from '../../machine/address.js';
import { readUnder } from '../../machine/quiet.js';
import type { Machine } from '../../machine/machine.js';
import type { Boot } from '../../sequencer/boot.js';
import { writeBackAll } from '../../sequencer/final-state.js';
import { labelIndex } from '../../sequencer/label-index.js';
import { machineOf } from '../../sequencer/machine-of.js';
import { symbolOf } from '../../sequencer/symbols.js';
import type { Outcome } from '../../trace/trace.js';
import { Executor, type RunEnd } from '../../x86/executor.js';
import { memoryDifferences, type MemoryDifference } from './memory.js';
import { registerDifferences, type RegisterDifference } from './registers.js';
import { recordWrites, writeDifferences, type WriteDifference } from './writes.js';

/** The label at which the two are compared: all of the posted assembly has run then. */
export const DEFAULT_LABEL = 'x86_64_start_kernel';
/** Instructions after which an image that does not reach the label is stopped (our choice). */
export const MOST_INSTRUCTIONS = 100_000_000;

export interface LockStepOptions {
  /** The model runs up to the step of this label; the image up to its symbol of the same name. */
  readonly at?: string;
  readonly maxInstructions?: number;
}

/** A difference of memory, with its place. */
export interface NamedDifference extends MemoryDifference {
  /** Symbol or region, with an offset. */
  readonly symbol: string | undefined;
  /**
   * The function that both words are addresses in, if the difference is a return address: the model has no code, and puts
   * its call sites at offsets of its own choice (src/kernel/program.ts).
   */
  readonly returnsTo?: string;
}

export interface LockStep {
  readonly instructions: number;
  /** Why the image ended; a breakpoint: at the label. */
  readonly end: RunEnd;
  /** How the model ended before the label; null: it did not. */
  readonly outcome: Outcome | null;
  /** Absent unless both have reached the label, or both have ended in a triple fault. */
  readonly compared?: {
    readonly registers: readonly RegisterDifference[];
    readonly writes: readonly WriteDifference[];
    readonly memory: readonly NamedDifference[];
  };
}

/** The physical address of a link address. */
const physical = (boot: Boot, link: number): Pa =>
  pa(link - boot.program.link('_text') + boot.loaded.kernelAt);

function linkOf(boot: Boot, name: string): Va {
  const symbol = boot.program.image.symbols.get(name);
  if (symbol !== undefined) return va(symbol.address);
  throw new InputError({
    code: 'E_NO_SYMBOL',
    reason: `the image has no symbol "${name}"`,
    place: { file: boot.program.image.file },
  });
}

/**
 * Runs both.
 *
 * @param boot a boot of the image that has not begun. It is at the label, or at its end, afterwards.
 * @throws InputError E_LABEL for a label that the model does not have; E_NO_SYMBOL for one that the image does not have.
 */
export function lockStep(boot: Boot, options: LockStepOptions = {}): LockStep {
  const { at = DEFAULT_LABEL, maxInstructions = MOST_INSTRUCTIONS } = options;
  labelIndex(boot.labels, at);
  const { scenario, cipher, lazy } = boot.options;
  const machine = machineOf(scenario, cipher, lazy);
  machine.restore(boot.machine.snapshot());
  const [cpu] = machine.cpus;
  cpu.rip = va(physical(boot, linkOf(boot, 'startup_64')));
  const label = linkOf(boot, at);
  const stops = new Set<number>([label, physical(boot, label)]);
  const writes = { image: [] as string[], model: [] as string[] };
  const stopImage = recordWrites(machine, writes.image);
  const executor = new Executor(machine);
  const end = executor.run({ breakpoints: stops, maxInstructions });
  stopImage();
  const { instructions } = executor;

  const stopModel = recordWrites(boot.machine, writes.model);
  while (boot.ahead[0] !== at && boot.step());
  stopModel();
  const { outcome } = boot;
  const shutDown = end.kind === 'triple-fault' && outcome?.kind === 'triple-fault';
  if (!shutDown && (end.kind !== 'breakpoint' || outcome !== null)) {
    return { instructions, end, outcome };
  }
  // At a label the two are at the same place, each under its own address.
  const registers = registerDifferences(executor.core, boot.machine.cpus[0], shutDown);
  writeBackAll(machine);
  writeBackAll(boot.machine);
  const memory = memoryDifferences(machine, boot.machine).map((each) => ({
    ...each,
    ...nameOf(boot, machine, each),
  }));
  return {
    instructions,
    end,
    outcome,
    compared: { registers, writes: writeDifferences(writes.image, writes.model), memory },
  };
}

function nameOf(
  boot: Boot,
  machine: Machine,
  difference: MemoryDifference,
): Pick<NamedDifference, 'symbol' | 'returnsTo'> {
  const { at } = difference;
  const region = boot.regions().find(({ base, size }) => at >= base && at < base + size);
  const symbol =
    symbolOf(boot.program, boot.loaded, 'pa', at) ??
    (region === undefined ? undefined : `${region.name}+${hex(at - region.base)}`);
  const returnsTo = returnedTo(boot, machine, difference);
  return { symbol, ...(returnsTo !== undefined && { returnsTo }) };
}

/** The word that a range is in, if it is in one. */
function wordAt(machine: Machine, { at, image, imageKey }: MemoryDifference): bigint | undefined {
  const word = at - (at % 8);
  if (at + image.length > word + 8 || word % PAGE_SIZE > PAGE_SIZE - 8) return undefined;
  const bytes = readUnder(machine, pa(word), 8, imageKey ?? KEY_HOST);
  return new DataView(bytes.buffer).getBigUint64(0, true);
}

/** The function in which both machines have a return address in the word of a range. */
function returnedTo(
  boot: Boot,
  machine: Machine,
  difference: MemoryDifference,
): string | undefined {
  if (difference.imageKey !== difference.modelKey) return undefined;
  const functionOf = (word: bigint | undefined): string | undefined => {
    const address = word === undefined ? undefined : Number(BigInt.asIntN(64, word));
    if (address === undefined || !Number.isSafeInteger(address)) return undefined;
    const space = address < 0 ? 'va' : 'pa';
    // A label in a function, as `startup_64:fixup`, is a symbol of its own in an image that has it.
    return symbolOf(boot.program, boot.loaded, space, address)?.replace(/[:+].*$/, '');
  };
  const [a, b] = [wordAt(machine, difference), wordAt(boot.machine, difference)].map(functionOf);
  return a !== undefined && a === b && boot.linked.table.get(a) !== undefined ? a : undefined;
}
