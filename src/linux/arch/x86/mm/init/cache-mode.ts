/** arch/x86/mm/init.c: the tables that translate cache modes to page-table entry bits and back. */
import { va } from '../../../../../machine/address.js';
import {
  _PAGE_CACHE_MODE_NUM,
  _PAGE_PAT,
  _PAGE_PCD,
  _PAGE_PWT,
  PAGE_CACHE_MODE,
} from '../../../../../kernel/constants.js';
import { MEMTYPE, type MemType } from '../../../../../machine/types.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import type { Variable } from '../../../../../kernel/variables.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    update_cache_mode_entry(k: Kernel, entry: number, mode: number): void;
  }
}

/** PWT, PCD and PAT bits of a 4 KiB entry that select a PAT slot. */
function slotBits(slot: number): bigint {
  return (
    ((slot & 1) !== 0 ? _PAGE_PWT : 0n) |
    ((slot & 2) !== 0 ? _PAGE_PCD : 0n) |
    ((slot & 4) !== 0 ? _PAGE_PAT : 0n)
  );
}

/** The memory type of each cache mode (enum page_cache_mode, asm/pgtable_types.h). */
export const CACHE_MODE_TYPES: readonly MemType[] = [
  MEMTYPE.WB,
  MEMTYPE.WC,
  MEMTYPE.UC_MINUS,
  MEMTYPE.UC,
  MEMTYPE.WT,
  MEMTYPE.WP,
];

const FALLBACK = _PAGE_PCD;

/** Initial __cachemode2pte_tbl, a u16 per cache mode: every mode but WB and UC falls back to UC- (PCD). */
function cachemode2pte(): Uint8Array {
  const bytes = new Uint8Array(_PAGE_CACHE_MODE_NUM * 2);
  const view = new DataView(bytes.buffer);
  const { WC: wc, UC_MINUS: ucm, UC: uc, WT: wt, WP: wp } = PAGE_CACHE_MODE;
  for (const mode of [wc, ucm, wt, wp]) view.setUint16(mode * 2, Number(FALLBACK), true);
  view.setUint16(uc * 2, Number(_PAGE_PWT | _PAGE_PCD), true);
  return bytes;
}

export const cacheModeVariables: readonly Variable[] = [
  {
    name: '__cachemode2pte_tbl',
    size: _PAGE_CACHE_MODE_NUM * 2,
    align: 2,
    section: '.data',
    file: 'arch/x86/mm/init.c',
    init: cachemode2pte,
  },
  {
    name: '__pte2cachemode_tbl',
    size: 8,
    align: 1,
    section: '.data',
    file: 'arch/x86/mm/init.c',
    init: () => Uint8Array.of(0, 2, 2, 3, 0, 2, 2, 3),
  },
];

export const cacheMode = bodies({
  update_cache_mode_entry: inline((k: Kernel, entry: number, mode: number) => {
    k.writeU16(va(k.sym('__cachemode2pte_tbl') + mode * 2), Number(slotBits(entry)));
    k.writeU8(va(k.sym('__pte2cachemode_tbl') + entry), mode);
  }),
});
