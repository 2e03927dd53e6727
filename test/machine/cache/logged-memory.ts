/** A memory behind the cache that logs the accesses that reach it, and accesses of one byte. */
import { KEY_PLAIN, pa, type KeyId, type Pa } from '../../../src/machine/address.js';
import { Cache } from '../../../src/machine/cache/cache.js';
import { Probes } from '../../../src/machine/probes.js';
import type { LineStore } from '../../../src/machine/memory/line-store.js';
import type { MemType } from '../../../src/machine/types.js';

export const LINE = 64;

/** Memory without a cipher: a key's bytes are the stored ones exclusive-or'ed with the key's number. */
export class Memory implements LineStore {
  readonly bytes = new Uint8Array(64 * 1024);
  readonly log: string[] = [];

  readLines(at: Pa, key: KeyId, out: Uint8Array, outOffset: number, length: number): void {
    this.log.push(`fill ${at / LINE}${length > LINE ? `+${length / LINE}` : ''} k${key}`);
    for (let i = 0; i < length; i++) out[outOffset + i] = (this.bytes[at + i] ?? 0) ^ key;
  }
  writeLines(at: Pa, key: KeyId, data: Uint8Array, offset: number, length: number): void {
    this.log.push(`back ${at / LINE}${length > LINE ? `+${length / LINE}` : ''} k${key}`);
    for (let i = 0; i < length; i++) this.bytes[at + i] = (data[offset + i] ?? 0) ^ key;
  }
  fillLines(at: Pa, key: KeyId, byte: number, length: number): void {
    for (let done = 0; done < length; done += LINE) {
      this.writeLines(pa(at + done), key, new Uint8Array(LINE).fill(byte), 0, LINE);
    }
  }
  read(at: Pa, key: KeyId, out: Uint8Array, offset: number, length: number): void {
    this.log.push(`read ${at} k${key}`);
    for (let i = 0; i < length; i++) out[offset + i] = (this.bytes[at + i] ?? 0) ^ key;
  }
  write(at: Pa, key: KeyId, data: Uint8Array, offset: number, length: number): void {
    this.log.push(`write ${at} k${key}`);
    for (let i = 0; i < length; i++) this.bytes[at + i] = (data[offset + i] ?? 0) ^ key;
  }
}

export function setup(
  size = 8 * LINE,
  ways = 2,
  coherent = false,
): { memory: Memory; cache: Cache; probes: Probes } {
  const memory = new Memory();
  const probes = new Probes();
  return { memory, cache: new Cache({ store: memory, size, ways, coherent, probes }), probes };
}
export const line = (n: number): Pa => pa(n * LINE);
export const put = (
  cache: Cache,
  at: number,
  value: number,
  type: MemType,
  key = KEY_PLAIN,
  cpu = 0,
): void => cache.write(cpu, pa(at), key, type, Uint8Array.of(value), 0, 1, 0);
export function get(cache: Cache, at: number, type: MemType, key = KEY_PLAIN): number {
  const out = new Uint8Array(1);
  cache.read(0, pa(at), key, type, out, 0, 1, 0);
  return out[0] ?? 0;
}
export const whole = (value: number): Uint8Array => new Uint8Array(LINE).fill(value);
