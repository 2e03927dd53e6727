/** `mixed-key-line`: cache lines that are in use under two keys. */
import {
  BLOCK_SIZE,
  KEY_HOST,
  KEY_PLAIN,
  LINE_SIZE,
  PAGE_SIZE,
  pa,
  type KeyId,
} from '../../machine/address.js';
import { behindCaches } from '../../machine/quiet.js';
import type { Origin } from '../../machine/types.js';
import { cBit, withC, type Access, type Watch } from '../watch.js';
import type { Writer } from '../writers.js';

/** Calls `visit` with each line of a range, and the part of the range in it: `from` up to, not including, `to`. */
export function eachLine(
  start: number,
  end: number,
  visit: (line: number, from: number, to: number) => void,
): void {
  for (let line = Math.floor(start / LINE_SIZE) * LINE_SIZE; line < end; line += LINE_SIZE) {
    visit(line, Math.max(start, line), Math.min(end, line + LINE_SIZE));
  }
}

/** A write of a line that is dirty under another key: which of the two write-backs comes last decides (APM 7.10.6). */
export function checkAliases(watch: Watch, access: Access): void {
  const { start, length, key } = access;
  const { machine, shadow, writers } = watch;
  if (machine.config.model.sme?.coherent === true) return;
  const first = Math.floor(start / LINE_SIZE) * LINE_SIZE;
  const end = Math.ceil((start + length) / LINE_SIZE) * LINE_SIZE;
  shadow.runs(first, end - first, (at, size, number) => {
    const writer = writers.get(number);
    if (writer === undefined || writer.key === key) return;
    eachLine(at, at + size, (line) => {
      if (!watch.isDirty(line, writer.key)) return;
      watch.report({
        rule: 'mixed-key-line',
        ...watch.by(access),
        ...{ start: line, length: LINE_SIZE, C: cBit(key) },
        what: `a write with ${withC(key)} of a line that is dirty with ${withC(writer.key)}: the later write-back wins`,
        earlier: { what: 'written, not written back', writer },
        outcome: 'nothing yet',
      });
    });
  });
}

/** A read of a line that is dirty under the other key: it is cached under both, and one of them is not what DRAM gets. */
export function checkTouched(watch: Watch, access: Access): void {
  const { va = 0, start, length, key } = access;
  const { machine, shadow, writers } = watch;
  const other = key === KEY_PLAIN ? KEY_HOST : KEY_PLAIN;
  if (machine.config.model.sme?.coherent === true) return;
  // Most pages have one writer: none of their lines has bytes that are dirty under the other key.
  const whole = (start % PAGE_SIZE) + length <= PAGE_SIZE ? shadow.pageWriter(start) : undefined;
  if (whole !== undefined && writers.get(whole)?.key !== other) return;
  eachLine(start, start + length, (line, from, to) => {
    if (!watch.isDirty(line, other)) return;
    let dirty: Writer | undefined;
    let own = true;
    shadow.runs(line, LINE_SIZE, (at, size, number) => {
      const writer = writers.get(number);
      if (writer?.key !== other) return;
      dirty ??= writer;
      // Bytes that are read under another key than they were written with are a report of their own.
      if (at < to && from < at + size) own = false;
    });
    if (!own || dirty === undefined) return;
    watch.report({
      rule: 'mixed-key-line',
      ...watch.by(access),
      ...{ start: from, length: to - from, va: va + (from - start), C: cBit(key) },
      what: `a read with ${withC(key)} of a line that is dirty with ${withC(other)}: it is cached under both`,
      earlier: { what: 'written, not written back', writer: dirty },
      outcome: 'nothing yet',
    });
  });
}

/** Bytes of a line that is written back which were written under another key, and what DRAM has of the line for their reader. */
interface Endangered {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly writer: Writer;
  readonly before: Uint8Array;
}

const contentsOf = ({ machine }: Watch, line: number, { key }: Writer): Uint8Array =>
  behindCaches(machine, pa(line), LINE_SIZE, key);

