/**
 * The arithmetic flags of RFLAGS, computed when they are read: the last operation's operands and result are recorded
 * instead (APM vol. 1, 3.1.4). CF, OF and AF of additions and subtractions follow from the three values alone, whatever
 * carry went in, since the carry out of each bit is (a AND b) OR ((a OR b) AND NOT r).
 *
 * Operands narrower than 32 bits are recorded twice: shifted up, so that their sign is bit 31, and as they are.
 */

/** Bits of RFLAGS (APM vol. 1, 3.1.4; vol. 2, 3.1.6). */
export const FLAG = {
  CF: 1 << 0,
  ONE: 1 << 1,
  PF: 1 << 2,
  AF: 1 << 4,
  ZF: 1 << 6,
  SF: 1 << 7,
  TF: 1 << 8,
  IF: 1 << 9,
  DF: 1 << 10,
  OF: 1 << 11,
  IOPL: 3 << 12,
  NT: 1 << 14,
  RF: 1 << 16,
  VM: 1 << 17,
  AC: 1 << 18,
  VIF: 1 << 19,
  VIP: 1 << 20,
  ID: 1 << 21,
} as const;

/** The six arithmetic flags. */
export const ARITHMETIC = FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.OF;

/** What the record means. `increment` and `decrement` do not change CF, which is recorded apart. */
const KIND = { known: 0, add: 1, subtract: 2, logic: 3, increment: 4, decrement: 5 } as const;
type Kind = (typeof KIND)[keyof typeof KIND];

/** Bytes with an even number of ones: PF (APM vol. 1, 3.1.4). */
const EVEN = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let bits = byte; bits !== 0; bits >>= 1) ones += bits & 1;
  return ones % 2 === 0 ? 1 : 0;
});

export class Flags {
  /** The bits of RFLAGS that are not arithmetic. */
  system: number = FLAG.ONE;
  private kind: Kind = KIND.known;
  /** The arithmetic bits, for `known`. */
  private bits = 0;
  private carry = 0;
  private aLow = 0;
  private aHigh = 0;
  private bLow = 0;
  private bHigh = 0;
  private low = 0;
  private high = 0;

  /** Records a + b (+ carry) of 64 bits. */
  add64(aLow: number, aHigh: number, bLow: number, bHigh: number, low: number, high: number): void {
    this.kind = KIND.add;
    this.record(aLow, aHigh, bLow, bHigh, low, high);
  }
  /** Records a − b (− carry) of 64 bits. */
  subtract64(
    aLow: number,
    aHigh: number,
    bLow: number,
    bHigh: number,
    low: number,
    high: number,
  ): void {
    this.kind = KIND.subtract;
    this.record(aLow, aHigh, bLow, bHigh, low, high);
  }
  /** Records a + b (+ carry). @param shift 32 minus the operand size in bits. */
  add(a: number, b: number, result: number, shift: number): void {
    this.kind = KIND.add;
    this.record(a, a << shift, b, b << shift, result, result << shift);
  }
  subtract(a: number, b: number, result: number, shift: number): void {
    this.kind = KIND.subtract;
    this.record(a, a << shift, b, b << shift, result, result << shift);
  }
  /** Records the result of an AND, OR, XOR or TEST: CF and OF are 0, AF is undefined (our choice: 0). */
  logic(low: number, high: number): void {
    this.kind = KIND.logic;
    this.low = low;
    this.high = high;
  }
  /** Records INC or DEC by one of 64 bits, or of fewer in both halves as `add` has them. */
  step(up: boolean, aLow: number, aHigh: number, one: number, low: number, high: number): void {
    this.carry = this.cf();
    this.kind = up ? KIND.increment : KIND.decrement;
    this.record(aLow, aHigh, 1, one, low, high);
  }

  private record(
    aLow: number,
    aHigh: number,
    bLow: number,
    bHigh: number,
    low: number,
    high: number,
  ): void {
    this.aLow = aLow;
    this.aHigh = aHigh;
    this.bLow = bLow;
    this.bHigh = bHigh;
    this.low = low;
    this.high = high;
  }

