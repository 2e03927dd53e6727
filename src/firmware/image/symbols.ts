/**
 * The symbols of a kernel image, from any of its symbol tables.
 *
 * Addresses are ordered as unsigned 64-bit numbers, as by nm -n and kallsyms: first per-CPU symbols (from 0 upward),
 * then the kernel's own (negative here, since an address is stored sign-extended). The two are different address
 * spaces: no symbol extends from the last of one to the first of the other.
 */

/** A symbol of a kernel image. */
export interface ImageSymbol {
  readonly name: string;
  /** 48-bit virtual address, sign-extended: 0xffffffff81000000 is -0x7f000000. Per-CPU symbols count from 0. */
  readonly address: number;
  /** The symbol's letter in nm: T text, D data, R read-only data, B BSS, A absolute, W weak; lower case is local. */
  readonly type: string;
}

/** All names in one array, in the order of the addresses. */
export interface SymbolTexts {
  /** UTF-16 code units: for each symbol nm's letter, then its name. */
  readonly text: Uint16Array;
  /** Offset of each symbol's text, and as a further element the end of the last one. */
  readonly starts: Uint32Array;
}

/** Symbols in table order; their names are decoded at their first use. */
export interface SymbolColumns {
  /** Ascending as unsigned 64-bit numbers. */
  readonly addresses: Float64Array;
  load(): SymbolTexts;
}

/** Orders two sign-extended addresses as unsigned 64-bit numbers. */
export function compareUnsigned(a: number, b: number): number {
  if (a < 0 !== b < 0) return a < 0 ? 1 : -1;
  return a - b;
}

const WEAK = /^[wWvV]$/;
const underscores = (name: string): number => /^_*/.exec(name)?.[0].length ?? 0;

/**
 * Orders symbols by address; at one address the preferred name first: not weak, then with fewer leading underscores
 * (scripts/kallsyms.c, compare_symbols).
 */
function compareSymbols(a: ImageSymbol, b: ImageSymbol): number {
  return (
    compareUnsigned(a.address, b.address) ||
    Number(WEAK.test(a.type)) - Number(WEAK.test(b.type)) ||
    underscores(a.name) - underscores(b.name)
  );
}

function columns(list: readonly ImageSymbol[]): SymbolColumns {
  const sorted = [...list].sort(compareSymbols);
  return {
    addresses: Float64Array.from(sorted, ({ address }) => address),
    load: () => {
      const starts = new Uint32Array(sorted.length + 1);
      let length = 0;
      for (const [index, { name }] of sorted.entries()) {
        length += name.length + 1;
        starts[index + 1] = length;
      }
      const text = new Uint16Array(length);
      let at = 0;
      for (const { name, type } of sorted) {
        text[at++] = type.charCodeAt(0);
        for (let unit = 0; unit < name.length; unit++) text[at++] = name.charCodeAt(unit);
      }
      return { text, starts };
    },
  };
}

/** FNV-1a's constants for 32 bits (Fowler, Noll, Vo). */
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
const EMPTY = -1;
/** The least number of hash table slots per symbol. */
const SLOTS = 2;
/** Limit of probe steps per symbol, and a constant: FNV is not secret, so names can be made to collide. */
const STEPS_PER_SYMBOL = 16;
const STEPS_CONSTANT = 10_000;

/**
 * Finds names in packed texts: a hash table with open addressing, in half the time of a Map of strings (measured). If
 * too many names collide, it falls back to a Map, whose hash has a secret seed.
 */
class NameIndex {
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly byName: Map<string, number> | undefined;

  constructor(readonly texts: SymbolTexts) {
    const count = texts.starts.length - 1;
    const size = 2 ** Math.ceil(Math.log2(Math.max(1, count) * SLOTS));
    this.slots = new Int32Array(size).fill(EMPTY);
    this.mask = size - 1;
    let steps = count * STEPS_PER_SYMBOL + STEPS_CONSTANT;
    // In table order: of equal names the first gets the slot.
    for (let index = 0; index < count && steps > 0; index++) {
      let slot = this.hashAt(index) & this.mask;
      let occupant = this.slots[slot] as number;
      while (occupant !== EMPTY && !this.same(occupant, index)) {
        slot = (slot + 1) & this.mask;
        occupant = this.slots[slot] as number;
        steps--;
      }
      if (occupant === EMPTY) this.slots[slot] = index;
    }
    if (steps <= 0) this.byName = this.makeMap(count);
  }

