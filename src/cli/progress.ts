/** Progress of a command with many boots, on stderr if it is a terminal. */
import { printable } from '../base/printable.js';
import type { Io } from './io.js';

/** Prints the next item; clears the line when all are done. */
export function progress(io: Io, done: number, total: number, what: string): void {
  statusLine(io, done < total ? `[${String(done + 1)}/${String(total)}] ${what}` : '');
}

/** Replaces the status line by a text, cut to the terminal's width. */
export function statusLine(io: Io, text: string): void {
  if (!io.stderr.isTTY) return;
  io.stderr.write(`\r\u001b[K${printable(text).slice(0, (io.stderr.columns ?? 80) - 1)}`);
}
