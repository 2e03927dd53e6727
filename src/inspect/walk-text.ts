/** A page walk as text. */
import type { Walk, WalkLevel } from './walk.js';

/** The levels as rows of cells, for columns. */
export function walkRows({ levels }: Walk): string[][] {
  return levels.map(({ level, table, readAs, index, entry, c, kind, target, ...more }) => [
    level,
    `table ${table} read with ${readAs}`,
    `[${String(index)}]`,
    entry,
    `C=${String(c)}`,
    kind,
    target === undefined ? wrongWith(more) : `→ ${target}`,
  ]);
}

/** The error of an entry that has no target. */
function wrongWith({ reserved, absent }: Pick<WalkLevel, 'reserved' | 'absent'>): string {
  if (absent === true) return 'no memory at this address';
  return reserved === undefined ? '' : `bits ${reserved}`;
}

/** The translation in a line. */
export function walkEnd({ fault, why, pa, c, type, stale, paging }: Walk): string {
  if (fault !== undefined) return `${fault}: ${why ?? '?'}`;
  const end = `physical ${pa ?? '?'}, C=${String(c)}, ${type ?? '?'}`;
  if (paging === false) return `${end} (paging is off)`;
  return stale === true ? `${end} (stale TLB entry)` : end;
}
