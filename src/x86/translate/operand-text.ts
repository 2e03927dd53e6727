/** The text of operands: effective addresses, reads and writes of registers and memory, each value as its two halves. */
import type { Va } from '../../machine/address.js';
import {
  BASE_RIP,
  NO_REGISTER,
  SEGMENT,
  type MemoryOperand,
  type Operand,
  type RegisterOperand,
} from '../decode/instruction.js';
import { hasBase } from './traits.js';

/** A value: expressions without effect. `high` is of 64-bit values only. */
export interface Value {
  readonly low: string;
  readonly high: string;
}

/** A memory operand whose address has been computed. */
export interface Place extends Value {
  readonly size: number;
  readonly stack: boolean;
}

const TWO_32 = 2 ** 32;
const half = (register: number, high = false): string =>
  `r[${String(2 * register + (high ? 1 : 0))}]`;
const byteOf = ({ number, high }: RegisterOperand): string =>
  `b[${String(8 * number + (high ? 1 : 0))}]`;

export class Operands {
  private names = 0;

  /** A name that no other value of the block has. */
  name(): string {
    return `t${String(this.names++)}`;
  }

  /** Declares a constant; returns its name. */
  keep(lines: string[], expression: string): string {
    const name = this.name();
    lines.push(`const ${name} = ${expression};`);
    return name;
  }

  /** The effective address of an operand, without a segment's base. */
  effective(lines: string[], operand: MemoryOperand, next: Va): Value {
    const { base, index, scale, displacement, displacementHigh } = operand;
    if (base === BASE_RIP) {
      const at = next + displacement;
      return { low: String(at | 0), high: String(Math.floor(at / TWO_32) | 0) };
    }
    let sum: Value | undefined =
      base === NO_REGISTER ? undefined : { low: half(base), high: half(base, true) };
    if (index !== NO_REGISTER) {
      const shift = 31 - Math.clz32(scale);
      const scaled = this.shifted(lines, { low: half(index), high: half(index, true) }, shift);
      sum = sum === undefined ? scaled : this.sum(lines, sum, scaled);
    }
    const constant = { low: String(displacement), high: String(displacementHigh) };
    if (sum === undefined) return constant;
    return displacement === 0 && displacementHigh === 0 ? sum : this.sum(lines, sum, constant);
  }

  private shifted(lines: string[], { low, high }: Value, shift: number): Value {
    if (shift === 0) return { low, high };
    const by = String(shift);
    const a = this.keep(lines, low);
    return {
      low: this.keep(lines, `${a} << ${by}`),
      high: this.keep(lines, `${high} << ${by} | ${a} >>> ${String(32 - shift)}`),
    };
  }

  /** The sum of two values. */
  sum(lines: string[], a: Value, b: Value): Value {
    const low = this.keep(lines, `${a.low} + ${b.low} | 0`);
    const carry = `((${low} >>> 0) < (${b.low} >>> 0) ? 1 : 0)`;
    return { low, high: this.keep(lines, `${a.high} + ${b.high} + ${carry} | 0`) };
  }

  /** The linear address of a memory operand, for reads and writes. */
  place(lines: string[], operand: MemoryOperand, next: Va): Place {
    const { segment, size } = operand;
    let address = this.effective(lines, operand, next);
    if (hasBase(segment)) {
      const by = String(segment);
      address = this.sum(lines, address, { low: `sl[${by}]`, high: `sh[${by}]` });
    } else {
      // The registers may change before the write of a destination.
      address = { low: this.keep(lines, address.low), high: this.keep(lines, address.high) };
    }
    return { ...address, size, stack: segment === SEGMENT.ss };
  }

  /** Reads memory: a narrow value is zero-extended to 32 bits. */
  load(lines: string[], { low, high, size, stack }: Place): Value {
    const bits = String(8 * size);
    const value = this.keep(lines, `M.get${bits}(${low}, ${high}, ${String(stack)})`);
    return { low: value, high: size === 8 ? this.keep(lines, 'M.high') : '0' };
  }

  store(lines: string[], { low, high, size, stack }: Place, value: Value): void {
    const values = size === 8 ? `${value.low}, ${value.high}` : value.low;
    lines.push(`M.set${String(8 * size)}(${low}, ${high}, ${values}, ${String(stack)});`);
  }

  /** Reads a register or an immediate into constants; a narrow value is zero-extended to 32 bits. */
  read(lines: string[], operand: Exclude<Operand, MemoryOperand>): Value {
    if (operand.kind === 'immediate')
      return { low: String(operand.low), high: String(operand.high) };
    if (operand.kind !== 'register') throw new RangeError(operand.kind);
    const { number, size } = operand;
    if (size === 8) {
      return { low: this.keep(lines, half(number)), high: this.keep(lines, half(number, true)) };
    }
    if (size === 4) return { low: this.keep(lines, half(number)), high: '0' };
    const source = size === 2 ? `w[${String(4 * number)}]` : byteOf(operand);
    return { low: this.keep(lines, source), high: '0' };
  }

  /** Writes a register. A 32-bit result is zero-extended (APM vol. 1, 3.1.2.3). */
  write(lines: string[], operand: RegisterOperand, { low, high }: Value): void {
    const { number, size } = operand;
    if (size >= 4) {
      lines.push(
        `${half(number)} = ${low};`,
        `${half(number, true)} = ${size === 8 ? high : '0'};`,
      );
    } else if (size === 2) lines.push(`w[${String(4 * number)}] = ${low};`);
    else lines.push(`${byteOf(operand)} = ${low};`);
  }
}
