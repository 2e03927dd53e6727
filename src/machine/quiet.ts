/**
 * Reads memory as a CPU or device would, and changes nothing: no line is filled or invalidated, no device notices. What a
 * coherent cache would first write back (HwEnfCacheCoh, CPUID Fn8000_001F EAX 10) is computed.
 */
import { LINE_SIZE, PAGE_SIZE, paAdd, type KeyId, type Pa } from './address.js';
import type { CachedLine } from './cache/cache-tags.js';
import type { Machine } from './machine.js';
import { REQUESTER_PLATFORM } from './requester.js';
import type { TableReader } from './types.js';

/** The bytes of memory behind the caches, decrypted under a key. */
export function behindCaches(machine: Machine, first: Pa, length: number, key: KeyId): Uint8Array {
  const out = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const at = paAdd(first, done);
    const run = Math.min(length - done, PAGE_SIZE - (at % PAGE_SIZE));
    // A read may change a device: the latches of a VGA card.
    const device = machine.bus.at(at);
    const state = device === undefined ? undefined : structuredClone(device.snapshot());
    machine.bus.read(at, key, out, done, run, REQUESTER_PLATFORM);
    device?.restore(state);
    done += run;
  }
  return out;
}

/** The bytes of a line under another key after its write-back: encrypted under its own key, decrypted under the other. */
function writtenBack(machine: Machine, line: CachedLine, key: KeyId): Uint8Array {
  const bytes = line.bytes.slice();
  machine.engine.encrypt(line.key, line.pa, bytes, 0, LINE_SIZE);
  machine.engine.decrypt(key, line.pa, bytes, 0, LINE_SIZE);
  return bytes;
}

const isCoherent = ({ config }: Machine): boolean => config.model.sme?.coherent ?? false;

/** The bytes that a read under a key gets: from cached lines of the key, else from memory. */
export function readUnder(machine: Machine, address: Pa, length: number, key: KeyId): Uint8Array {
  const out = behindCaches(machine, address, length, key);
  const coherent = isCoherent(machine);
  for (const line of machine.cache.linesOf(address, length)) {
    const flushed = coherent && line.dirty !== undefined;
    if (line.key !== key && !flushed) continue;
    const bytes = line.key === key ? line.bytes : writtenBack(machine, line, key);
    const from = Math.max(line.pa, address);
    const to = Math.min(line.pa + LINE_SIZE, address + length);
    out.set(bytes.subarray(from - line.pa, to - line.pa), from - address);
  }
  return out;
}

/** Reads page tables as the CPUs' walkers do. It sets no bits. */
export function quietTables(machine: Machine): TableReader {
  const coherent = isCoherent(machine);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  const reader = {
    high: 0,
    readEntry(at: Pa, key: KeyId): number {
      // A listener that is told what a step depends on must hear of this read too.
      const { touched } = machine.probes;
      if (touched.active) touched.notify(at, 8);
      // The walker's own read has no effect but on lines of other keys and on devices.
      if (!coherent && machine.bus.at(at) === undefined) {
        machine.cache.peekCoherent(REQUESTER_PLATFORM, at, key, bytes, 0, 8);
      } else bytes.set(readUnder(machine, at, 8, key));
      reader.high = view.getInt32(4, true);
      return view.getInt32(0, true);
    },
    answers: (at: Pa) => machine.answers(at),
    setBits: () => undefined,
  };
  return reader;
}
