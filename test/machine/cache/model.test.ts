/** The cache compared, access by access, with a model of it that keeps lines in a list. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { Cache } from '../../../src/machine/cache/cache.js';
import type { LineStore } from '../../../src/machine/memory/line-store.js';
import { pciRequester } from '../../../src/machine/requester.js';
import { MEMTYPE, type MemType } from '../../../src/machine/types.js';

const LINE = 64;
const SETS = 4;
const WAYS = 2;
/** Four times what the cache holds, so that accesses often hit. */
const MEMORY = 4 * SETS * WAYS * LINE;
const ALLOCATES: readonly MemType[] = [MEMTYPE.WB, MEMTYPE.WT, MEMTYPE.WP];

interface Line {
  readonly at: number;
  readonly key: KeyId;
  readonly data: Uint8Array;
  dirty: boolean;
  cpu: number;
}

/** Memory whose stored bytes are those of a key exclusive-or'ed with its number. */
class Memory implements LineStore {
  readonly bytes = new Uint8Array(MEMORY);
  read(at: number, key: KeyId, out: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length; i++) out[offset + i] = (this.bytes[at + i] ?? 0) ^ key;
  }
  write(at: number, key: KeyId, data: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length; i++) this.bytes[at + i] = (data[offset + i] ?? 0) ^ key;
  }
  readLines(...args: Parameters<Memory['read']>): void {
    this.read(...args);
  }
  writeLines(...args: Parameters<Memory['write']>): void {
    this.write(...args);
  }
  fillLines(at: number, key: KeyId, byte: number, length: number): void {
    this.write(at, key, new Uint8Array(length).fill(byte), 0, length);
  }
}

/** APM table 7-3, 7.10.6: lines by address and key, the least recently used first. */
class Model {
  readonly memory = new Memory();
  lines: Line[] = [];
  constructor(private readonly coherent: boolean) {}

  private find(at: number, key: KeyId): Line | undefined {
    return this.lines.find((line) => line.at === at && line.key === key);
  }
  private drop(gone: Line): void {
    if (gone.dirty) this.memory.write(gone.at, gone.key, gone.data, 0, LINE);
    this.lines = this.lines.filter((line) => line !== gone);
  }
  private dropOthers(at: number, key: KeyId): void {
    for (const line of this.coherent ? this.lines : []) {
      if (line.at === at && line.key !== key) this.drop(line);
    }
  }
  private use(line: Line): void {
    this.lines = [...this.lines.filter((each) => each !== line), line];
  }
  private allocate(at: number, key: KeyId, cpu: number): Line {
    this.dropOthers(at, key);
    const set = this.lines.filter((line) => (line.at / LINE) % SETS === (at / LINE) % SETS);
    const [oldest] = set;
    if (set.length === WAYS && oldest !== undefined) this.drop(oldest);
    const made: Line = { at, key, data: new Uint8Array(LINE), dirty: false, cpu };
    this.memory.read(at, key, made.data, 0, LINE);
    this.lines.push(made);
    return made;
  }
  /** Calls `each` with the part of a range that is in each line. */
  private inLines(
    at: number,
    length: number,
    each: (line: number, from: number, to: number) => void,
  ): void {
    for (let line = at - (at % LINE); line < at + length; line += LINE) {
      each(line, Math.max(line, at), Math.min(line + LINE, at + length));
    }
  }
  flush(at: number, key: KeyId, length: number): void {
    this.inLines(at, length, (line) => {
      this.dropOthers(line, key);
      const found = this.find(line, key);
      if (found !== undefined) this.drop(found);
    });
  }
  read(cpu: number, at: number, key: KeyId, type: MemType, out: Uint8Array): void {
    if (!ALLOCATES.includes(type)) {
      this.flush(at, key, out.length);
      this.memory.read(at, key, out, 0, out.length);
      return;
    }
    this.inLines(at, out.length, (line, from, to) => {
      const found = this.find(line, key) ?? this.allocate(line, key, cpu);
      this.use(found);
      out.set(found.data.subarray(from - line, to - line), from - at);
    });
  }
  write(cpu: number, at: number, key: KeyId, type: MemType, data: Uint8Array): void {
    if (type !== MEMTYPE.WB && type !== MEMTYPE.WT) this.flush(at, key, data.length);
    if (type !== MEMTYPE.WB) this.memoryWrite(at, key, data, type === MEMTYPE.WT);
    else
      this.inLines(at, data.length, (line, from, to) => {
        const found = this.find(line, key) ?? this.allocate(line, key, cpu);
        found.data.set(data.subarray(from - at, to - at), from - line);
        found.dirty = true;
        found.cpu = cpu;
        this.use(found);
      });
  }
  private memoryWrite(at: number, key: KeyId, data: Uint8Array, through: boolean): void {
    if (through)
      this.inLines(at, data.length, (line, from, to) => {
        this.dropOthers(line, key);
        const found = this.find(line, key);
        if (found === undefined) return;
        found.data.set(data.subarray(from - at, to - at), from - line);
        this.use(found);
      });
    this.memory.write(at, key, data, 0, data.length);
  }
  peek(at: number, key: KeyId, out: Uint8Array): void {
    this.inLines(at, out.length, (line, from, to) => {
      this.dropOthers(line, key);
      const found = this.find(line, key);
      if (found === undefined) this.memory.read(from, key, out, from - at, to - from);
      else out.set(found.data.subarray(from - line, to - line), from - at);
    });
  }
  wbinvd(cpu: number | 'all'): void {
    // By address, at one address by key: lines of another CPU stay.
    const order = [...this.lines].sort((a, b) => a.at - b.at || a.key - b.key);
    for (const line of order) if (cpu === 'all' || line.cpu === cpu) this.drop(line);
  }
}

