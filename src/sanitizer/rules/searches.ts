/** `table-not-found`: a search that misses a table which is there, since it reads memory under another key. */
import { pa, PAGE_SIZE } from '../../machine/address.js';
import { readUnder } from '../../machine/quiet.js';
import type { Searched } from '../annotations.js';
import { cBit, withC, type Watch } from '../watch.js';
import { UNWRITTEN, type Writer } from '../writers.js';

export function checkSearch(watch: Watch, search: Searched): void {
  const { start, length, key, signature, step, what, found } = search;
  if (found) return;
  const bytes = new Uint8Array(length);
  const writers: { start: number; end: number; writer: Writer }[] = [];
  watch.shadow.runs(start, length, (at, size, number) => {
    const writer = number === UNWRITTEN ? undefined : watch.writers.get(number);
    if (writer === undefined || writer.key === key) return;
    writers.push({ start: at, end: at + size, writer });
    for (let from = at; from < at + size; from += PAGE_SIZE) {
      const run = Math.min(PAGE_SIZE, at + size - from);
      bytes.set(readUnder(watch.machine, pa(from), run, writer.key), from - start);
    }
  });
  if (writers.length === 0) return;
  for (let offset = 0; offset + signature.length <= length; offset += step) {
    if (!signature.every((byte, i) => bytes[offset + i] === byte)) continue;
    const at = start + offset;
    const writer = writers.find((each) => at >= each.start && at < each.end)?.writer;
    if (writer === undefined) continue;
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
