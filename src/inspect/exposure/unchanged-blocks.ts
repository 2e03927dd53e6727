/**
 * Blocks of DRAM that a write under another key has left as they were. A write of a part of a line reads the rest first,
 * through its own key, and writes it back: what is decrypted and encrypted again under one key is the same on the bus.
 */
import { BLOCK_SIZE, LINE_SIZE, pa, paAdd, type KeyId, type Pa } from '../../machine/address.js';
import type { Dram } from '../../machine/memory/dram.js';

/** Bytes that are collected before they are compared (our choice). */
const BATCH = 1 << 20;

/** Former contents by line. They are not changed, so that they are shared. */
export type UnchangedSnapshot = ReadonlyMap<Pa, Uint8Array>;

export class UnchangedBlocks {
  /** Contents before the write, not compared yet. */
  private readonly pending: {
    readonly at: Pa;
    readonly length: number;
    readonly before: () => Uint8Array;
  }[] = [];
  private bytes = 0;
  /** Former contents of lines of which a block did not change. */
  private lines = new Map<Pa, Uint8Array>();

  /** @param now whether the key of a line's last write is one that this is about. */
  constructor(
    private readonly dram: Dram,
    private readonly now: (key: KeyId) => boolean,
  ) {}

  /** A write that changes the key of lines in one page is about to happen. */
  replaced(at: Pa, length: number): void {
    if (this.bytes > BATCH) this.compare();
    this.pending.push({ at, length, before: this.dram.peekLater(at, length) });
    this.bytes += length;
  }

  /** Offsets of the blocks in a line that are still as before the key changed. */
  of(line: Pa): number[] {
    this.compare();
    const before = this.lines.get(line);
    const last = this.dram.lastWrite(line);
    if (before === undefined || last === undefined || !this.now(last.key)) return [];
    return sameBlocks(before, this.dram.peek(line, LINE_SIZE), 0);
  }

  /** All such blocks, ascending, adjacent ones as one range. */
  list(): { start: Pa; bytes: number }[] {
    this.compare();
    const found: { start: Pa; bytes: number }[] = [];
    for (const line of [...this.lines.keys()].sort((a, b) => a - b)) {
      for (const block of this.of(line)) {
        const open = found.at(-1);
        const start = paAdd(line, block);
        if (open !== undefined && open.start + open.bytes === start) open.bytes += BLOCK_SIZE;
        else found.push({ start, bytes: BLOCK_SIZE });
      }
    }
    return found;
  }

  snapshot(): UnchangedSnapshot {
    this.compare();
    return new Map(this.lines);
  }

  restore(snapshot: UnchangedSnapshot): void {
    this.pending.length = 0;
    this.bytes = 0;
    this.lines = new Map(snapshot);
  }

  private compare(): void {
    for (const { at, length, before } of this.pending.splice(0)) {
      const now = this.dram.peek(at, length);
      for (let offset = 0; offset < length; offset += LINE_SIZE) {
        const line = pa(at + offset);
        const contents = isFilled(now, offset)
          ? undefined
          : before().slice(offset, offset + LINE_SIZE);
        if (contents !== undefined && sameBlocks(contents, now, offset).length > 0) {
          this.lines.set(line, contents);
        } else this.lines.delete(line);
      }
    }
    this.bytes = 0;
  }
}

/** Whether a line has one value in all bytes. Our choice: it is a fill, and no block of it was left as it was. */
function isFilled(bytes: Uint8Array, from: number): boolean {
  for (let at = from + 1; at < from + LINE_SIZE; at++) if (bytes[at] !== bytes[from]) return false;
  return true;
}

/** Offsets of the blocks of a line that are equal to those of `now` from an offset on. */
export function sameBlocks(line: Uint8Array, now: Uint8Array, offset: number): number[] {
  const same: number[] = [];
  for (let block = 0; block < line.length; block += BLOCK_SIZE) {
    let at = 0;
    while (at < BLOCK_SIZE && line[block + at] === now[offset + block + at]) at++;
    if (at === BLOCK_SIZE) same.push(block);
  }
  return same;
}
