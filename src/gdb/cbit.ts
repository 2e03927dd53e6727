/** `monitor cbit`: the C-bits on the way to an address, table by table, and what is read there with and without one. */
import { hex, KEY_PLAIN, LINE_SIZE, lineOf, PAGE_SIZE, pa, type Va } from '../machine/address.js';
import { bytesOf, MEMORY_VIEWS, type MemoryView } from '../inspect/memory.js';
import { pages, translationOf } from '../inspect/translation.js';
import { walkOf } from '../inspect/walk.js';
import { walkEnd, walkRows } from '../inspect/walk-text.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import type { Machine } from '../machine/machine.js';
import type { Pa } from '../machine/address.js';
import { hexByte } from './packet.js';

/** Bytes that are shown (our choice). */
const SHOWN = 16;
const VIEW_NAMES: Readonly<Record<MemoryView, string>> = { dram: 'DRAM', c0: 'C=0', c1: 'C=1' };

const keyName = (key: number): string =>
  key === KEY_PLAIN ? 'no key (C=0)' : "the host's key (C=1)";

/** Bytes in hexadecimal and as text. */
function dump(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  );
  return `${Array.from(bytes, hexByte).join(' ')}  |${text.join('')}|`;
}

/** The lines of the cache for an address. */
function cached(machine: Machine, at: Pa): string[] {
  const lines = machine.cache.linesOf(lineOf(at), LINE_SIZE);
  if (lines.length === 0) return ['the cache does not hold the line'];
  return lines.map(
    ({ key, dirty }) =>
      `the cache holds the line under ${keyName(key)}, ${dirty === undefined ? 'clean' : 'dirty'}`,
  );
}

function keyOf(machine: Machine, cpu: Cpu, c: 0 | 1): string {
  if (!pages(cpu)) return 'paging is off: no C-bit, read without a key';
  if (!cpu.encryption) {
    return machine.config.model.sme === undefined
      ? 'the part has no memory encryption: read without a key'
      : 'SYSCFG[23] is clear: C-bits are not in force, read without a key';
  }
  return `read under ${keyName(c)}`;
}

/** The report, by lines. Changes nothing. */
export function cbitLines(machine: Machine, cpu: Cpu, at: Va): string[] {
  const walk = walkOf(machine, cpu, at);
  const lines = [hex(at), ...walkRows(walk).map((row) => row.join('  ').trimEnd()), walkEnd(walk)];
  const found = translationOf(machine, cpu, at);
  if (isFault(found)) return lines;
  lines.push(keyOf(machine, cpu, found.c));
  if (!machine.dram.has(found.pa)) {
    lines.push(
      machine.answers(found.pa) ? 'a device is there' : 'neither memory nor a device is there',
    );
    return lines;
  }
  const last = machine.lastWrite(found.pa);
  lines.push(
    last === undefined ? 'the line was never written' : `last written under ${keyName(last.key)}`,
    ...cached(machine, found.pa),
  );
  const size = Math.min(SHOWN, PAGE_SIZE - (found.pa % PAGE_SIZE));
  for (const view of MEMORY_VIEWS) {
    if (view === 'c1' && machine.config.model.sme === undefined) continue;
    const bytes = bytesOf(machine, [{ base: pa(found.pa), size }], view);
    lines.push(`${VIEW_NAMES[view].padEnd(4)}  ${dump(bytes)}`);
  }
  return lines;
}