/** Write-backs: bytes that were written under another key since the line was filled are lost. */
export class WriteBacks {
  private endangered: Endangered[] = [];

  /** Lines are about to be written back. */
  before(watch: Watch, start: number, length: number, key: KeyId): void {
    const { shadow, writers } = watch;
    shadow.runs(start, length, (at, size, number, destroyed) => {
      const writer = writers.get(number);
      if (writer === undefined || writer.key === key || destroyed) return;
      eachLine(at, at + size, (line, from, to) => {
        // The newer data is still in the cache: its own write-back comes later.
        if (watch.isDirty(line, writer.key)) return;
        const before = contentsOf(watch, line, writer);
        this.endangered.push({ line, from, to, writer, before });
      });
    });
  }

  /** They were written back. A block that the line did not change was filled and encrypted again: it is what it was. */
  after(watch: Watch, key: KeyId, origin: Origin): void {
    for (const { line, from, to, writer, before } of this.endangered.splice(0)) {
      const now = contentsOf(watch, line, writer);
      const isSame = (block: number): boolean =>
        now.subarray(block, block + BLOCK_SIZE).every((byte, i) => byte === before[block + i]);
      for (let block = 0; block < LINE_SIZE;) {
        const first = block;
        while (block < LINE_SIZE && !isSame(block)) block += BLOCK_SIZE;
        lost(watch, Math.max(from, line + first), Math.min(to, line + block), key, origin, writer);
        if (block === first) block += BLOCK_SIZE;
      }
    }
  }
}

/** Reports bytes that a write-back has destroyed, if there are any. */
function lost(
  watch: Watch,
  start: number,
  end: number,
  key: KeyId,
  origin: Origin,
  writer: Writer,
): void {
  if (start >= end) return;
  watch.report({
    rule: 'mixed-key-line',
    site: { in: watch.host.nameOf(origin) ?? 'hardware' },
    ...{ start, length: end - start, C: cBit(key) },
    what: `the write-back of a line with ${withC(key)} destroys newer bytes`,
    earlier: { what: 'written', writer },
    outcome: 'data lost',
  });
  watch.shadow.destroy(start, end - start);
}

/**
 * A write that goes to memory past the caches: the engine encrypts whole blocks, so that bytes of a block under another key
 * are noise for their reader, although they are not written.
 */
export function spoilBlocks(watch: Watch, access: Access): void {
  const { shadow, writers } = watch;
  const { start, length, key } = access;
  const end = start + length;
  const first = Math.floor(start / BLOCK_SIZE) * BLOCK_SIZE;
  const last = Math.ceil(end / BLOCK_SIZE) * BLOCK_SIZE;
  const spoil = (from: number, to: number): void => {
    shadow.runs(from, to - from, (at, size, number, destroyed) => {
      const writer = writers.get(number);
      if (writer === undefined || writer.key === key || destroyed) return;
      if (!watch.isDirty(at, writer.key)) shadow.destroy(at, size);
    });
  };
  if (first < start) spoil(first, start);
  if (end < last) spoil(end, last);
}

/** CLFLUSH of whole lines: it flushes those under the mapping's key only. */
export function checkClflush(watch: Watch, access: Access): void {
  const { va = 0, start, length, key } = access;
  watch.shadow.runs(start, length, (at, size, number) => {
    const writer = watch.writers.get(number);
    if (writer === undefined || writer.key === key) return;
    eachLine(at, at + size, (line, from, to) => {
      if (!watch.isDirty(line, writer.key)) return;
      watch.report({
        rule: 'mixed-key-line',
        ...watch.by(access),
        ...{ start: from, length: to - from, va: va + (line - start), C: cBit(key) },
        what: `a CLFLUSH with ${withC(key)} of a line that is dirty with ${withC(writer.key)}: the line stays`,
        earlier: { what: 'written, not written back', writer },
        outcome: 'nothing yet',
      });
    });
  });
}
