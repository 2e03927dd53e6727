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
export const KIND = {
  known: 0,
  add: 1,
  subtract: 2,
  logic: 3,
  increment: 4,
  decrement: 5,
} as const;
/** Bytes with an even number of ones: PF (APM vol. 1, 3.1.4). */
const EVEN = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let bits = byte; bits !== 0; bits >>= 1) ones += bits & 1;
  return ones % 2 === 0 ? 1 : 0;
});

/** Words of the record of the last operation. */
export const RECORD = {
  KIND: 0,
  /** The arithmetic bits, for `known`. */
  BITS: 1,
  /** CF, for `increment` and `decrement`. */
  CARRY: 2,
  /** Halves are adjacent and aligned: translated code stores both at once. */
  A: 4,
  A_HIGH: 5,
  B: 6,
  B_HIGH: 7,
  LOW: 8,
  HIGH: 9,
} as const;
/** The number of the record's words. */
export const RECORD_WORDS = 10;

export class Flags {
  /** The bits of RFLAGS that are not arithmetic. */
  system: number = FLAG.ONE;
  /** @param words the last operation, by RECORD; translated code writes it too. */
  constructor(readonly words: Int32Array = new Int32Array(RECORD_WORDS)) {}

  /** Records a + b (+ carry) of 64 bits. */
  add64(aLow: number, aHigh: number, bLow: number, bHigh: number, low: number, high: number): void {
    this.words[RECORD.KIND] = KIND.add;
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
    this.words[RECORD.KIND] = KIND.subtract;
    this.record(aLow, aHigh, bLow, bHigh, low, high);
  }
  /** Records a + b (+ carry). @param shift 32 minus the operand size in bits. */
  add(a: number, b: number, result: number, shift: number): void {
    this.words[RECORD.KIND] = KIND.add;
    this.record(a, a << shift, b, b << shift, result, result << shift);
  }
  subtract(a: number, b: number, result: number, shift: number): void {
    this.words[RECORD.KIND] = KIND.subtract;
    this.record(a, a << shift, b, b << shift, result, result << shift);
  }
  /** Records the result of an AND, OR, XOR or TEST: CF and OF are 0, AF is undefined (our choice: 0). */
  logic(low: number, high: number): void {
    this.words[RECORD.KIND] = KIND.logic;
    this.words[RECORD.LOW] = low;
    this.words[RECORD.HIGH] = high;
  }
  /** Records INC or DEC by one of 64 bits, or of fewer in both halves as `add` has them. */
  step(up: boolean, aLow: number, aHigh: number, one: number, low: number, high: number): void {
    this.words[RECORD.CARRY] = this.cf();
    this.words[RECORD.KIND] = up ? KIND.increment : KIND.decrement;
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
    this.words[RECORD.A] = aLow;
    this.words[RECORD.A_HIGH] = aHigh;
    this.words[RECORD.B] = bLow;
    this.words[RECORD.B_HIGH] = bHigh;
    this.words[RECORD.LOW] = low;
    this.words[RECORD.HIGH] = high;
  }

  private word(index: number): number {
    return this.words[index] ?? 0;
  }

  /** CF as 0 or 1. */
  cf(): number {
    const a = this.word(RECORD.A_HIGH);
    const b = this.word(RECORD.B_HIGH);
    const r = this.word(RECORD.HIGH);
    switch (this.word(RECORD.KIND)) {
      case KIND.add:
        return ((a & b) | ((a | b) & ~r)) >>> 31;
      case KIND.subtract:
        return ((~a & b) | ((~a | b) & r)) >>> 31;
      case KIND.logic:
        return 0;
      case KIND.known:
        return this.word(RECORD.BITS) & FLAG.CF;
      default:
        return this.word(RECORD.CARRY);
    }
  }
  zf(): boolean {
    return this.word(RECORD.KIND) === KIND.known
      ? (this.word(RECORD.BITS) & FLAG.ZF) !== 0
      : (this.word(RECORD.LOW) | this.word(RECORD.HIGH)) === 0;
  }
  sf(): boolean {
    return this.word(RECORD.KIND) === KIND.known
      ? (this.word(RECORD.BITS) & FLAG.SF) !== 0
      : this.word(RECORD.HIGH) < 0;
  }
  of(): boolean {
    const a = this.word(RECORD.A_HIGH);
    const b = this.word(RECORD.B_HIGH);
    const r = this.word(RECORD.HIGH);
    switch (this.word(RECORD.KIND)) {
      case KIND.add:
      case KIND.increment:
        return ((a ^ r) & (b ^ r)) < 0;
      case KIND.subtract:
      case KIND.decrement:
        return ((a ^ b) & (a ^ r)) < 0;
      case KIND.logic:
        return false;
      default:
        return (this.word(RECORD.BITS) & FLAG.OF) !== 0;
    }
  }
  pf(): boolean {
    return this.word(RECORD.KIND) === KIND.known
      ? (this.word(RECORD.BITS) & FLAG.PF) !== 0
      : EVEN[this.word(RECORD.LOW) & 0xff] === 1;
  }
  private af(): boolean {
    if (this.word(RECORD.KIND) === KIND.known) return (this.word(RECORD.BITS) & FLAG.AF) !== 0;
    return (
      this.word(RECORD.KIND) !== KIND.logic &&
      ((this.word(RECORD.A) ^ this.word(RECORD.B) ^ this.word(RECORD.LOW)) & FLAG.AF) !== 0
    );
  }

  /** The six arithmetic flags as bits of RFLAGS. */
  arithmetic(): number {
    if (this.word(RECORD.KIND) !== KIND.known) {
      this.words[RECORD.BITS] =
        this.cf() |
        (this.pf() ? FLAG.PF : 0) |
        (this.af() ? FLAG.AF : 0) |
        (this.zf() ? FLAG.ZF : 0) |
        (this.sf() ? FLAG.SF : 0) |
        (this.of() ? FLAG.OF : 0);
      this.words[RECORD.KIND] = KIND.known;
    }
    return this.word(RECORD.BITS);
  }

  /** Sets some of the arithmetic flags; the others do not change. */
  set(mask: number, bits: number): void {
    this.words[RECORD.BITS] = (this.arithmetic() & ~mask) | (bits & mask);
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
    this.words[RECORD.KIND] = KIND.known;
    this.words[RECORD.BITS] = value & ARITHMETIC;
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
