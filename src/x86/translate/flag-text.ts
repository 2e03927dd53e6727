/** The text that records flags, and of conditions: from the values of the block itself where they are known. */
import { FLAG, KIND, RECORD } from '../flags.js';

/** The last operation that recorded flags, as expressions; narrow values are shifted up in the high halves. */
interface Known {
  readonly kind: 'add' | 'subtract' | 'logic';
  readonly a: string;
  readonly aHigh: string;
  readonly b: string;
  readonly bHigh: string;
  readonly low: string;
  readonly high: string;
  /** Whether the halves are those of 64 bits. */
  readonly wide: boolean;
}

const word = (index: number): string => `f[${String(index)}]`;

export class FlagText {
  private known: Known | null = null;

  /** The flags are no longer those of a known operation. */
  forget(): void {
    this.known = null;
  }

  /** Records an operation, if what it records is seen. */
  record(lines: string[], operation: Known, seen: boolean): void {
    this.known = operation;
    if (!seen) return;
    const { kind, a, aHigh, b, bHigh, low, high } = operation;
    lines.push(`${word(RECORD.KIND)} = ${String(KIND[kind])};`);
    if (kind !== 'logic') {
      lines.push(
        `${word(RECORD.A)} = ${a}; ${word(RECORD.A_HIGH)} = ${aHigh};`,
        `${word(RECORD.B)} = ${b}; ${word(RECORD.B_HIGH)} = ${bHigh};`,
      );
    }
    lines.push(`${word(RECORD.LOW)} = ${low}; ${word(RECORD.HIGH)} = ${high};`);
  }

  /** Records INC or DEC: CF stays. `a` and `one` are as `record` has them. */
  step(
    lines: string[],
    up: boolean,
    { a, aHigh, one, low, high }: Record<'a' | 'aHigh' | 'one' | 'low' | 'high', string>,
  ): void {
    lines.push(
      `${word(RECORD.CARRY)} = F.cf();`,
      `${word(RECORD.KIND)} = ${String(up ? KIND.increment : KIND.decrement)};`,
      `${word(RECORD.A)} = ${a}; ${word(RECORD.A_HIGH)} = ${aHigh};`,
      `${word(RECORD.B)} = 1; ${word(RECORD.B_HIGH)} = ${one};`,
      `${word(RECORD.LOW)} = ${low}; ${word(RECORD.HIGH)} = ${high};`,
    );
    this.known = null;
  }

  /** Records arithmetic flags that are known as bits of RFLAGS. */
  bits(lines: string[], bits: string): void {
    lines.push(`${word(RECORD.KIND)} = ${String(KIND.known)}; ${word(RECORD.BITS)} = ${bits};`);
    this.known = null;
  }

  /** A condition by its suffix, as an expression of a boolean; undefined: there is none of that name. */
  condition(suffix: string): string | undefined {
    const positive = POSITIVE.get(suffix);
    if (positive !== undefined) return this.positive(suffix) ?? positive;
    const opposite = OPPOSITE.get(suffix);
    return opposite === undefined ? undefined : `!(${String(this.condition(opposite))})`;
  }

  private positive(suffix: string): string | undefined {
    const { known } = this;
    if (known === null) return undefined;
    const { kind, a, aHigh, b, bHigh, low, high, wide } = known;
    const zero = wide ? `(${low} | ${high}) === 0` : `${low} === 0`;
    const less = wide
      ? `(${aHigh} < ${bHigh} || ${aHigh} === ${bHigh} && (${a} >>> 0) < (${b} >>> 0))`
      : `${aHigh} < ${bHigh}`;
    const below = wide
      ? `((${aHigh} >>> 0) < (${bHigh} >>> 0) || ${aHigh} === ${bHigh} && (${a} >>> 0) < (${b} >>> 0))`
      : `(${aHigh} >>> 0) < (${bHigh} >>> 0)`;
    if (suffix === 'e') return zero;
    if (suffix === 's') return `${high} < 0`;
    if (kind === 'subtract') {
      if (suffix === 'b') return below;
      if (suffix === 'be') return `${below} || ${zero}`;
      if (suffix === 'l') return less;
      if (suffix === 'le') return `${less} || ${zero}`;
    }
    if (kind === 'logic') {
      if (suffix === 'b' || suffix === 'o') return 'false';
      if (suffix === 'be') return zero;
      if (suffix === 'l') return `${high} < 0`;
      if (suffix === 'le') return `${high} < 0 || ${zero}`;
    }
    return undefined;
  }
}

/** Conditions by what is recorded. */
const POSITIVE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    o: 'F.of()',
    b: 'F.cf() !== 0',
    e: 'F.zf()',
    be: 'F.cf() !== 0 || F.zf()',
    s: 'F.sf()',
    p: 'F.pf()',
    l: 'F.sf() !== F.of()',
    le: 'F.zf() || F.sf() !== F.of()',
  }),
);
/** The conditions that are the opposite of another. */
const OPPOSITE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    no: 'o',
    ae: 'b',
    ne: 'e',
    a: 'be',
    ns: 's',
    np: 'p',
    ge: 'l',
    g: 'le',
  }),
);

/** The bits of CF and OF by expressions of 0 or 1. */
export const carryAndOverflow = (carry: string, overflow: string): string =>
  `${carry} | (${overflow}) * ${String(FLAG.OF)}`;
