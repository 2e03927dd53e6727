/**
 * Who is to blame: why bytes that somebody read are not those that were put there, as far as the machine can say. It is
 * asked about places, and knows nothing of patches.
 */
import { startsWith } from '../../base/bytes.js';
import { hex, pa, type KeyId, type Pa, type Va } from '../../machine/address.js';
import type { Cpu } from '../../machine/cpu/cpu.js';
import type { ReadOf } from '../../kernel/tracer.js';
import type { Boot } from '../../sequencer/boot.js';
import type { ReadCheck } from '../../trace/integrity.js';
import type { WrongRead } from './report.js';

const cOf = (key: KeyId | number): number => (key === 0 ? 0 : 1);
/** What nobody's code has written: the loader and the firmware put it there. */
const NOBODY = 'firmware or loader';

/** A place that was written through one key and read through another, or was never written. */
export interface Clash {
  readonly pa: Pa;
  readonly readC: number;
  readonly writeC?: number;
  readonly writer?: string;
  /** Neither memory nor a device answers there. */
  readonly absent?: true;
}

/** What memory knows of a place: who wrote it last, through which C-bit. */
function written(boot: Boot, address: Pa): Pick<Clash, 'writeC' | 'writer'> {
  const last = boot.machine.lastWrite(address);
  if (last === undefined) return {};
  const name = boot.recorder.nameOf(last.origin) ?? '';
  return { writeC: cOf(last.key), writer: name === '' ? NOBODY : name };
}

/** Where the bytes of a look stood: the read that gave them, else one with the same bytes. */
function placeOf(
  reads: readonly ReadOf[],
  { bytes, at }: ReadCheck,
): { pa: Pa; c: number } | undefined {
  const backwards = [...reads].reverse();
  const found =
    backwards.find((read) => read.bytes === bytes) ??
    backwards.find((read) => bytes.length > 0 && startsWith(read.bytes, bytes));
  let left = at ?? 0;
  for (const piece of found?.pieces ?? []) {
    if (left < piece.length) return { pa: pa(piece.pa + left), c: piece.c };
    left -= piece.length;
  }
  return undefined;
}

/** A look that did not find what was put, with both sides of the place where it first differs. */
export function wrongRead(boot: Boot, look: ReadCheck): WrongRead {
  const { name, by: reader } = look;
  const place = placeOf(boot.kernel.trace.reads ?? [], look);
  if (place === undefined) return { name, reader };
  return { name, reader, readC: place.c, pa: hex(place.pa), ...written(boot, place.pa) };
}

/** On the way to an address: the first table whose entry was written through another key than the walk reads it with. */
export function clashOnWalk(
  boot: Boot,
  cpu: Cpu,
  address: Va,
): (Clash & { what: string }) | undefined {
  for (const { level, at, key, absent } of cpu.traceWalk(address)) {
    const what = `${level} entry ${hex(at)}`;
    if (absent) return { what, pa: at, readC: cOf(key), absent };
    const side = written(boot, at);
    if (side.writeC === cOf(key)) continue;
    return { what, pa: at, readC: cOf(key), ...side };
  }
  const found = cpu.translate(address);
  if ('vector' in found) return undefined;
  const side = written(boot, found.pa);
  if (side.writeC === cOf(found.key)) return undefined;
  return { what: `memory ${hex(found.pa)}`, pa: found.pa, readC: cOf(found.key), ...side };
}

/** A clash as the end of a sentence that has named the reader. */
export function clashText({
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
  if (absent === true) return `${read}; nothing is there, it reads as all ones`;
  if (writer === undefined) return `${read}; nobody wrote it`;
  if (writeC === readC) return `${read}; ${writer} wrote it so`;
  return `${read}; ${writer} wrote it with C=${String(writeC ?? 0)}`;
}