  /** The first symbol of that name, or undefined. */
  find(name: string): number | undefined {
    if (this.byName !== undefined) return this.byName.get(name);
    let hash = FNV_OFFSET;
    for (let unit = 0; unit < name.length; unit++) {
      hash = Math.imul(hash ^ name.charCodeAt(unit), FNV_PRIME);
    }
    for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
      const index = this.slots[slot] ?? EMPTY;
      if (index === EMPTY) return undefined;
      if (this.is(index, name)) return index;
    }
  }

  private makeMap(count: number): Map<string, number> {
    const map = new Map<string, number>();
    for (let index = count - 1; index >= 0; index--) map.set(this.name(index), index);
    return map;
  }

  name(index: number): string {
    const { text, starts } = this.texts;
    const start = (starts[index] ?? 0) + 1;
    return String.fromCharCode(...text.subarray(start, starts[index + 1]));
  }

  type(index: number): string {
    const { text, starts } = this.texts;
    return String.fromCharCode(text[starts[index] ?? 0] ?? 0);
  }

  private hashAt(index: number): number {
    const { text, starts } = this.texts;
    const end = starts[index + 1] ?? 0;
    let hash = FNV_OFFSET;
    for (let at = (starts[index] ?? 0) + 1; at < end; at++) {
      hash = Math.imul(hash ^ (text[at] ?? 0), FNV_PRIME);
    }
    return hash;
  }

  /** Whether two symbols have one name. */
  private same(a: number, b: number): boolean {
    const { text, starts } = this.texts;
    let at = (starts[a] ?? 0) + 1;
    let other = (starts[b] ?? 0) + 1;
    const end = starts[a + 1] ?? 0;
    if (end - at !== (starts[b + 1] ?? 0) - other) return false;
    while (at < end) if (text[at++] !== text[other++]) return false;
    return true;
  }

  private is(index: number, name: string): boolean {
    const { text, starts } = this.texts;
    const start = (starts[index] ?? 0) + 1;
    if ((starts[index + 1] ?? 0) - start !== name.length) return false;
    for (let unit = 0; unit < name.length; unit++) {
      if (text[start + unit] !== name.charCodeAt(unit)) return false;
    }
    return true;
  }
}

/** Symbols by name and by address. Of several symbols with one name, the one at the lowest address is found. */
export class SymbolTable {
  private readonly columns: SymbolColumns;
  /** Index of the first symbol of the kernel's half, after the per-CPU ones. */
  private readonly split: number;
  private loaded: NameIndex | undefined;

  constructor(source: readonly ImageSymbol[] | SymbolColumns) {
    this.columns = 'addresses' in source ? source : columns(source);
    const first = this.columns.addresses.findIndex((address) => address < 0);
    this.split = first === -1 ? this.size : first;
  }

  /** Number of symbols, including aliases and equal names. */
  get size(): number {
    return this.columns.addresses.length;
  }

  /** The symbol of that name, or undefined. */
  get(name: string): ImageSymbol | undefined {
    const index = this.byName.find(name);
    if (index === undefined) return undefined;
    return { name, address: this.addressAt(index), type: this.byName.type(index) };
  }

  /** Bytes from a symbol to the next higher symbol's address; 0 for an unknown name and for the highest symbol. */
  room(name: string): number {
    const index = this.byName.find(name);
    if (index === undefined) return 0;
    const address = this.addressAt(index);
    const next = this.firstAbove(address);
    return next < this.endOf(address) ? this.addressAt(next) - address : 0;
  }

  /**
   * The symbol of an address, with the offset in it. A symbol extends to the next higher one; the highest has no
   * extent. Of several symbols at one address the first in the table is returned, as in the kernel.
   */
  at(address: number): { name: string; offset: number } | undefined {
    const next = this.firstAbove(address);
    const start = address < 0 ? this.split : 0;
    if (next === start) return undefined;
    const found = this.addressAt(next - 1);
    if (next === this.endOf(address) && found !== address) return undefined;
    return { name: this.byName.name(this.firstAbove(found, true)), offset: address - found };
  }

  /** All names, in table order. */
  *names(): Iterable<string> {
    for (let index = 0; index < this.size; index++) yield this.byName.name(index);
  }

  private get byName(): NameIndex {
    return (this.loaded ??= new NameIndex(this.columns.load()));
  }

  private addressAt(index: number): number {
    return this.columns.addresses[index] ?? Number.NaN;
  }

  private endOf(address: number): number {
    return address < 0 ? this.size : this.split;
  }

  /** Index of the first symbol of the address's half that is above it (or at it, if `orAt`). */
  private firstAbove(address: number, orAt = false): number {
    let low = address < 0 ? this.split : 0;
    let high = this.endOf(address);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = this.addressAt(middle);
      if (orAt ? candidate < address : candidate <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
