/**
 * Decoded code: blocks of instructions up to a branch, by page. A block is valid under the translation and key under which
 * it was fetched. After a change of translations, or a store to its page, the lines that its page's blocks use are fetched
 * again and compared; blocks of equal bytes stay. This is as if each CPU kept decoded instructions that any store drops
 * (our choice: no instruction cache of its own that software must flush).
 */
import { Arena } from '../base/arena.js';
import { LINE_SIZE, pa, PAGE_SIZE, va, vaAdd, type KeyId, type Va } from '../machine/address.js';
import { isFault } from '../machine/cpu/fault.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { DirectLines } from '../machine/cache/direct-lines.js';
import type { TlbEntry } from '../machine/cpu/tlb.js';
import type { Fault, Origin } from '../machine/types.js';
import type { Block, CodePage } from './block.js';
import { BRANCHES } from './control-flow.js';
import { decode } from './decode/decoder.js';
import { isUndecoded, MAX_LENGTH, type CodeWidth, type Instruction } from './decode/instruction.js';
import { EXCEPTION, FaultSignal, raise } from './faults.js';
import { Operations } from './operations.js';
import type { CodeWatch } from './linear-memory.js';
import type { Core } from './core.js';
import type { Op } from './operands.js';
import type { PlacedBlock } from './translate/region.js';
import type { Translator } from './translate/translator.js';

/** The most instructions of a block (our choice). */
const MOST = 64;
/** Pages found without a search, direct-mapped by page number (our choice). */
const ENTRIES = 1024;
/** Bytes of an arena that a code cache needs. */
export const CODE_BYTES = Arena.sizeOf(4 * ENTRIES);

/** A page's fetched bytes: what decoding depends on. `valid`: they need not be compared before a block runs. */
export interface CodePageState {
  readonly at: Va;
  readonly pa: number;
  readonly key: KeyId;
  readonly width: CodeWidth;
  readonly lines: Int32Array;
  readonly bytes: Uint8Array;
  readonly valid: boolean;
}

const LINES_LOW = 32;

export class CodeCache implements CodeWatch {
  private readonly found: (CodePage | undefined)[] = Array.from({ length: ENTRIES });
  /** The number of the page at each place of `found`; 0: its lines are compared before a block of it runs again. */
  readonly valid: Int32Array;
  private lastId = 0;
  /** All pages by their linear address; several where keys or translations changed. */
  private readonly pages = new Map<number, CodePage[]>();
  /** Linear addresses of the pages of code in a physical page. */
  private readonly byPhysical = new Map<number, Set<CodePage>>();
  private readonly buffer = new Uint8Array(2 * PAGE_SIZE);
  private readonly operations = new Operations();
  /** Addresses at which a block ends, and one begins. */
  private breakpoints: ReadonlySet<number> = new Set();
  /** The origin of the accesses of a block that begins at an address. */
  originOf: (at: Va) => Origin = () => 0;
  core: Core | null = null;
  /** Translates blocks that run often; null: they are executed as they are. */
  translator: Translator | null = null;

  /** The code of the other CPUs, which stores of this one may change. */
  others: readonly CodeCache[] = [];

  constructor(
    private readonly cpu: Cpu,
    arena = Arena.of(CODE_BYTES),
  ) {
    this.valid = arena.int32(ENTRIES);
  }

  hasCode(page: number): boolean {
    if (this.byPhysical.has(page)) return true;
    for (const { byPhysical } of this.others) if (byPhysical.has(page)) return true;
    return false;
  }

  /** A store changed a page with code: its lines are compared before a block of it runs again, on any CPU. */
  changed(page: number): void {
    this.drop(page);
    for (const other of this.others) other.drop(page);
  }

  private drop(page: number): void {
    for (const each of this.byPhysical.get(page) ?? []) {
      const index = indexOf(each.at);
      if (this.found[index] === each) this.valid[index] = 0;
    }
    if (this.core !== null) this.core.stop = true;
  }

  forget(): void {
    this.valid.fill(0);
  }

