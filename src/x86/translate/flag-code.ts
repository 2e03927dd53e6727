/** The code that records flags, and of conditions: from the locals of the last operation of the block, where they hold. */
import { FLAG, KIND, RECORD } from '../flags.js';
import { MEMORY, OP, type Code } from './code.js';
import { LOCAL } from './context.js';
import { helperIndex, type Helper } from './helpers.js';
import type { Layout } from './layout.js';

/** What the locals say: all of an operation, or its result only. */
type Kind = 'add' | 'subtract' | 'logic' | 'result';

export class FlagCode {
  private kind: Kind | null = null;
  private size = 8;

  constructor(
    private readonly code: Code,
    private readonly layout: Layout,
  ) {}

  /** The flags are no longer those of a known operation. */
  forget(): void {
    this.kind = null;
  }

  /** Records the operation in the locals, if what it records is seen. */
  record(kind: 'add' | 'subtract' | 'logic', size: number, seen: boolean): void {
    this.kind = kind;
    this.size = size;
    if (!seen) return;
    this.word(RECORD.KIND, KIND[kind]);
    if (kind !== 'logic') {
      this.value(RECORD.A, LOCAL.A);
      this.value(RECORD.B, LOCAL.B);
    }
    this.value(RECORD.LOW, LOCAL.RESULT);
  }

  /** Of the last operation only the result is of use: it had CF as a third operand. */
  resultOnly(): void {
    this.kind = 'result';
  }

  /** Records INC or DEC: CF, which is in local CARRY as 0 or 1, stays. */
  step(up: boolean, size: number): void {
    const { code, layout } = this;
    this.kind = 'result';
    this.size = size;
    code.store(MEMORY.i32Store, layout.flag(RECORD.CARRY), () => code.get(LOCAL.CARRY));
    this.word(RECORD.KIND, up ? KIND.increment : KIND.decrement);
    this.value(RECORD.A, LOCAL.A);
    this.value(RECORD.B, LOCAL.B);
    this.value(RECORD.LOW, LOCAL.RESULT);
  }

  /**
   * Records the flags of a shift by its result. `carry` and `overflow` put 0 or 1 on the stack as 64 bits; AF is
   * undefined (our choice: 0).
   */
  shift(size: number, carry: () => void, overflow: () => void, seen: boolean): void {
    const { code, layout } = this;
    this.kind = 'result';
    this.size = size;
    if (!seen) return;
    const bit = (flag: number): void => {
      code.i32(31 - Math.clz32(flag));
      code.op(OP.i32Shl, OP.i32Or);
    };
    this.word(RECORD.KIND, KIND.known);
    code.store(MEMORY.i32Store, layout.flag(RECORD.BITS), () => {
      carry();
      code.op(OP.i32WrapI64);
      overflow();
      code.op(OP.i32WrapI64);
      bit(FLAG.OF);
      code.get(LOCAL.RESULT);
      code.op(OP.i64Eqz);
      bit(FLAG.ZF);
      this.sign();
      bit(FLAG.SF);
      code.get(LOCAL.RESULT);
      code.op(OP.i32WrapI64);
      code.i32(0xff);
      code.op(OP.i32And, OP.i32Popcnt);
      code.i32(1);
      code.op(OP.i32And, OP.i32Eqz);
      bit(FLAG.PF);
    });
  }

  private word(index: number, value: number): void {
    this.code.storeI32(this.layout.flag(index), value);
  }

  /** Stores a local as the record has it: of narrow values, the value shifted up in the high half. */
  private value(index: number, local: number): void {
    const { code, layout, size } = this;
    code.store(MEMORY.i64Store, layout.flag(index), () => {
      code.get(local);
      if (size === 8) return;
      this.shifted(local);
      code.op(OP.i64Or);
    });
  }

  /** Puts a local on the stack, its sign as bit 63. */
  private shifted(local: number): void {
    const { code, size } = this;
    code.get(local);
    if (size === 8) return;
    code.i64(64 - 8 * size, 0);
    code.op(OP.i64Shl);
  }

  /** Puts whether the result is negative on the stack. */
  private sign(): void {
    this.shifted(LOCAL.RESULT);
    this.code.i64(0, 0);
    this.code.op(OP.i64LtS);
  }

  private call(name: Helper): void {
    this.code.call(helperIndex(name));
  }

  /** Puts CF on the stack. */
  carry(): void {
    this.condition('b');
  }

  /** Puts a condition on the stack, by its suffix; false: there is none of that name. */
  condition(suffix: string): boolean {
    const opposite = OPPOSITE.get(suffix);
    if (opposite !== undefined) {
      this.condition(opposite);
      this.code.op(OP.i32Eqz);
      return true;
    }
    return this.fromLocals(suffix) || this.fromRecord(suffix);
  }

  private fromLocals(suffix: string): boolean {
    const { code, kind } = this;
    if (kind === null) return false;
    const zero = (): void => {
      code.get(LOCAL.RESULT);
      code.op(OP.i64Eqz);
    };
    const compare = (op: number): void => {
      code.get(LOCAL.A);
      code.get(LOCAL.B);
      code.op(op);
    };
    const signed = (op: number): void => {
      this.shifted(LOCAL.A);
      this.shifted(LOCAL.B);
      code.op(op);
    };
    if (suffix === 'e') zero();
    else if (suffix === 's') this.sign();
    else if (kind === 'subtract' && suffix === 'b') compare(OP.i64LtU);
    else if (kind === 'subtract' && suffix === 'be') compare(OP.i64LeU);
    else if (kind === 'subtract' && suffix === 'l') signed(OP.i64LtS);
    else if (kind === 'subtract' && suffix === 'le') signed(OP.i64LeS);
    else if (kind === 'add' && suffix === 'b') {
      code.get(LOCAL.RESULT);
      code.get(LOCAL.A);
      code.op(OP.i64LtU);
    } else if (kind === 'logic' && (suffix === 'b' || suffix === 'o')) code.i32(0);
    else if (kind === 'logic' && suffix === 'be') zero();
    else if (kind === 'logic' && suffix === 'l') this.sign();
    else if (kind === 'logic' && suffix === 'le') {
      zero();
      this.sign();
      code.op(OP.i32Or);
    } else return false;
    return true;
  }

  private fromRecord(suffix: string): boolean {
    const { code } = this;
    const one = ONE.get(suffix);
    if (one !== undefined) {
      this.call(one);
      return true;
    }
    if (suffix === 'be') {
      this.call('cf');
      this.call('zf');
      code.op(OP.i32Or);
    } else if (suffix === 'l' || suffix === 'le') {
      this.call('sf');
      this.call('of');
      code.op(OP.i32Xor);
      if (suffix === 'l') return true;
      this.call('zf');
      code.op(OP.i32Or);
    } else return false;
    return true;
  }
}

/** Conditions that are one flag. */
const ONE: ReadonlyMap<string, Helper> = new Map([
  ['o', 'of'],
  ['b', 'cf'],
  ['e', 'zf'],
  ['s', 'sf'],
  ['p', 'pf'],
]);
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
