/** Evaluates constant expressions of C as the kernel's headers have them: macros and enumerators (LP64, x86-64). */
import { typeOf, type CType } from './constant-types.js';
import { tokensOf, type Token } from './constant-tokens.js';

/**
 * What is known of a name: its value, or the text of its definition, which is evaluated where it is used and so has the
 * type that C gives it.
 */
export type Known = bigint | string | undefined;
export type Lookup = (name: string) => Known;

/** A value, or why there is none. */
export type Evaluated =
  { readonly value: bigint; readonly unsigned: boolean } | { readonly reason: string };

interface Value {
  readonly value: bigint;
  readonly type: CType;
}

const INT: CType = { bits: 32, unsigned: false };
const UINT: CType = { bits: 32, unsigned: true };
const LONG: CType = { bits: 64, unsigned: false };
const ULONG: CType = { bits: 64, unsigned: true };

/** Definitions within definitions, and parentheses within parentheses (our choice). */
const DEEPEST = 64;
/** Definitions that one expression may evaluate (our choice): a chain of doublings takes more. */
const MOST_NAMES = 10_000;

/** Ends an evaluation. */
class NoConstant extends Error {}

const fail = (reason: string): never => {
  throw new NoConstant(reason);
};

const wrap = (value: bigint, type: CType): Value => ({
  value: type.unsigned ? BigInt.asUintN(type.bits, value) : BigInt.asIntN(type.bits, value),
  type,
});

const fits = (value: bigint, type: CType): boolean => wrap(value, type).value === value;

