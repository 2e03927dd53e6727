/** `table-not-found`: a search that misses a table which is there, since it reads memory under another key. */
import { pa } from '../../machine/address.js';
import { readUnder } from '../../machine/quiet.js';
import type { Searched } from '../annotations.js';
import { cBit, withC, type Watch } from '../watch.js';
import { UNWRITTEN, type Writer } from '../writers.js';

/** Bytes that are looked at at a time: a range may be a RAM disk of hundreds of megabytes. */
const CHUNK = 1024 * 1024;

export function checkSearch(watch: Watch, search: Searched): void {
  const { start, length, key, signature, step, what, found } = search;
  if (found) return;
  const bytes = new Uint8Array(Math.min(CHUNK + step + signature.length, length));
  // Steps that begin in a chunk; a signature may reach into the next one.
  const perChunk = Math.ceil(CHUNK / step) * step;
  for (let from = 0; from < length; from += perChunk) {
    const size = Math.min(perChunk + signature.length - 1, length - from);
    const hit = hitIn(watch, search, start + from, bytes.subarray(0, size));
    if (hit === undefined) continue;
    const { at, writer } = hit;
    watch.report({
      rule: 'table-not-found',
      ...watch.by({ requester: watch.cpu, origin: 0 }),
      ...{ start: at, length: signature.length, C: cBit(key) },
      what: `${what}: not found by a search with ${withC(key)}; it was written with ${withC(writer.key)}`,
      earlier: { what: 'written', writer },
      outcome: 'data lost',
    });
    return;
  }
}

/**
 * The first signature in a part of the searched range that was written under another key than the search reads.
 * @param bytes as long as the part; its contents are lost
 */
function hitIn(
  watch: Watch,
  { key, signature, step }: Searched,
  start: number,
  bytes: Uint8Array,
): { at: number; writer: Writer } | undefined {
  const writers: { start: number; end: number; writer: Writer }[] = [];
  bytes.fill(0);
  watch.shadow.runs(start, bytes.length, (at, size, number) => {
    const writer = number === UNWRITTEN ? undefined : watch.writers.get(number);
    if (writer === undefined || writer.key === key) return;
    writers.push({ start: at, end: at + size, writer });
    bytes.set(readUnder(watch.machine, pa(at), size, writer.key), at - start);
  });
  if (writers.length === 0) return undefined;
  const [first] = signature;
  for (let offset = 0; offset + signature.length <= bytes.length; offset += step) {
    if (bytes[offset] !== first || !signature.every((byte, i) => bytes[offset + i] === byte)) {
      continue;
    }
    const at = start + offset;
    const writer = writers.find((each) => at >= each.start && at < each.end)?.writer;
    if (writer !== undefined) return { at, writer };
  }
  return undefined;
}
