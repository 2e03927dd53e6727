/** Splits a constant expression of C into tokens. */

export interface Token {
  readonly kind: 'number' | 'name' | 'character' | 'operator';
  readonly text: string;
  /** The value of a character constant. */
  readonly value?: bigint;
}

const TOKEN =
  /(?<space>(?:[\s\\]|\/\*[\s\S]*?\*\/|\/\/[^\n]*)+)|(?<number>\d\w*)|(?<name>[A-Za-z_]\w*)|(?<character>'(?:[^'\\\n]|\\.)')|(?<operator><<|>>|<=|>=|==|!=|&&|\|\||[-+~!*/%&|^<>()?:,])/gsuy;

/** Escapes in a character constant (C11 6.4.4.4) that constants of the kernel use. */
const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['n', 0x0a],
  ['t', 0x09],
  ['r', 0x0d],
  ['0', 0x00],
  ['\\', 0x5c],
  ["'", 0x27],
]);

function character(text: string): bigint | undefined {
  const inner = text.slice(1, -1);
  const code = inner.startsWith('\\') ? ESCAPES.get(inner.slice(1)) : inner.codePointAt(0);
  return code === undefined || code > 0x7f ? undefined : BigInt(code);
}

/** The tokens of an expression without comments; undefined: it has a character that no expression has. */
export function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  for (const { 0: found, groups = {} } of text.matchAll(TOKEN)) {
    at += found.length;
    if (groups['space'] !== undefined) continue;
    if (groups['number'] !== undefined) tokens.push({ kind: 'number', text: found });
    else if (groups['name'] !== undefined) tokens.push({ kind: 'name', text: found });
    else if (groups['character'] !== undefined) {
      const value = character(found);
      if (value === undefined) return undefined;
      tokens.push({ kind: 'character', text: found, value });
    } else tokens.push({ kind: 'operator', text: found });
  }
  return at === text.length ? tokens : undefined;
}