/** The type of an integer constant (C11 6.4.4.1); a decimal one without `u` is never unsigned. */
function literal(token: Token): Value {
  const [, digits = '', suffix = ''] =
    /^(0[xX][\da-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$/.exec(token.text) ?? [];
  if (digits === '' || !/^(?:u?(?:l|ll)?|(?:l|ll)u)$/i.test(suffix)) {
    return fail(`${token.text} is no integer`);
  }
  const octal = /^0\d/.test(digits);
  if (octal && /[89]/.test(digits)) return fail(`${token.text} is no octal number`);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const unsigned = /u/i.test(suffix);
  const long = /l/i.test(suffix);
  const decimal = /^[1-9]/.test(digits);
  const types = [INT, UINT, LONG, ULONG].filter(
    (type) =>
      (!long || type.bits === 64) && (unsigned ? type.unsigned : !(decimal && type.unsigned)),
  );
  const type = types.find((each) => fits(value, each));
  return type === undefined ? fail(`${token.text} has more than 64 bits`) : { value, type };
}

/** A number without a written type: that of a hexadecimal constant. */
function numberOf(value: bigint): Value {
  const type = [INT, UINT, LONG, ULONG].find((each) => fits(value, each));
  return type === undefined ? fail('a value has more than 64 bits') : { value, type };
}

/** The usual arithmetic conversions (C11 6.3.1.8). */
function common(a: CType, b: CType): CType {
  if (a.bits !== b.bits) return a.bits > b.bits ? a : b;
  return { bits: a.bits, unsigned: a.unsigned || b.unsigned };
}

/** Integer promotion (C11 6.3.1.1). */
const promoted = (value: Value): Value =>
  value.type.bits < 32 ? { value: value.value, type: INT } : value;

const truth = (is: boolean): Value => ({ value: is ? 1n : 0n, type: INT });

const ARITHMETIC: ReadonlyMap<string, (a: bigint, b: bigint) => bigint> = new Map([
  ['+', (a: bigint, b: bigint) => a + b],
  ['-', (a: bigint, b: bigint) => a - b],
  ['*', (a: bigint, b: bigint) => a * b],
  ['/', (a: bigint, b: bigint) => (b === 0n ? fail('division by zero') : a / b)],
  ['%', (a: bigint, b: bigint) => (b === 0n ? fail('division by zero') : a % b)],
  ['&', (a: bigint, b: bigint) => a & b],
  ['^', (a: bigint, b: bigint) => a ^ b],
  ['|', (a: bigint, b: bigint) => a | b],
]);

const COMPARISONS: ReadonlyMap<string, (a: bigint, b: bigint) => boolean> = new Map([
  ['<', (a: bigint, b: bigint) => a < b],
  ['>', (a: bigint, b: bigint) => a > b],
  ['<=', (a: bigint, b: bigint) => a <= b],
  ['>=', (a: bigint, b: bigint) => a >= b],
  ['==', (a: bigint, b: bigint) => a === b],
  ['!=', (a: bigint, b: bigint) => a !== b],
]);

/** Binary operators, the weakest first (C11 6.5.5 to 6.5.14). */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

function binary(operator: string, left: Value, right: Value): Value {
  const [a, b] = [promoted(left), promoted(right)];
  if (operator === '||') return truth(a.value !== 0n || b.value !== 0n);
  if (operator === '&&') return truth(a.value !== 0n && b.value !== 0n);
  if (operator === '<<' || operator === '>>') {
    // A shift has the type of its left side; by its width or more it has no value (C11 6.5.7).
    if (b.value < 0n || b.value >= BigInt(a.type.bits)) return fail('a shift by its width or more');
    return wrap(operator === '<<' ? a.value << b.value : a.value >> b.value, a.type);
  }
  const type = common(a.type, b.type);
  const [x, y] = [wrap(a.value, type).value, wrap(b.value, type).value];
  const compare = COMPARISONS.get(operator);
  if (compare !== undefined) return truth(compare(x, y));
  const compute = ARITHMETIC.get(operator);
  return compute === undefined ? fail(`${operator} is not read`) : wrap(compute(x, y), type);
}

function unary(operator: string, operand: Value): Value {
  if (operator === '!') return truth(operand.value === 0n);
  const { value, type } = promoted(operand);
  if (operator === '~') return wrap(~value, type);
  return operator === '-' ? wrap(-value, type) : { value, type };
}

/** What all evaluations within one share. */
interface Shared {
  readonly lookup: Lookup;
  names: number;
}

/** A macro of the kernel with arguments, by name (include/linux/bitops.h, include/uapi/linux/const.h). */
const MACROS: ReadonlyMap<string, (args: readonly (() => Value)[], parser: Parser) => Value> =
  new Map([
    ['BIT', ([n]) => shifted(n, ULONG)],
    ['_BITUL', ([n]) => shifted(n, ULONG)],
    ['BIT_ULL', ([n]) => shifted(n, ULONG)],
    ['_BITULL', ([n]) => shifted(n, ULONG)],
    ['UL', ([x]) => as(x, ULONG)],
    ['ULL', ([x]) => as(x, ULONG)],
    ['GENMASK', mask],
    ['GENMASK_ULL', mask],
  ]);

const argument = (value: (() => Value) | undefined): Value =>
  value === undefined ? fail('an argument is missing') : value();
const as = (value: (() => Value) | undefined, type: CType): Value =>
  wrap(argument(value).value, type);
const shifted = (by: (() => Value) | undefined, type: CType): Value =>
  binary('<<', { value: 1n, type }, argument(by));
function mask(args: readonly (() => Value)[]): Value {
  const [high, low] = [argument(args[0]).value, argument(args[1]).value];
  if (low < 0n || high < low || high > 63n) return fail('GENMASK has no such bits');
  return wrap((1n << (high + 1n)) - (1n << low), ULONG);
}

/** A recursive-descent parser that evaluates as it reads. */
class Parser {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly shared: Shared,
    private depth: number,
    private readonly within: ReadonlySet<string>,
  ) {}

  whole(): Value {
    const value = this.conditional();
    const rest = this.tokens[this.at];
    return rest === undefined ? value : fail(`${rest.text} is not part of an expression`);
  }

  private peek(ahead = 0): string | undefined {
    return this.tokens[this.at + ahead]?.text;
  }

  private take(): Token {
    const token = this.tokens[this.at++];
    return token ?? fail('it ends within an expression');
  }

  private need(text: string): void {
    const token = this.take();
    if (token.text !== text) fail(`${text} is missing before ${token.text}`);
  }

  /** A part that is one level deeper. */
  private nested<T>(read: () => T): T {
    if (++this.depth > DEEPEST) fail('it is nested too deeply');
    const value = read();
    this.depth--;
    return value;
  }

  private conditional(): Value {
    const condition = this.level(0);
    if (this.peek() !== '?') return condition;
    this.at++;
    const yes = this.nested(() => this.conditional());
    this.need(':');
    const no = this.nested(() => this.conditional());
    const chosen = condition.value !== 0n ? yes : no;
    return wrap(chosen.value, common(promoted(yes).type, promoted(no).type));
  }

  private level(index: number): Value {
    const operators = LEVELS[index];
    if (operators === undefined) return this.prefix();
    let left = this.level(index + 1);
    for (;;) {
      const operator = this.peek();
      if (operator === undefined || !operators.includes(operator)) return left;
      this.at++;
      left = binary(operator, left, this.level(index + 1));
    }
  }

  private prefix(): Value {
    const text = this.peek();
    if (text === '-' || text === '+' || text === '~' || text === '!') {
      this.at++;
      return unary(
        text,
        this.nested(() => this.prefix()),
      );
    }
    if (text === '(') {
      const type = this.cast();
      if (type !== undefined) return wrap(this.nested(() => this.prefix()).value, type);
    }
    return this.primary();
  }

  /** The type of a cast, if there is one here: it is then read. */
  private cast(): CType | undefined {
    let end = this.at + 1;
    while (this.tokens[end]?.kind === 'name') end++;
    if (this.tokens[end]?.text !== ')' || end === this.at + 1) return undefined;
    const words = this.tokens.slice(this.at + 1, end).map(({ text }) => text);
    const type = typeOf(words);
    if (type !== undefined) this.at = end + 1;
    return type;
  }

  private primary(): Value {
    const token = this.take();
    if (token.text === '(') {
      const value = this.nested(() => this.conditional());
      this.need(')');
      return value;
    }
    if (token.kind === 'number') return literal(token);
    if (token.kind === 'character') return { value: token.value ?? 0n, type: INT };
    if (token.kind !== 'name') return fail(`${token.text} is not read`);
    return this.peek() === '(' ? this.call(token.text) : this.name(token.text);
  }

  /** The texts between the commas of the parentheses that begin here. */
  private arguments(): Token[][] {
    this.need('(');
    const args: Token[][] = [[]];
    for (let depth = 0; ;) {
      const token = this.take();
      if (token.text === ')' && depth === 0) return args;
      if (token.text === '(') depth++;
      if (token.text === ')') depth--;
      if (token.text === ',' && depth === 0) args.push([]);
      else args.at(-1)?.push(token);
    }
  }

  private sub(tokens: readonly Token[], within = this.within): Value {
    return this.nested(() => new Parser(tokens, this.shared, this.depth, within).whole());
  }

  private call(name: string): Value {
    const args = this.arguments();
    const [first = [], second = []] = args;
    if (name === '_AC' && args.length === 2) {
      // The second argument is pasted to the first as its suffix (include/uapi/linux/const.h).
      const text = [...first, ...second].map((token) => token.text).join('');
      return this.sub(tokensOf(text) ?? fail(`${text} is not read`));
    }
    if (name === '_AT' && args.length === 2) {
      const type = typeOf(first.map(({ text }) => text));
      if (type === undefined)
        return fail(`${first.map(({ text }) => text).join(' ')} is no known type`);
      return wrap(this.sub(second).value, type);
    }
    const macro = MACROS.get(name);
    if (macro === undefined) return fail(`${name}() is not a constant`);
    return macro(
      args.map((tokens) => () => this.sub(tokens)),
      this,
    );
  }

  private name(name: string): Value {
    if (this.within.has(name)) return fail(`${name} is defined by itself`);
    if (++this.shared.names > MOST_NAMES) return fail('it uses too many names');
    const known = this.shared.lookup(name);
    if (known === undefined) return fail(`${name} has no known value`);
    if (typeof known === 'bigint') return numberOf(known);
    const tokens = tokensOf(known) ?? fail(`the definition of ${name} is not read`);
    return this.sub(tokens, new Set([...this.within, name]));
  }
}

/**
 * The value of a constant expression of C, with `BIT()`, `_AC()`, `_AT()`, `GENMASK()` and their like; or, in words, why it
 * has none: it uses a name that `lookup` does not know, a function, or it is no expression. Reads no further than 64 levels.
 */
export function evaluateConstant(text: string, lookup: Lookup): Evaluated {
  const tokens = tokensOf(text);
  if (tokens === undefined) return { reason: 'it has characters that are not read' };
  if (tokens.length === 0) return { reason: 'it is empty' };
  try {
    const { value, type } = new Parser(tokens, { lookup, names: 0 }, 0, new Set()).whole();
    return { value, unsigned: type.unsigned };
  } catch (error) {
    if (error instanceof NoConstant) return { reason: error.message };
    throw error;
  }
}

/** The value of a constant expression; undefined: it has none. */
export function evaluate(text: string, lookup: Lookup): bigint | undefined {
  const result = evaluateConstant(text, lookup);
  return 'value' in result ? result.value : undefined;
}

/** Whether two values are the same 64 bits: a record may have a mask as a number without a sign. */
export const sameBits = (a: bigint, b: bigint): boolean =>
  BigInt.asUintN(64, a) === BigInt.asUintN(64, b);
