/** Progress of a command on stderr, if that is a terminal and the command has been silent for a while. */
import { printable } from '../base/printable.js';
import { shortened } from './fit.js';
import type { Io } from './io.js';
import { columnsOf, hasCursor } from './terminal.js';

/** Milliseconds of silence before the first progress, and between two redrawn steps (our choice). */
const SILENCE = 1000;
const REDRAW = 100;
/** Milliseconds between two lines of progress on a terminal without a cursor that moves (our choice). */
const BETWEEN_LINES = 5000;

/** Returns to the first column and erases the line (ECMA-48 8.3.41, EL). */
const ERASE = '\r\u001b[K';

/** The progress of one command: an item of several, and the boot step within it. */
export class Progress {
  private item = '';
  /** Since when nothing was written. */
  private silentSince: number;
  /** When the status was drawn last; undefined: none is shown. */
  private drawn: number | undefined;
  private lastLine = -Infinity;

  constructor(
    private readonly io: Io,
    /** Milliseconds of silence before the first status; 0: at once. */
    private readonly silence = SILENCE,
  ) {
    this.silentSince = this.now();
  }

  /** Begins item `done` (from 0) of `total`. */
  next(done: number, total: number, what: string): void {
    this.show(total > 1 ? `[${String(done + 1)}/${String(total)}] ${what}` : what);
  }

  /** Begins an item, in words of its own. */
  show(item: string): void {
    this.item = item;
    this.draw(item, 0);
  }

  /** Begins a step of the item: a label of a boot. */
  readonly step = (label: string): void => {
    this.draw(this.item === '' ? label : `${this.item}: ${label}`, REDRAW);
  };

  /** Erases the status: before the command writes, and at its end. */
  clear(): void {
    if (this.drawn !== undefined) this.io.stderr.write(ERASE);
    this.drawn = undefined;
    this.silentSince = this.now();
  }

  private now(): number {
    return (this.io.now ?? performance.now.bind(performance))();
  }

  /** Shows a status if it is time: `interval` milliseconds after the last one. */
  private draw(text: string, interval: number): void {
    const { io } = this;
    if (!io.stderr.isTTY) return;
    const now = this.now();
    const columns = (columnsOf(io, io.stderr) ?? Infinity) - 1;
    if (!hasCursor(io, io.stderr)) {
      if (now - this.silentSince < SILENCE || now - this.lastLine < BETWEEN_LINES) return;
      this.lastLine = now;
      io.stderr.write(`${shortened(printable(text), columns)}\n`);
      return;
    }
    const since = this.drawn ?? this.silentSince;
    if (now - since < (this.drawn === undefined ? this.silence : interval)) return;
    this.drawn = now;
    io.stderr.write(`${ERASE}${shortened(printable(text), columns)}`);
  }
}
