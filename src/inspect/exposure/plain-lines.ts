/** The lines that are plaintext on the memory bus now, or will be when the cache writes them back. */
import { KEY_PLAIN, LINE_SIZE, PAGE_SIZE, pa, type Pa } from '../../machine/address.js';
import type { TaggedLine } from '../../machine/cache/cache-tags.js';
import type { Machine } from '../../machine/machine.js';
import type { LastWrites } from '../../machine/memory/dram.js';
import { LINES } from '../../machine/memory/dram-page.js';
import type { Origin } from '../../machine/types.js';

/** Adjacent lines of a page that are plaintext, by one writer. */
export interface PlainLines {
  readonly pa: Pa;
  /** In bytes: whole lines. */
  readonly length: number;
  /** The code that wrote them last. */
  readonly origin: Origin;
  /** `cache`: dirty there without a key, while DRAM has no plaintext; it gets there with the write-back. */
  readonly where: 'dram' | 'cache';
  /** Of a line in DRAM: a newer dirty line in the cache will replace it by plaintext or ciphertext. */
  readonly replacedBy?: 'plaintext' | 'ciphertext';
}

const byWrite = (a: TaggedLine, b: TaggedLine): number => (a.dirty ?? 0) - (b.dirty ?? 0);

/** A dirty line in the cache. */
interface DirtyLine {
  readonly plain: boolean;
  readonly origin: Origin;
}

/** The dirty lines of DRAM by page; of those at one address the one that was written last. */
function dirtyLines({ cache, dram }: Machine): Map<number, Map<number, DirtyLine>> {
  const dirty = new Map<number, Map<number, DirtyLine>>();
  for (const { pa: at, key, origin } of [...cache.dirtyLines].sort(byWrite)) {
    // A write of a device's registers is not memory.
    if (!dram.has(at)) continue;
    const page = Math.floor(at / PAGE_SIZE);
    const inPage = dirty.get(page) ?? new Map<number, DirtyLine>();
    dirty.set(page, inPage.set((at % PAGE_SIZE) / LINE_SIZE, { plain: key === KEY_PLAIN, origin }));
  }
  return dirty;
}

/** Lines of a page, `line` and those before `end`, that one writer left in plaintext. */
interface Run {
  readonly line: number;
  readonly end: number;
  readonly origin: Origin;
}

/** The plaintext lines of a page from the state of its lines. Most pages share that state with the one before. */
function plainRunsOf(): (lines: LastWrites) => readonly Run[] {
  let last: LastWrites | undefined;
  let runs: Run[] = [];
  return (lines) => {
    const { keys, origins } = lines;
    if (last?.keys === keys && last.origins === origins) return runs;
    last = lines;
    runs = [];
    for (let line = 0; line < LINES;) {
      const origin = origins[line] ?? 0;
      let end = line + 1;
      if (keys[line] === KEY_PLAIN) {
        while (end < LINES && keys[end] === KEY_PLAIN && origins[end] === origin) end++;
        runs.push({ line, end, origin });
      }
      line = end;
    }
    return runs;
  };
}

/** The plaintext lines of a page with dirty lines in the cache. */
function* besideDirty(
  page: number,
  lines: LastWrites | undefined,
  dirty: ReadonlyMap<number, DirtyLine>,
): Generator<PlainLines> {
  for (let line = 0; line < LINES; line++) {
    const at = pa(page * PAGE_SIZE + line * LINE_SIZE);
    const newer = dirty.get(line);
    if (lines?.keys[line] === KEY_PLAIN) {
      const origin = lines.origins[line] ?? 0;
      const inDram = { pa: at, length: LINE_SIZE, origin, where: 'dram' as const };
      if (newer === undefined) yield inDram;
      else yield { ...inDram, replacedBy: newer.plain ? 'plaintext' : 'ciphertext' };
    } else if (newer?.plain === true) {
      yield { pa: at, length: LINE_SIZE, origin: newer.origin, where: 'cache' };
    }
  }
}

/** Calls `visit` for all lines whose last write had no key, in DRAM or dirty in the cache, ascending. */
export function eachPlainRun(machine: Machine, visit: (lines: PlainLines) => void): void {
  const { dram } = machine;
  const dirty = dirtyLines(machine);
  const untouched = [...dirty.keys()].filter((page) => dram.lastWrites(page) === undefined);
  const runsOf = plainRunsOf();
  const touched = dram.touched();
  const pages =
    untouched.length === 0 ? touched : Float64Array.from([...touched, ...untouched]).sort();
  for (const page of pages) {
    const lines = dram.lastWrites(page);
    const cached = dirty.get(page);
    if (cached !== undefined) {
      for (const run of besideDirty(page, lines, cached)) visit(run);
    } else if (lines !== undefined) {
      for (const { line, end, origin } of runsOf(lines)) {
        const at = pa(page * PAGE_SIZE + line * LINE_SIZE);
        visit({ pa: at, length: (end - line) * LINE_SIZE, origin, where: 'dram' });
      }
    }
  }
}
