/**
 * Memory type range registers, as firmware leaves them: a default type and ranges that are uncached.
 * The range registers themselves are not modelled; MTRRdefType is an MSR of each CPU.
 */
import type { MtrrType } from './memory-types.js';
import { MEMTYPE } from '../types.js';

/** MTRRdefType (APM 7.7.2): bits 7:0 default type, 10 FE, 11 E. */
export const MTRR_DEF_TYPE = { TYPE: 0xffn, FE: 1n << 10n, E: 1n << 11n } as const;
/** MTRRcap (APM 7.7.1) of Zen: 8 variable ranges, fixed ranges, WC. */
export const MTRR_CAP_ZEN = 0x508n;

/** The legacy video and BIOS area, 0xa0000–0xfffff: firmware makes it uncached by the fixed ranges (APM 7.7.2). */
export const LEGACY_AREA = { base: 0xa_0000, size: 0x6_0000 } as const;

/** A range of physical addresses in bytes. */
export interface PhysicalRange {
  readonly base: number;
  readonly size: number;
}

export interface MtrrConfig {
  /** MTRRdefType.E and FE after firmware. */
  readonly enabled: boolean;
  readonly default: MtrrType;
  readonly uncached: readonly PhysicalRange[];
}

/** The value of MTRRdefType after firmware. */
export function mtrrDefType(config: MtrrConfig): bigint {
  return BigInt(config.default) | (config.enabled ? MTRR_DEF_TYPE.E | MTRR_DEF_TYPE.FE : 0n);
}

/** Whether a value may be written to MTRRdefType (APM 7.7.2: reserved bits and types are a #GP). */
export function mtrrDefTypeValid(value: bigint): boolean {
  const { TYPE, FE, E } = MTRR_DEF_TYPE;
  const type = Number(value & TYPE);
  const types: readonly number[] = Object.values(MEMTYPE).filter((t) => t !== MEMTYPE.UC_MINUS);
  return (value & ~(TYPE | FE | E)) === 0n && types.includes(type);
}

function inside(range: PhysicalRange, pa: number, size: number): 'all' | 'part' | 'none' {
  const end = range.base + range.size;
  if (pa >= end || pa + size <= range.base) return 'none';
  return pa >= range.base && pa + size <= end ? 'all' : 'part';
}

/** The ranges of a machine that are uncached, by the MTRRs or because no DRAM is there. */
export class MtrrMap {
  private readonly uncached: PhysicalRange[];

  /** @param ram the ranges of DRAM; everything else is memory-mapped I/O. */
  constructor(
    uncached: readonly PhysicalRange[],
    private readonly ram: readonly PhysicalRange[],
  ) {
    this.uncached = [...uncached];
  }

  /** Makes a range uncached, as firmware does for the range of a device. */
  addUncached(range: PhysicalRange): void {
    this.uncached.push(range);
  }

  /**
   * The type of [pa, pa + size) under a value of MTRRdefType, or undefined where it is not one type.
   * `pa` is without the C-bit (APM 7.10: MTRR checks use the address without C).
   */
  typeOf(defType: bigint, pa: number, size: number): MtrrType | undefined {
    // APM 7.7.2: with E clear all memory is uncacheable.
    if ((defType & MTRR_DEF_TYPE.E) === 0n) return MEMTYPE.UC;
    if ((defType & MTRR_DEF_TYPE.FE) !== 0n) {
      const legacy = inside(LEGACY_AREA, pa, size);
      if (legacy === 'all') return MEMTYPE.UC;
      if (legacy === 'part') return undefined;
    }
    for (const range of this.uncached) {
      const hit = inside(range, pa, size);
      if (hit === 'all') return MEMTYPE.UC;
      if (hit === 'part') return undefined;
    }
    let memory = false;
    for (const range of this.ram) {
      const hit = inside(range, pa, size);
      if (hit === 'part') return undefined;
      if (hit === 'all') memory = true;
    }
    // Our choice: where no DRAM answers, firmware made the range uncached.
    return memory ? (Number(defType & MTRR_DEF_TYPE.TYPE) as MtrrType) : MEMTYPE.UC;
  }
}