type What = 'read' | 'write' | 'peek' | 'device' | 'flush';
const operation = fc.record({
  what: fc.constantFrom<What>('read', 'read', 'write', 'write', 'write', 'peek', 'device', 'flush'),
  at: fc.nat(MEMORY - 1),
  // Within a line, of whole lines, and of several.
  length: fc.oneof(
    fc.integer({ min: 1, max: 24 }),
    fc.constantFrom(LINE, 2 * LINE),
    fc.integer({ min: 1, max: 1200 }),
  ),
  aligned: fc.boolean(),
  type: fc.constantFrom(MEMTYPE.UC, MEMTYPE.WC, MEMTYPE.WT, MEMTYPE.WP, MEMTYPE.WB, MEMTYPE.WB),
  key: fc.constantFrom(KEY_PLAIN, KEY_HOST),
  cpu: fc.nat(1),
  value: fc.nat(255),
  empty: fc.constantFrom(false, false, false, false, false, false, true),
});

test('each access of any type, size, key and CPU has the effect on lines and memory that the manual gives', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 40 }),
      fc.boolean(),
      fc.boolean(),
      (operations, coherent, offsetOut) => {
        const model = new Model(coherent);
        const memory = new Memory();
        const cache = new Cache({ store: memory, size: SETS * WAYS * LINE, ways: WAYS, coherent });
        // Bytes before those of an access must not be touched.
        const off = offsetOut ? 7 : 0;
        for (const { what, at: any, length, aligned, type, key, cpu, value, empty } of operations) {
          const at = aligned ? any - (any % LINE) : any;
          const count = Math.min(length, MEMORY - at);
          const data = Uint8Array.from({ length: off + count }, (_, i) => value + i * 3);
          const [found, expected] = [data.slice(), data.slice()];
          const out = expected.subarray(off);
          if (what === 'read') {
            cache.read(cpu, pa(at), key, type, found, off, count, 0);
            model.read(cpu, at, key, type, out);
          } else if (what === 'write') {
            cache.write(cpu, pa(at), key, type, data, off, count, 0);
            model.write(cpu, at, key, type, data.subarray(off));
          } else if (what === 'peek') {
            cache.peekCoherent(0, pa(at), key, found, off, count);
            model.peek(at, key, out);
          } else if (what === 'device') {
            cache.deviceWrite(pciRequester(0x100), pa(at), key, data, off, count, 0);
            model.write(0, at, key, MEMTYPE.UC, data.subarray(off));
          } else {
            cache.clflush(pa(at), key, count);
            model.flush(at, key, count);
          }
          if (empty) {
            cache.wbinvd(cpu);
            model.wbinvd(cpu);
          }
          expect(found).toEqual(expected);
          expect(Buffer.compare(memory.bytes, model.memory.bytes)).toBe(0);
          expect(cache.lines).toEqual({
            valid: model.lines.length,
            dirty: model.lines.filter(({ dirty }) => dirty).length,
          });
        }
        cache.wbinvd('all');
        model.wbinvd('all');
        expect(Buffer.compare(memory.bytes, model.memory.bytes)).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});