  translationRemoved(entry: TlbEntry | null): void {
    if (entry === null) this.forget();
    else if (entry.size === PAGE_SIZE) {
      const index = indexOf(entry.va);
      if (this.found[index]?.at === entry.va) this.valid[index] = 0;
    } else {
      const end = entry.va + entry.size;
      for (const [index, page] of this.found.entries()) {
        if (page !== undefined && page.at >= entry.va && page.at < end) this.valid[index] = 0;
      }
    }
  }

  /** Sets the breakpoints. Blocks of the pages in which one has come or gone are made again, without a fetch. */
  setBreakpoints(breakpoints: ReadonlySet<number>): void {
    const all = new Set([...this.breakpoints, ...breakpoints]);
    const changed = [...all].filter((at) => this.breakpoints.has(at) !== breakpoints.has(at));
    this.breakpoints = new Set(breakpoints);
    for (const start of new Set(changed.map((at) => at - (at & (PAGE_SIZE - 1))))) {
      for (const page of this.pages.get(start) ?? []) this.remake(page);
    }
  }

  /** Blocks of all pages are made again, without a fetch, and get their origins. */
  rename(): void {
    for (const page of [...this.pages.values()].flat()) this.remake(page);
  }

  private remake(page: CodePage): void {
    const index = indexOf(page.at);
    const valid = this.valid[index] === page.id;
    this.dropBlocks(page);
    if (valid) this.valid[index] = page.id;
  }

  /** The fetched bytes of all pages. Blocks are made from them again, without a fetch. */
  snapshot(): CodePageState[] {
    return [...this.pages.values()].flat().map((page) => {
      const { at, key, width, lines, bytes } = page;
      const index = indexOf(at);
      const valid = this.valid[index] === page.id && this.found[index] === page;
      return { at, pa: page.pa, key, width, lines: lines.slice(), bytes: bytes.slice(), valid };
    });
  }

  restore(states: readonly CodePageState[]): void {
    this.forget();
    this.pages.clear();
    this.byPhysical.clear();
    for (const { at, pa: physical, key, width, lines, bytes, valid } of states) {
      const page = this.add(at, physical, key, width);
      page.lines.set(lines);
      page.bytes.set(bytes);
      if (!valid) continue;
      this.valid[indexOf(at)] = page.id;
      this.found[indexOf(at)] = page;
    }
  }

  private add(at: Va, physical: number, key: KeyId, width: CodeWidth): CodePage {
    const page: CodePage = {
      id: ++this.lastId,
      at,
      pa: physical,
      key,
      width,
      blocks: [],
      blockAt: new Uint16Array(PAGE_SIZE),
      lines: new Int32Array(2),
      bytes: new Uint8Array(PAGE_SIZE),
      slots: new Int32Array(PAGE_SIZE / LINE_SIZE),
    };
    this.pages.set(at, [...(this.pages.get(at) ?? []), page]);
    const others = this.byPhysical.get(physical) ?? new Set();
    others.add(page);
    this.byPhysical.set(physical, others);
    return page;
  }

  /** The block at an address, which is looked for first where it was after the block that ran before. */
  next(before: Block | null, rip: Va): Block {
    if (before === null) return this.block(rip);
    const { taken } = before;
    if (taken !== null && taken.start === rip && this.isValid(taken)) return taken;
    const { other } = before;
    if (other !== null && other.start === rip && this.isValid(other)) return other;
    const found = this.block(rip);
    if (found.crosses === null) {
      before.other = taken;
      before.taken = found;
    }
    return found;
  }

  private isValid({ index, id }: Block): boolean {
    return this.valid[index] === id;
  }

  /** The block at an address. Throws the fault of its fetch. */
  block(rip: Va): Block {
    const offset = rip & (PAGE_SIZE - 1);
    const page = this.page(va(rip - offset), rip);
    const block = blockOf(page, offset);
    if (block !== undefined) {
      const { crosses } = block;
      if (crosses === null) return block;
      const next = this.page(vaAdd(page.at, PAGE_SIZE), vaAdd(page.at, PAGE_SIZE));
      if (next === crosses && crosses.id === block.crossesId) return block;
    }
    const made = this.make(page, rip, offset);
    page.blockAt[offset] = page.blocks.push(made);
    return made;
  }

