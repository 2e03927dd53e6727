/** The view of `sme-boot inspect` of the cached lines of a place. */
import { hex, LINE_SIZE } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { cachedLines, type CachedRow } from '../inspect/cached.js';
import { parsePlace, physicalRanges, sizeOfPlace } from '../inspect/place.js';
import type { PhysicalRange } from '../inspect/memory.js';
import { InputError } from '../base/errors.js';
import { checkLimit, LIMITS } from '../base/limits.js';
import { printable } from '../base/printable.js';
import { table } from './columns.js';
import { splitLength } from './inspect-memory.js';
import { counted, type View } from './inspect-view.js';

/** Parses the value of `--cache`, `PLACE` or `PLACE:LEN`. Throws the limit's error, E_MEM. */
export function parseCache(text: string): { where: string; length?: number } {
  const { where, length } = splitLength(text) ?? { where: text };
  if (length === undefined) return { where };
  if (length === 0) {
    throw new InputError({
      code: 'E_MEM',
      expected: 'PLACE or PLACE:LEN, LEN in bytes',
      found: JSON.stringify(text),
    });
  }
  checkLimit(LIMITS.cachedRange, length, {});
  return { where, length };
}

/** The key of a line by its C-bit; a guest's has no other name than its number. */
export const keyText = (key: number): string =>
  key <= 1 ? `C=${String(key)}` : `key ${String(key)}`;

/** What is known about a line besides its address, key and state. */
function aboutText({ dirty, writer, filledBy, same, memory, aliases = [] }: CachedRow): string {
  const parts = [
    ...(writer === undefined ? [] : [`written by ${writer}`]),
    ...(filledBy === undefined ? [] : [`filled by ${filledBy}`]),
    same ? 'memory equal' : 'memory differs',
  ];
  // A dirty line is newer than memory; a clean one should equal it.
  if (!same && !dirty && memory !== undefined) {
    parts.push(`written there with ${keyText(memory.key)} by ${memory.writer}`);
  }
  for (const { key, dirty: too, later } of aliases) {
    const order = later === undefined ? '' : later ? ', written later' : ', written before';
    parts.push(`alias with ${keyText(key)}, ${too ? 'dirty' : 'clean'}${order}`);
  }
  return parts.join('; ');
}

/** A run of adjacent lines that differ in their addresses only. */
interface Run {
  readonly first: number;
  count: number;
  readonly row: CachedRow;
  readonly about: string;
}

function runsOf(rows: readonly CachedRow[]): Run[] {
  const runs: Run[] = [];
  // Lines of one address under several keys are adjacent: the last run of each key.
  const open = new Map<number, Run>();
  for (const row of rows) {
    const at = Number(row.pa);
    const about = aboutText(row);
    const last = open.get(row.key);
    if (
      last !== undefined &&
      last.first + last.count * LINE_SIZE === at &&
      last.about === about &&
      last.row.dirty === row.dirty &&
      last.row.cpu === row.cpu
    ) {
      last.count++;
      continue;
    }
    const run = { first: at, count: 1, row, about };
    open.set(row.key, run);
    runs.push(run);
  }
  return runs;
}

/** The number of lines that ranges overlap. */
const linesIn = (ranges: readonly PhysicalRange[]): number =>
  ranges.reduce(
    (sum, { base, size }) =>
      sum + Math.ceil((base + size) / LINE_SIZE) - Math.floor(base / LINE_SIZE),
    0,
  );

/** The cached lines of a place. Throws E_NOT_MAPPED. */
export function cache(boot: InspectedBoot, cpu: Cpu, text: string): View {
  const { where, length } = parseCache(text);
  const size = length ?? sizeOfPlace(boot, where);
  const ranges = physicalRanges(boot, parsePlace(boot, where, 'pa'), size, where, cpu);
  const rows = cachedLines(boot, ranges);
  const total = linesIn(ranges);
  const cached = new Set(rows.map(({ pa }) => pa)).size;
  const dirty = rows.filter((row) => row.dirty).length;
  const aliased = new Set(rows.filter(({ aliases }) => aliases !== undefined).map(({ pa }) => pa));
  const summary = [
    `${String(cached)} of ${counted(total, 'line')} cached`,
    `${String(dirty)} dirty`,
    ...(aliased.size > 0 ? [`${String(aliased.size)} under several keys`] : []),
  ].join(', ');
  return {
    name: 'cache',
    heading: printable(text),
    data: {
      place: where,
      ranges: ranges.map(({ base, size: bytes }) => ({ pa: hex(base), bytes })),
      lines: total,
      cached: rows,
    },
    compared: () => ({
      ranges: rows.map((row) => ({
        space: keyText(row.key),
        start: Number(row.pa),
        bytes: LINE_SIZE,
        value: `${row.dirty ? 'dirty' : 'clean'}, CPU ${String(row.cpu)}, ${aboutText(row)}`,
      })),
    }),
    text: (columns) =>
      boot.machine.cache.size === 0
        ? 'the machine has no cache\n'
        : table(
            runsOf(rows).map(({ first, count, row, about }) => [
              `${hex(first)}..${hex(first + count * LINE_SIZE - 1)}`,
              counted(count, 'line'),
              keyText(row.key),
              row.dirty ? 'dirty' : 'clean',
              `CPU ${String(row.cpu)}`,
              about,
            ]),
            columns,
          ) + `${summary}\n`,
  };
}