  /** CF as 0 or 1. */
  cf(): number {
    const { aHigh: a, bHigh: b, high: r } = this;
    switch (this.kind) {
      case KIND.add:
        return ((a & b) | ((a | b) & ~r)) >>> 31;
      case KIND.subtract:
        return ((~a & b) | ((~a | b) & r)) >>> 31;
      case KIND.logic:
        return 0;
      case KIND.known:
        return this.bits & FLAG.CF;
      default:
        return this.carry;
    }
  }
  zf(): boolean {
    return this.kind === KIND.known ? (this.bits & FLAG.ZF) !== 0 : (this.low | this.high) === 0;
  }
  sf(): boolean {
    return this.kind === KIND.known ? (this.bits & FLAG.SF) !== 0 : this.high < 0;
  }
  of(): boolean {
    const { aHigh: a, bHigh: b, high: r } = this;
    switch (this.kind) {
      case KIND.add:
      case KIND.increment:
        return ((a ^ r) & (b ^ r)) < 0;
      case KIND.subtract:
      case KIND.decrement:
        return ((a ^ b) & (a ^ r)) < 0;
      case KIND.logic:
        return false;
      default:
        return (this.bits & FLAG.OF) !== 0;
    }
  }
  pf(): boolean {
    return this.kind === KIND.known ? (this.bits & FLAG.PF) !== 0 : EVEN[this.low & 0xff] === 1;
  }
  private af(): boolean {
    if (this.kind === KIND.known) return (this.bits & FLAG.AF) !== 0;
    return this.kind !== KIND.logic && ((this.aLow ^ this.bLow ^ this.low) & FLAG.AF) !== 0;
  }

  /** The six arithmetic flags as bits of RFLAGS. */
  arithmetic(): number {
    if (this.kind !== KIND.known) {
      this.bits =
        this.cf() |
        (this.pf() ? FLAG.PF : 0) |
        (this.af() ? FLAG.AF : 0) |
        (this.zf() ? FLAG.ZF : 0) |
        (this.sf() ? FLAG.SF : 0) |
        (this.of() ? FLAG.OF : 0);
      this.kind = KIND.known;
    }
    return this.bits;
  }

  /** Sets some of the arithmetic flags; the others do not change. */
  set(mask: number, bits: number): void {
    this.bits = (this.arithmetic() & ~mask) | (bits & mask);
  }

  /** PF, ZF and SF of a result as bits of RFLAGS. @param shift 32 minus the operand size in bits; 0 also for 64 bits. */
  static ofResult(low: number, high: number, shift: number): number {
    const top = high << shift;
    return (
      (EVEN[low & 0xff] === 1 ? FLAG.PF : 0) |
      ((low << shift) | top ? 0 : FLAG.ZF) |
      (top < 0 ? FLAG.SF : 0)
    );
  }

  /** RFLAGS, its low 32 bits. */
  get value(): number {
    return this.system | this.arithmetic();
  }
  set value(value: number) {
    this.kind = KIND.known;
    this.bits = value & ARITHMETIC;
    this.system = (value & ~ARITHMETIC) | FLAG.ONE;
  }

  get interruptsEnabled(): boolean {
    return (this.system & FLAG.IF) !== 0;
  }
  /** DF: string operations go downwards. */
  get down(): boolean {
    return (this.system & FLAG.DF) !== 0;
  }
}

/** The condition of a Jcc, SETcc or CMOVcc, by its suffix (APM vol. 3, table 1-12). */
export function conditionOf(flags: Flags, suffix: string): (() => boolean) | undefined {
  switch (suffix) {
    case 'o':
      return () => flags.of();
    case 'no':
      return () => !flags.of();
    case 'b':
      return () => flags.cf() !== 0;
    case 'ae':
      return () => flags.cf() === 0;
    case 'e':
      return () => flags.zf();
    case 'ne':
      return () => !flags.zf();
    case 'be':
      return () => flags.cf() !== 0 || flags.zf();
    case 'a':
      return () => flags.cf() === 0 && !flags.zf();
    case 's':
      return () => flags.sf();
    case 'ns':
      return () => !flags.sf();
    case 'p':
      return () => flags.pf();
    case 'np':
      return () => !flags.pf();
    case 'l':
      return () => flags.sf() !== flags.of();
    case 'ge':
      return () => flags.sf() === flags.of();
    case 'le':
      return () => flags.zf() || flags.sf() !== flags.of();
    case 'g':
      return () => !flags.zf() && flags.sf() === flags.of();
    default:
      return undefined;
  }
}