  /** Translates the blocks around one that runs often. */
  translate(block: Block): void {
    if (this.known(block.start)?.block !== block) return;
    this.translator?.translate(block, (at) => this.known(at));
  }

  /** The block at an address whose page is valid, if it has been made. */
  private known(at: Va): PlacedBlock | undefined {
    const offset = at & (PAGE_SIZE - 1);
    const index = indexOf(va(at - offset));
    const page = this.found[index];
    if (page === undefined || page.at !== at - offset || this.valid[index] !== page.id) return;
    const block = blockOf(page, offset);
    return block && { block, index, id: page.id };
  }

  /** The instruction at an address that has been executed; undefined if its page is no longer known. */
  instructionAt(at: Va): Instruction | undefined {
    const offset = at & (PAGE_SIZE - 1);
    const page = this.found[indexOf(va(at - offset))];
    if (page === undefined || page.at !== at - offset) return undefined;
    // One that goes on in the next page is alone in its block.
    const alone = blockOf(page, offset)?.instructions[0];
    if (alone !== undefined) return alone;
    const end = Math.min(offset + MAX_LENGTH, PAGE_SIZE);
    const result = decode(page.bytes, offset, end, page.width);
    return isUndecoded(result) ? undefined : result;
  }

  private dropBlocks(page: CodePage): void {
    page.id = ++this.lastId;
    page.blocks = [];
    page.blockAt.fill(0);
  }

  /** The valid code of a page. @param at an address in it that is fetched. */
  private page(start: Va, at: Va): CodePage {
    const index = indexOf(start);
    const page = this.found[index];
    if (page !== undefined && page.at === start && this.valid[index] === page.id) return page;
    return this.revalidate(start, at, index);
  }

  private revalidate(start: Va, at: Va, index: number): CodePage {
    const { cpu } = this;
    const fault = cpu.fetch(at, this.buffer, 1);
    if (fault !== null) throw faulted(fault);
    const entry = cpu.translate(at);
    if (isFault(entry)) throw faulted(entry);
    const physical = entry.pa - (entry.pa % PAGE_SIZE);
    const known = this.pages.get(start) ?? [];
    const width = this.core?.width ?? 64;
    let page = known.find(
      (each) => each.pa === physical && each.key === entry.key && each.width === width,
    );
    if (page === undefined) {
      page = this.add(start, physical, entry.key, width);
      // Stores to the page must be seen from now on.
      this.core?.memory.forget();
      for (const { core } of this.others) core?.memory.forgetStores();
    } else this.compare(page);
    this.valid[index] = page.id;
    this.found[index] = page;
    return page;
  }

  /** Fetches the lines that a page's blocks use; where one differs, the blocks go. */
  private compare(page: CodePage): void {
    const { buffer } = this;
    const direct = this.core?.memory.fetchesDirectly(page.at) === true;
    const tag = DirectLines.tagOf(pa(page.pa), page.key);
    const { direct: lines } = this.cpu.behind.cache;
    for (let line = 0; line < PAGE_SIZE / LINE_SIZE; line++) {
      if ((((page.lines[line >> 5] ?? 0) >>> (line % LINES_LOW)) & 1) === 0) continue;
      const from = line * LINE_SIZE;
      const slot = page.slots[line] ?? 0;
      if (direct && lines.holds(slot, (tag.low + line) | 0, tag.high)) {
        lines.read(slot);
        if (lines.equal(slot, page.bytes, from)) continue;
        this.dropBlocks(page);
        page.lines.fill(0);
        return;
      }
      const fault = this.cpu.fetch(vaAdd(page.at, from), buffer, LINE_SIZE);
      if (fault !== null) throw faulted(fault);
      for (let i = 0; i < LINE_SIZE; i++) {
        if (buffer[i] === page.bytes[from + i]) continue;
        this.dropBlocks(page);
        page.lines.fill(0);
        return;
      }
      if (direct) page.slots[line] = Math.max(0, lines.slotOf(pa(page.pa + from), page.key));
    }
  }

