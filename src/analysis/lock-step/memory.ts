/** The bytes of two machines' DRAM, each decrypted under the key of its last write, compared. */
import { equalBytes } from '../../base/bytes.js';
import {
  KEY_PLAIN,
  LINE_SIZE,
  PAGE_SIZE,
  pa,
  paAdd,
  type KeyId,
  type Pa,
} from '../../machine/address.js';
import type { Machine } from '../../machine/machine.js';

/** Bytes that differ without a gap, in lines that have the same keys. */
export interface MemoryDifference {
  readonly at: Pa;
  readonly image: Uint8Array;
  readonly model: Uint8Array;
  /** The keys of the last writes; undefined: the line was never written. */
  readonly imageKey: KeyId | undefined;
  readonly modelKey: KeyId | undefined;
}

const LINES = PAGE_SIZE / LINE_SIZE;

/** A line under the key of its last write. */
function lineIn({ dram }: Machine, at: Pa): { key: KeyId | undefined; bytes: Uint8Array } {
  const key = dram.lastWrite(at)?.key;
  const bytes = new Uint8Array(LINE_SIZE);
  dram.read(at, key ?? KEY_PLAIN, bytes, 0, LINE_SIZE);
  return { key, bytes };
}

/** The runs of differing bytes of two lines; the whole lines where their keys differ. */
function inLine(image: Machine, model: Machine, at: Pa): MemoryDifference[] {
  const [a, b] = [lineIn(image, at), lineIn(model, at)];
  const keys = { imageKey: a.key, modelKey: b.key };
  const part = (from: number, to: number): MemoryDifference => ({
    at: paAdd(at, from),
    image: a.bytes.slice(from, to),
    model: b.bytes.slice(from, to),
    ...keys,
  });
  // A line that one of them never wrote can have the same bytes: then nothing differs.
  if (a.key !== b.key && !(a.key === undefined || b.key === undefined)) return [part(0, LINE_SIZE)];
  const found: MemoryDifference[] = [];
  for (let from = 0; from < LINE_SIZE; from++) {
    if (a.bytes[from] === b.bytes[from]) continue;
    let to = from + 1;
    while (to < LINE_SIZE && a.bytes[to] !== b.bytes[to]) to++;
    found.push(part(from, to));
    from = to;
  }
  return found;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** The differences of all pages, ascending; runs that meet at the end of a line are joined. Caches are written back before. */
export function memoryDifferences(image: Machine, model: Machine): MemoryDifference[] {
  const pages = [...new Set([...image.dram.touched(), ...model.dram.touched()])];
  const found: MemoryDifference[] = [];
  for (const page of pages.sort((a, b) => a - b)) {
    const start = pa(page * PAGE_SIZE);
    const [a, b] = [image.dram.lastWrites(page)?.keys, model.dram.lastWrites(page)?.keys];
    const sameKeys = a !== undefined && b !== undefined && equalBytes(a, b);
    // The same ciphertext under the same keys is the same plaintext.
    if (
      sameKeys &&
      equalBytes(image.dram.peek(start, PAGE_SIZE), model.dram.peek(start, PAGE_SIZE))
    )
      continue;
    for (let line = 0; line < LINES; line++) {
      for (const each of inLine(image, model, paAdd(start, line * LINE_SIZE))) {
        const last = found.at(-1);
        const meets =
          last !== undefined &&
          last.at + last.image.length === each.at &&
          last.imageKey === each.imageKey &&
          last.modelKey === each.modelKey;
        if (!meets) found.push(each);
        else {
          const image = join(last.image, each.image);
          found[found.length - 1] = { ...last, image, model: join(last.model, each.model) };
        }
      }
    }
  }
  return found;
}
