/** Reads the screen and checks it against the kernel's console output. Nothing in a boot depends on it. */
import { CON, type PrintkState } from '../linux/include/linux/console.js';
import { cp437 } from '../machine/devices/cp437.js';
import type { Machine } from '../machine/machine.js';
import { VGA_COLUMNS, VGA_LINES, VgaAdapter } from '../machine/devices/vga.js';
import type { Recorder } from '../trace/recorder.js';

/** The lines on a machine's screen without trailing blank ones; undefined: no screen. */
export function screenOf(machine: Machine): string[] | undefined {
  const vga = machine.bus.all.find((device) => device instanceof VgaAdapter);
  if (vga === undefined) return undefined;
  const lines = vga.render().lines.map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Rows with text: the cursor is on the last row, below the last complete line. */
const SHOWN = VGA_LINES - 1;

/** A line of the log as rows of the screen. */
function wrap(text: string): string[] {
  const line = [...new TextEncoder().encode(text)].map(cp437).join('');
  const rows: string[] = [];
  for (let at = 0; at === 0 || at < line.length; at += VGA_COLUMNS) {
    rows.push(line.slice(at, at + VGA_COLUMNS).trimEnd());
  }
  return rows;
}

const bytesOf = (lines: readonly string[]): Uint8Array =>
  new TextEncoder().encode(lines.join('\n'));

/**
 * Compares the screen with the latest output of the kernel's preferred console, as many lines as fit the screen. Lines
 * above are not checked: they are the firmware's or another console's.
 */
export function watchScreen(machine: Machine, printk: PrintkState, recorder: Recorder): void {
  const screen = screenOf(machine);
  const console = printk.drivers[0];
  if (screen === undefined || console === undefined) return;
  // Each line takes a row or more.
  const first = Math.max(console.first, printk.consoleSeq - SHOWN);
  const printed = printk.log.slice(first, printk.consoleSeq).flatMap(wrap);
  const shown = printed.slice(-SHOWN);
  const name = (console.flags & CON.BOOT) === 0 ? 'console' : 'early console';
  recorder.produced(name, bytesOf(shown));
  recorder.consumed(name, 'the screen', bytesOf(screen.slice(-shown.length)));
}
