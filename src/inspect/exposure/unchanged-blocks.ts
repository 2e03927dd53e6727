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
  private readonly pending: { readonly at: Pa; readonly before: Uint8Array }[] = [];
  private bytes = 0;
  /** Former contents of lines of which a block did not change. */
  private lines = new Map<Pa, Uint8Array>();

  /** @param now whether the key of a line's last write is one that this is about. */
  constructor(
    private readonly dram: Dram,
    private readonly now: (key: KeyId) => boolean,
  ) {}

  /** A write that changes the key is about to happen. */
  replaced(at: Pa, length: number): void {
    if (this.bytes > BATCH) this.compare();
    this.pending.push({ at, before: this.dram.peek(at, length) });
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
    for (const { at, before } of this.pending.splice(0)) {
      const now = this.dram.peek(at, before.length);
      for (let offset = 0; offset < before.length; offset += LINE_SIZE) {
        const contents = before.slice(offset, offset + LINE_SIZE);
        const line = pa(at + offset);
        if (sameBlocks(contents, now, offset).length > 0) this.lines.set(line, contents);
        else this.lines.delete(line);
      }
    }
    this.bytes = 0;
  }
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
