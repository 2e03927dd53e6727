/**
 * Key mismatches: a line that was written with one C-bit and read with another. Computed from the machine's records of
 * keys and origins, independent of the patches.
 */
import { startsWith } from '../../base/bytes.js';
import { hex, pa, type KeyId, type Pa, type Va } from '../../machine/address.js';
import type { Cpu } from '../../machine/cpu/cpu.js';
import type { RecordedRead } from '../../kernel/tracer.js';
import type { Boot } from '../../sequencer/boot.js';
import type { ReadCheck } from '../../trace/integrity.js';
import type { WrongRead } from './report.js';

const cOf = (key: KeyId | number): number => (key === 0 ? 0 : 1);
/** The writer of lines that no modelled function wrote. */
export const UNNAMED = 'firmware or loader';

/** An address that was written with one key and read with another, or was never written. */
export interface KeyMismatch {
  readonly pa: Pa;
  readonly readC: number;
  readonly writeC?: number;
  readonly writer?: string;
  /** Neither memory nor a device is at this address. */
  readonly absent?: true;
}

/** The last write to an address: writer and C-bit; empty if there was none. */
function written(boot: Boot, address: Pa): Pick<KeyMismatch, 'writeC' | 'writer'> {
  const last = boot.machine.lastWrite(address);
  if (last === undefined) return {};
  const name = boot.recorder.nameOf(last.origin) ?? '';
  return { writeC: cOf(last.key), writer: name === '' ? UNNAMED : name };
}

/**
 * The first wrong byte of a read check: its physical address and C-bit, from the read with these bytes, else from one
 * that begins with them.
 */
function placeOf(
  reads: readonly RecordedRead[],
  { bytes, at }: ReadCheck,
): { pa: Pa; c: number } | undefined {
  const backwards = [...reads].reverse();
  const found =
    backwards.find((read) => read.bytes === bytes) ??
    backwards.find((read) => bytes.length > 0 && startsWith(read.bytes, bytes));
  let offset = at ?? 0;
  for (const range of found?.ranges ?? []) {
    if (offset < range.length) return { pa: pa(range.pa + offset), c: range.c };
    offset -= range.length;
  }
  return undefined;
}

/** A failed read check, with reader and writer of the first wrong byte. */
export function wrongRead(boot: Boot, check: ReadCheck): WrongRead {
  const { name, by: reader } = check;
  const place = placeOf(boot.kernel.trace.reads ?? [], check);
  if (place === undefined) return { name, reader };
  return { name, reader, readC: place.c, pa: hex(place.pa), ...written(boot, place.pa) };
}

/**
 * The first entry on the page walk to an address, or the memory there, that was written with another key than it is
 * read with.
 */
export function mismatchOnWalk(
  boot: Boot,
  cpu: Cpu,
  address: Va,
): (KeyMismatch & { what: string }) | undefined {
  for (const { level, at, key, absent } of cpu.traceWalk(address)) {
    const what = `${level} entry ${hex(at)}`;
    if (absent) return { what, pa: at, readC: cOf(key), absent };
    const write = written(boot, at);
    if (write.writeC === cOf(key)) continue;
    return { what, pa: at, readC: cOf(key), ...write };
  }
  const found = cpu.translate(address);
  if ('vector' in found) return undefined;
  const write = written(boot, found.pa);
  if (write.writeC === cOf(found.key)) return undefined;
  return { what: `memory ${hex(found.pa)}`, pa: found.pa, readC: cOf(found.key), ...write };
}

/** A key mismatch as text to follow the name of the reader. */
export function mismatchText({
  readC,
  writeC,
  writer,
  absent,
}: {
  readonly readC: number;
  readonly writeC?: number | undefined;
  readonly writer?: string | undefined;
  readonly absent?: true | undefined;
}): string {
  const read = `with C=${String(readC)}`;
  if (absent === true) return `${read}; no memory is there, it reads as all ones`;
  if (writer === undefined) return `${read}; it was never written`;
  if (writeC === readC) return `${read}; ${writer} wrote it with the same C-bit`;
  return `${read}; ${writer} wrote it with C=${String(writeC ?? 0)}`;
}
