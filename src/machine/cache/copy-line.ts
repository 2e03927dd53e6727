/** Copies of single cache lines. */
import { LINE_SIZE } from '../address.js';

const LINE_WORDS = LINE_SIZE / 4;

/**
 * Copies a line between buffers, or within one; `to` and `from` are byte offsets of whole lines. A loop, because a call
 * of a builtin costs more than copying 64 bytes.
 */
export function copyLine(target: Int32Array, to: number, source: Int32Array, from: number): void {
  let at = to / 4;
  let word = from / 4;
  for (const end = word + LINE_WORDS; word < end; word++, at++) target[at] = source[word] ?? 0;
}
