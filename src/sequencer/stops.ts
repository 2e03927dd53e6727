/**
 * Stops of an executed boot at labels: the entry of a function of the image, `F`, or after its return, `F:return`. They
 * read the machine and change nothing in it.
 */
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { suggest } from '../base/suggest.js';
import {
  KEY_PLAIN,
  PAGE_SIZE,
  translated,
  va,
  vaOfU64,
  type KeyId,
  type Pa,
  type Va,
} from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import { CR0, has } from '../machine/cpu/registers.js';
import type { Machine } from '../machine/machine.js';
import { quietTables, readUnder } from '../machine/quiet.js';
import type { ExecutedNames } from './executed-names.js';

const RETURN = ':return';
const WORD = 8;
const INT3 = 0xcc;
const UD2 = [0x0f, 0x0b] as const;

/** A label in its parts. */
export interface Label {
  readonly text: string;
  /** The function. */
  readonly name: string;
  readonly when: 'entry' | 'return';
}

/** Parses a label. Throws E_LABEL for a function that the image does not have. */
export function labelOf(text: string, names: ExecutedNames): Label {
  const when = text.endsWith(RETURN) ? 'return' : 'entry';
  const name = when === 'return' ? text.slice(0, -RETURN.length) : text;
  if (names.has(name)) return { text, name, when };
  throw new InputError({
    code: 'E_LABEL',
    reason: 'the image has no such function',
    expected: 'a function of the image, F or F:return',
    found: text,
    ...optional(suggest(name, [...names.all()])),
  });
}

/** Reads 8 bytes at a linear address as the CPU would; undefined if they are not mapped, or cross into another page. */
function readWord(machine: Machine, cpu: Cpu, at: Va): bigint | undefined {
  if ((((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE) + WORD > PAGE_SIZE) return undefined;
  const place = physicalOf(machine, cpu, at);
  if (place === undefined) return undefined;
  const bytes = readUnder(machine, place.pa, WORD, place.key);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}

/** The physical address of a linear one and its key, as the CPU would find them; undefined if it is not mapped. */
export function physicalOf(machine: Machine, cpu: Cpu, at: Va): { pa: Pa; key: KeyId } | undefined {
  if (!has(cpu.cr0, CR0.PG)) {
    const found = cpu.translate(at);
    return isFault(found) ? undefined : { pa: found.pa, key: KEY_PLAIN };
  }
  const entry = cpu.tlb.peek(at) ?? cpu.walkTables(at, quietTables(machine));
  return isFault(entry) ? undefined : { pa: translated(entry, at), key: entry.key };
}

/** A function that was entered: where it returns to, and RSP at its entry. */
interface Entered {
  readonly cpu: number;
  readonly to: number;
  readonly rsp: number;
}

interface Stop {
  readonly label: Label;
  /** null: it was not entered yet. */
  entered: Entered | null;
}

/** The stops that are waited for. */
export class Stops {
  private pending: Stop[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly names: ExecutedNames,
  ) {}

  /** Waits for a label, once. Throws E_LABEL. */
  add(text: string): void {
    const label = labelOf(text, this.names);
    const [cpu] = this.machine.cpus;
    // A run does not stop before its first instruction: the function may be entered already.
    const inside = label.when === 'return' && this.entriesOf(label).includes(cpu.rip);
    this.pending.push({ label, entered: inside ? this.entered(cpu) : null });
  }

  /** Whether a label is waited for. */
  waitsFor(text: string): boolean {
    return this.pending.some(({ label }) => label.text === text);
  }

  /** Whether the function of a label was entered and has not returned. */
  isInside(text: string): boolean {
    return this.pending.some(({ label, entered }) => label.text === text && entered !== null);
  }

  /** The linear addresses at which a run has to stop. */
  get addresses(): ReadonlySet<number> {
    return new Set(
      this.pending.flatMap(({ label, entered }) =>
        entered === null ? this.entriesOf(label) : [entered.to],
      ),
    );
  }

  /** Where the function of a label is entered; nowhere while it is not known where the kernel is. */
  private entriesOf({ name }: Label): readonly number[] {
    return this.names.place === null ? [] : this.names.addressesOf(name);
  }

  /** The run stopped before the instruction at an address. Returns the labels that are reached; they are waited for no more. */
  stopped(cpu: Cpu, rip: Va): string[] {
    const reached: string[] = [];
    this.pending = this.pending.filter((stop) => {
      const { label, entered } = stop;
      if (entered !== null) {
        // RET has taken the return address off the stack; of an inner call RSP is still below.
        if (rip !== entered.to || cpu.id !== entered.cpu || cpu.rsp <= entered.rsp) return true;
        reached.push(label.text);
        return false;
      }
      if (!this.entriesOf(label).includes(rip)) return true;
      if (label.when === 'entry') {
        reached.push(label.text);
        return false;
      }
      stop.entered = this.entered(cpu);
      return true;
    });
    return reached;
  }

  /** A CPU is at a function's first instruction: its return address is on the stack. */
  private entered(cpu: Cpu): Entered {
    const word = readWord(this.machine, cpu, cpu.rsp);
    const to = word === undefined ? undefined : vaOfU64(word);
    return { cpu: cpu.id, to: to ?? Number.NaN, rsp: cpu.rsp };
  }

  /**
   * Whether a function that was entered never returns: nothing is mapped at its return address, or the call is the last
   * instruction of its caller, or INT3 or UD2 follow it. Compilers put no code after a call that does not return (our
   * choice of these signs; where there are none, only the end of the run shows it).
   */
  neverReturns(text: string, cpu: Cpu): boolean {
    const to = this.pending.find(({ label }) => label.text === text)?.entered?.to;
    if (to === undefined) return false;
    if (Number.isNaN(to)) return true;
    const { machine, names } = this;
    const code = physicalOf(machine, cpu, va(to));
    if (code === undefined) return true;
    const [first, second] = readUnder(machine, code.pa, 2, code.key);
    if (first === INT3 || (first === UD2[0] && second === UD2[1])) return true;
    return names.functionAt(to) !== names.functionAt(to - 1);
  }
}
