/** lib/cmdline.c and the number parsers of lib/vsprintf.c, for option values. The end of a string is its NUL. */

/** A parsed number and the text after it; 0 and the whole text if the text begins with no number. */
export interface Parsed<T> {
  readonly value: T;
  readonly rest: string;
}

const DIGITS: Readonly<Record<number, RegExp>> = {
  8: /^[0-7]*/,
  10: /^[0-9]*/,
  16: /^[0-9a-fA-F]*/,
};
const PREFIX: Readonly<Record<number, string>> = { 8: '0o', 10: '', 16: '0x' };
const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** simple_strtoull() with base 0: `0x` before a hexadecimal digit, `0` for octal, else decimal; wraps at 64 bits. */
export function simple_strtoull(text: string): Parsed<bigint> {
  const base = /^0[xX][0-9a-fA-F]/.test(text) ? 16 : text.startsWith('0') ? 8 : 10;
  const from = base === 16 ? 2 : 0;
  const digits = DIGITS[base]?.exec(text.slice(from))?.[0] ?? '';
  const value = digits === '' ? 0n : BigInt(`${PREFIX[base] ?? ''}${digits}`);
  return { value: U64(value), rest: text.slice(from + digits.length) };
}

/** simple_strtol() with base 0, truncated to an int. */
export function simple_strtol(text: string): Parsed<number> {
  const negative = text.startsWith('-');
  const { value, rest } = simple_strtoull(negative ? text.slice(1) : text);
  const signed = BigInt.asIntN(32, negative ? -value : value);
  // A lone "-" is consumed: without digits the kernel's end pointer is after it as well.
  return { value: Number(signed), rest };
}

/** get_option(): the int at the start of `text`; undefined if there is none. */
export function get_option(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const { value, rest } = simple_strtol(text);
  return rest === text ? undefined : value;
}

const SUFFIXES = 'KMGTPE';

/** memparse(): a number of bytes with an optional suffix K, M, G, T, P or E. */
export function memparse(text: string): Parsed<bigint> {
  const { value, rest } = simple_strtoull(text);
  const power = rest === '' ? -1 : SUFFIXES.indexOf(rest.charAt(0).toUpperCase());
  if (power < 0) return { value, rest };
  return { value: U64(value << BigInt(10 * (power + 1))), rest: rest.slice(1) };
}

/** parse_option_str(): whether a comma-separated list has the word `option`. */
export function parse_option_str(text: string, option: string): boolean {
  return text.split(',').includes(option);
}
