/** The state of a machine as one text: two machines with equal texts behave alike from then on. */
import { pa, PAGE_SIZE } from '../src/machine/address.js';
import type { Machine } from '../src/machine/machine.js';
import { sha256 } from './sha256.js';

const digestOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  sha256(new Uint8Array(buffer, byteOffset, byteLength));

/** A value as text; typed arrays by their digests, bigints with an n. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) => {
    if (ArrayBuffer.isView(each)) return digestOf(each);
    return typeof each === 'bigint' ? `${String(each)}n` : each;
  });

/**
 * Digests of DRAM (the bytes on the bus, keys and writers), of the cache (bytes, tags, owners, the order of eviction), and
 * the state of CPUs (registers and TLBs) and devices. Whether DRAM has encrypted a line already is no state.
 */
export function machineDigest(machine: Machine): Record<string, string> {
  const { dram } = machine;
  const numbers = dram.touched();
  const pages = numbers.map((number) => {
    const last = dram.lastWrites(number);
    return `${digestOf(dram.peek(pa(number * PAGE_SIZE), PAGE_SIZE))} ${text(last)}`;
  });
  const { cache, cpus, devices } = machine.view();
  return {
    dram: sha256(new TextEncoder().encode(text([numbers, pages]))),
    cache: text(cache),
    cpus: text(cpus),
    devices: text(devices),
  };
}
