/** Streams that no control character of the input can reach. */
import { printableColoured, printableLines } from '../base/printable.js';
import type { Io, Output } from './io.js';

/** The same output; unsafe characters are escaped, and so are colours if `coloured` is not set. */
function safe(output: Output, isColoured: () => boolean): Output {
  const write = (text: string): void => {
    output.write((isColoured() ? printableColoured : printableLines)(text));
  };
  return Object.create(output, { write: { value: write } }) as Output;
}

/** The same streams; those that no cursor move is written to are safe for any text of the input. */
export function safeIo(io: Io): Io {
  const isColoured = (): boolean => safely.paint.level > 0;
  const safely: Io = {
    ...io,
    stdout: safe(io.stdout, isColoured),
    // The status line is on stderr.
    stderr: io.stderr.isTTY ? io.stderr : safe(io.stderr, isColoured),
  };
  return safely;
}
