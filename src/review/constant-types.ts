/** The integer types that casts of the kernel's constants name. */

/** An integer type: its width in bits, and whether it has no sign. */
export interface CType {
  readonly bits: number;
  readonly unsigned: boolean;
}

const unsigned = (bits: number): CType => ({ bits, unsigned: true });
const signed = (bits: number): CType => ({ bits, unsigned: false });

/** Types by name (include/linux/types.h, arch/x86/include/asm/pgtable_64_types.h; x86-64). */
const NAMED: ReadonlyMap<string, CType> = new Map([
  ...[8, 16, 32, 64].flatMap((bits): [string, CType][] => [
    ...[`u${bits}`, `__u${bits}`, `uint${bits}_t`, `__le${bits}`].map((name): [string, CType] => [
      name,
      unsigned(bits),
    ]),
    ...[`s${bits}`, `__s${bits}`, `int${bits}_t`].map((name): [string, CType] => [
      name,
      signed(bits),
    ]),
  ]),
  ...[
    'pgdval_t',
    'p4dval_t',
    'pudval_t',
    'pmdval_t',
    'pteval_t',
    'pgprotval_t',
    'phys_addr_t',
    'resource_size_t',
    'dma_addr_t',
    'size_t',
    'uintptr_t',
  ].map((name): [string, CType] => [name, unsigned(64)]),
  ['ssize_t', signed(64)],
  ['loff_t', signed(64)],
  ['bool', unsigned(8)],
]);

const WORDS = new Set(['unsigned', 'signed', 'char', 'short', 'int', 'long', '__force', 'const']);

/** The type that words name: `unsigned long`, `pteval_t`; undefined: they name no integer type that is known. */
export function typeOf(words: readonly string[]): CType | undefined {
  const own = words.filter((word) => word !== '__force' && word !== 'const');
  const [only] = own;
  if (own.length === 1 && only !== undefined && NAMED.has(only)) return NAMED.get(only);
  if (own.length === 0 || !own.every((word) => WORDS.has(word))) return undefined;
  const bits = own.includes('char')
    ? 8
    : own.includes('short')
      ? 16
      : own.includes('long')
        ? 64
        : 32;
  return own.includes('unsigned') ? unsigned(bits) : signed(bits);
}
