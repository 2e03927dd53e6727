/** Memory types: the PAT's, and how they combine with the MTRRs'. */
import { MEMTYPE, type MemType } from '../types.js';

const { UC, WC, WT, WP, WB, UC_MINUS } = MEMTYPE;

/** Slots in the PAT (APM 7.8.1). */
export const PAT_SLOTS = 8;
/** The PAT after a reset (APM 7.8.2): WB, WT, UC-, UC, twice. */
export const PAT_RESET = 0x0007_0406_0007_0406n;

/** The manual's names of the memory types. */
export const MEMTYPE_NAMES: Readonly<Record<MemType, string>> = {
  [UC]: 'UC',
  [WC]: 'WC',
  [WT]: 'WT',
  [WP]: 'WP',
  [WB]: 'WB',
  [UC_MINUS]: 'UC-',
};

const BY_ENCODING: ReadonlyMap<number, MemType> = new Map(
  Object.values(MEMTYPE).map((type) => [type, type]),
);

/** The eight types of a PAT value, or undefined if it has a reserved one (APM 7.8.1: that is a #GP). */
export function patTypes(value: bigint): readonly MemType[] | undefined {
  const types: MemType[] = [];
  for (const half of [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn)]) {
    for (let bit = 0; bit < 32; bit += 8) {
      const type = BY_ENCODING.get((half >>> bit) & 0xff);
      if (type === undefined) return undefined;
      types.push(type);
    }
  }
  return types;
}

/**
 * The effective type by the PAT's (row) and the MTRRs' (column): APM table 7-11.
 * UC here behaves as the table's CD (uncached, a cached copy is written back first).
 */
const COMBINED: Readonly<Record<MemType, Readonly<Record<Exclude<MemType, 7>, MemType>>>> = {
  [UC]: { [UC]: UC, [WC]: UC, [WP]: UC, [WT]: UC, [WB]: UC },
  [UC_MINUS]: { [UC]: UC, [WC]: WC, [WP]: UC, [WT]: UC, [WB]: UC },
  [WC]: { [UC]: WC, [WC]: WC, [WP]: WC, [WT]: WC, [WB]: WC },
  [WP]: { [UC]: UC, [WC]: UC, [WP]: WP, [WT]: UC, [WB]: WP },
  [WT]: { [UC]: UC, [WC]: UC, [WP]: UC, [WT]: WT, [WB]: WT },
  [WB]: { [UC]: UC, [WC]: WC, [WP]: WP, [WT]: WT, [WB]: WB },
};

/** A type of an MTRR: those of the PAT except UC-. */
export type MtrrType = Exclude<MemType, typeof UC_MINUS>;

/** The effective type of an access (APM 7.8.5, table 7-11). */
export function effectiveType(pat: MemType, mtrr: MtrrType): MemType {
  return COMBINED[pat][mtrr];
}

/** Whether a read allocates its line in the cache (APM table 7-3). */
export function allocatesOnRead(type: MemType): boolean {
  return type === MEMTYPE.WB || type === MEMTYPE.WP || type === MEMTYPE.WT;
}
