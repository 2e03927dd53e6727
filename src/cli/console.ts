/** The serial console of an executed boot, printed line by line while it grows. */
import { printable } from '../base/printable.js';
import type { Uart16550 } from '../machine/devices/uart-16550.js';
import type { Result } from './output.js';

export class Console {
  /** Characters that are printed. */
  private printed: number;

  /** What the port has sent before is not printed, but for a line that is not at its end. */
  constructor(
    private readonly uart: Uart16550,
    private readonly out: Result,
  ) {
    this.printed = uart.text.lastIndexOf('\n') + 1;
  }

  /** Whether there is a whole line that is not printed. */
  get pending(): boolean {
    return this.uart.text.indexOf('\n', this.printed) >= 0;
  }

  /** Prints the whole lines that are new. */
  print(): void {
    const end = this.uart.text.lastIndexOf('\n') + 1;
    if (end > this.printed) this.lines(end);
  }

  /** Prints the rest, also where its line is not at its end. */
  end(): void {
    this.print();
    if (this.printed === this.uart.text.length) return;
    this.lines(this.uart.text.length);
    this.out.print('\n');
  }

  private lines(end: number): void {
    const text = this.uart.text.slice(this.printed, end);
    this.printed = end;
    this.out.print(
      text
        .split('\n')
        .map((line) => printable(line.replace(/\r/g, '')))
        .join('\n'),
    );
  }
}
