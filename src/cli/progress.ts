/** How far a command with many boots is, on a terminal's stderr. */
import type { Io } from './io.js';

/** Shows what is done next; clears the line when all is done. */
export function progress(io: Io, done: number, total: number, what: string): void {
  statusLine(io, done < total ? `[${String(done + 1)}/${String(total)}] ${what}` : '');
}

/** Puts a text, cut to the terminal's width, in the place of the last one. */
export function statusLine(io: Io, text: string): void {
  if (!io.stderr.isTTY) return;
  io.stderr.write(`\r\u001b[K${text.slice(0, (io.stderr.columns ?? 80) - 1)}`);
}
