/** Translates the code of a core, and runs it. */
import type { Arena } from '../../base/arena.js';
import { va, type Va } from '../../machine/address.js';
import type { Block } from '../block.js';
import type { Core } from '../core.js';
import { protectionFault } from '../faults.js';
import type { Op } from '../operands.js';
import { highOf } from '../page-table.js';
import { moduleOf } from './code.js';
import { FOREIGN, helperFunctions, HELPERS, TYPES } from './helpers.js';
import { CELL, Layout, TARGET_WORDS, TARGETS } from './layout.js';
import { blocksAround, regionModule, type PlacedBlock } from './region.js';
import { webAssembly, type WasmMemory, type WasmTable } from './web-assembly.js';

const PAGE = 2 ** 16;
const TWO_32 = 2 ** 32;
/** Functions by which the table grows (our choice). */
const MORE = 2 ** 10;

/** A memory with room for some bytes; null where there is no WebAssembly. */
export function memoryOf(bytes: number): WasmMemory | null {
  if (webAssembly === null) return null;
  const pages = Math.ceil(bytes / PAGE);
  return new webAssembly.Memory({ initial: pages, maximum: pages });
}

export class Translator {
  private readonly layout: Layout;
  private readonly cells: Int32Array;
  private readonly table: WasmTable;
  /** Regions that were made: the next one's number in the table. */
  regions = 0;
  private readonly operations: Op[] = [];
  private readonly imports: Record<string, Record<string, unknown>>;
  private readonly enter: () => number;
  private readonly pages: number;
  /** Instructions retired before this run, and the most that it executes. */
  private start = 0;
  private limit = 0;
  /** Code may not be generated here. */
  private forbidden = false;

  private constructor(
    private readonly core: Core,
    private readonly api: NonNullable<typeof webAssembly>,
    memory: WasmMemory,
    arena: Arena,
    valid: Int32Array,
  ) {
    this.layout = new Layout(core, valid, arena);
    this.cells = this.layout.cells;
    this.pages = memory.buffer.byteLength / PAGE;
    this.table = new api.Table({ element: 'anyfunc', initial: MORE });
    const module = moduleOf({
      types: TYPES,
      imports: FOREIGN,
      functions: helperFunctions(this.layout, core.cpu.id),
      memoryPages: this.pages,
      table: true,
    });
    const foreign = { memory, table: this.table, ...this.foreign() };
    const { exports } = new api.Instance(new api.Module(module), { e: foreign });
    this.enter = exports['run'] as () => number;
    const helpers = HELPERS.map((name) => [name, exports[name]]);
    this.imports = { e: { memory, ...(Object.fromEntries(helpers) as Record<string, unknown>) } };
  }

  /** @param valid of the code cache; it and the core's arrays are in `arena`. Null where code may not be generated. */
  static of(core: Core, memory: WasmMemory, arena: Arena, valid: Int32Array): Translator | null {
    if (webAssembly === null) return null;
    try {
      return new Translator(core, webAssembly, memory, arena, valid);
    } catch (error) {
      // A page's content security policy forbids it.
      if (error instanceof webAssembly.CompileError) return null;
      throw error;
    }
  }

  /** What translated code calls. */
  private foreign(): Record<string, (...values: number[]) => number> {
    const { core, operations } = this;
    const { memory } = core;
    const stopped = (): number => (core.stop ? 1 : 0);
    return {
      loadSlowly: (low = 0, high = 0, size = 0) => {
        this.settle();
        memory.loadSlowly(low, high, size & 15, size > 15);
        return 0;
      },
      storeSlowly: (low = 0, high = 0, size = 0) => {
        this.settle();
        memory.storeSlowly(low, high, size & 15, size > 15);
        return stopped();
      },
      operation: (index = 0) => {
        this.settle();
        operations[index]?.();
        return stopped();
      },
      branch: (index = 0) => {
        this.settle();
        operations[index]?.();
        this.setRip();
        return stopped();
      },
      gp: () => protectionFault('address not canonical'),
    };
  }

  /** Before what others may see: the count at the block's start, and the origin of its accesses. */
  private settle(): void {
    const { core, cells } = this;
    core.retired = this.start + this.limit - (cells[CELL.LEFT] ?? 0);
    core.cpu.behind.origin = (cells[CELL.ORIGIN] ?? 0) >>> 0;
  }

  private setRip(): void {
    const { rip } = this.core;
    this.cells[CELL.RIP] = rip | 0;
    this.cells[CELL.RIP + 1] = highOf(rip);
  }

  /** Translates the blocks around one that runs often. */
  translate(first: Block, blockAt: (at: Va) => PlacedBlock | undefined): void {
    if (this.forbidden) return;
    const { api, table, operations } = this;
    const blocks = blocksAround(first, blockAt);
    if (blocks.length === 0) return;
    const before = operations.length;
    const operation = (op: Op): number => operations.push(op) - 1;
    const bytes = regionModule(blocks, this.layout, operation, this.pages);
    try {
      const { exports } = new api.Instance(new api.Module(bytes), this.imports);
      if (this.regions === table.length) table.grow(MORE);
      table.set(this.regions, exports['run']);
    } catch (error) {
      if (!(error instanceof api.CompileError)) throw error;
      operations.length = before;
      this.forbidden = true;
      return;
    }
    for (const [entry, { block }] of blocks.entries()) {
      block.region = this.regions;
      block.entry = entry;
    }
    this.regions++;
  }

  /** Runs translated code from a block of a region on. Sets RIP and the count, also where an exception is thrown. */
  run({ start, region, entry }: Block, limit: number): void {
    const { core, cells } = this;
    const { targets } = this.layout;
    const at = (start & (TARGETS - 1)) * TARGET_WORDS;
    targets[at] = start | 0;
    targets[at + 1] = highOf(start);
    targets[at + 2] = region ?? 0;
    targets[at + 3] = entry;
    core.stop = false;
    this.start = core.retired;
    this.limit = limit;
    cells[CELL.LEFT] = limit;
    cells[CELL.ORIGIN] = core.cpu.behind.origin;
    this.setRip();
    try {
      this.enter();
    } catch (error) {
      this.settle();
      const low = cells[CELL.MARK] ?? 0;
      const number = low & 0xff;
      core.retired += number;
      core.rip = va(((cells[CELL.MARK + 1] ?? 0) * TWO_32 + ((low - number) >>> 0)) / 256);
      throw error;
    }
    this.settle();
    core.rip = va((cells[CELL.RIP + 1] ?? 0) * TWO_32 + ((cells[CELL.RIP] ?? 0) >>> 0));
  }
}