  /** Makes bytes of a page known. */
  private need(page: CodePage, from: number, to: number): void {
    for (let line = from >> 6; line <= (to - 1) >> 6; line++) {
      const word = line >> 5;
      const bit = 1 << (line % LINES_LOW);
      if (((page.lines[word] ?? 0) & bit) !== 0) continue;
      const fault = this.cpu.fetch(vaAdd(page.at, line * LINE_SIZE), this.buffer, LINE_SIZE);
      if (fault !== null) throw faulted(fault);
      page.bytes.set(this.buffer.subarray(0, LINE_SIZE), line * LINE_SIZE);
      page.lines[word] = (page.lines[word] ?? 0) | bit;
    }
  }

  private make(page: CodePage, rip: Va, offset: number): Block {
    const { core } = this;
    if (core === null) throw new RangeError('no core');
    const ops: Op[] = [];
    const instructions: Instruction[] = [];
    const addresses: Va[] = [];
    let crosses: CodePage | null = null;
    let branches = false;
    let at = offset;
    while (ops.length < MOST && !branches && at < PAGE_SIZE) {
      const here = vaAdd(rip, at - offset);
      if (ops.length > 0 && this.breakpoints.has(here)) break;
      let instruction: Instruction | null;
      let bytes = page.bytes;
      let from = at;
      const end = Math.min(at + MAX_LENGTH, PAGE_SIZE);
      this.need(page, at, end);
      let result = decode(page.bytes, at, end, page.width);
      if (!isUndecoded(result)) instruction = result;
      else if (result.undecoded === 'truncated') {
        // The instruction goes on in the next page: alone in its block.
        if (ops.length > 0) break;
        const nextAt = vaAdd(page.at, PAGE_SIZE);
        crosses = this.page(nextAt, nextAt);
        this.need(crosses, 0, MAX_LENGTH);
        from = 0;
        bytes = Uint8Array.from([
          ...page.bytes.subarray(at),
          ...crosses.bytes.subarray(0, MAX_LENGTH),
        ]);
        result = decode(bytes, 0, bytes.length, page.width);
        instruction = isUndecoded(result) ? null : result;
      } else instruction = null;
      addresses.push(here);
      if (instruction === null) {
        // APM vol. 2, 8.2.7: an encoding that is no instruction is a #UD; more than 15 bytes are a #GP (8.2.14).
        const long = isUndecoded(result) && result.undecoded === 'too-long';
        ops.push(() => raise(long ? EXCEPTION.GP : EXCEPTION.UD, 'no instruction'));
        branches = true;
        break;
      }
      const next = vaAdd(here, instruction.length);
      const placed = this.operations.at(
        { core, instruction, at: here, next, index: ops.length },
        bytes.subarray(from, from + instruction.length),
      );
      instructions.push(placed.instruction);
      ops.push(placed.op);
      branches = BRANCHES.has(instruction.mnemonic);
      at += instruction.length;
      if (crosses !== null) break;
    }
    addresses.push(vaAdd(rip, at - offset));
    return {
      start: rip,
      ops,
      instructions,
      addresses,
      branches,
      crosses,
      crossesId: crosses?.id ?? 0,
      stops: this.breakpoints.has(rip),
      origin: this.originOf(rip),
      id: page.id,
      index: indexOf(page.at),
      taken: null,
      other: null,
      runs: 0,
      region: null,
      entry: 0,
    };
  }
}

function blockOf(page: CodePage, offset: number): Block | undefined {
  const number = page.blockAt[offset] ?? 0;
  return number === 0 ? undefined : page.blocks[number - 1];
}

function indexOf(start: Va): number {
  return (start / PAGE_SIZE) & (ENTRIES - 1);
}

/** The fault of a fetch, as a signal. */
function faulted(fault: Fault): FaultSignal {
  return new FaultSignal(fault);
}
