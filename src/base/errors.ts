import { oneLine } from './printable.js';

/**
 * Where bad input was found. Every part is optional: a flag on the command line has none of them, a YAML scenario has
 * a file and a path, a kernel image a file and a byte offset.
 */
export interface Place {
  /** The file as the user named it. */
  readonly file?: string;
  /** The path of the value inside a YAML document, for example `machine.dram.size`. */
  readonly path?: string;
  /** Byte offset from the start of the file. */
  readonly offset?: number;
  /** Line, counted from 1. */
  readonly line?: number;
  /** Column, counted from 1; printed only together with a line. */
  readonly column?: number;
}

/** The parts of an {@link InputError}. */
export interface InputErrorDetails {
  /** `E_` and capitals, stable across versions, for example `E_NOT_A_KERNEL`. */
  readonly code: string;
  /** Where the input is wrong; empty if the input has no file. */
  readonly place?: Place;
  /** The reason, in one line, where expected and found do not give it. */
  readonly reason?: string;
  /** The value or form that the input should have. */
  readonly expected?: string;
  /** The value that the input has. */
  readonly found?: string;
  /** Names that may be meant instead of a misspelt one: `09/initrd`, `a or b`. */
  readonly suggestion?: string;
  /** The underlying error (a YAML parser's, a file system's), for programs; it is not printed. */
  readonly cause?: unknown;
}

const HEX_RADIX = 16;

/** A place as text: `vmlinuz, offset 0x202` or `boot.yaml:12:3, machine.dram.size`; '' if it is empty. */
export function formatPlace(place: Place): string {
  const { file, path, offset, line, column } = place;
  const lineAndColumn =
    line === undefined ? '' : `${line}${column === undefined ? '' : `:${column}`}`;
  const parts: string[] = [];
  if (file !== undefined) parts.push(lineAndColumn === '' ? file : `${file}:${lineAndColumn}`);
  else if (lineAndColumn !== '') parts.push(`line ${lineAndColumn}`);
  if (path !== undefined) parts.push(path);
  if (offset !== undefined) parts.push(`offset 0x${offset.toString(HEX_RADIX)}`);
  return parts.join(', ');
}

/** Most characters of a part of a message (LIMITS.message; limits.ts imports this module). */
const SHOWN = 2000;

/** A long text, cut. */
const short = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;

function compose(details: InputErrorDetails): string {
  const message: string[] = [];
  if (details.reason !== undefined) message.push(short(details.reason));
  const pair: string[] = [];
  if (details.expected !== undefined) pair.push(`expected ${short(details.expected)}`);
  if (details.found !== undefined) pair.push(`found ${short(details.found)}`);
  if (pair.length > 0) message.push(pair.join(', '));
  if (details.suggestion !== undefined) message.push(`did you mean ${short(details.suggestion)}?`);
  const where = short(formatPlace(details.place ?? {}));
  return oneLine(
    [details.code, where, message.join('; ')].filter((part) => part !== '').join(': '),
  );
}

/**
 * The input (a file, a YAML value, a flag) is wrong. It has a stable code and a place for programs, and a one-line
 * message for users; the command line prints the message and exits with status 2.
 *
 * Failures of the simulated machine (faults, panics) are not errors of this kind: they are recorded as events.
 */
export class InputError extends Error {
  override readonly name: string = 'InputError';
  readonly code: string;
  readonly place: Place;
  declare readonly reason?: string;
  declare readonly expected?: string;
  declare readonly found?: string;
  declare readonly suggestion?: string;

  constructor(details: InputErrorDetails) {
    super(compose(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.place = details.place ?? {};
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.expected !== undefined) this.expected = details.expected;
    if (details.found !== undefined) this.found = details.found;
    if (details.suggestion !== undefined) this.suggestion = details.suggestion;
  }

  /** The message for a terminal: code and place on one line, then each other part on a line, indented. */
  format(): string {
    const where = oneLine(short(formatPlace(this.place)));
    const lines = [where === '' ? this.code : `${this.code}: ${where}`];
    if (this.reason !== undefined) lines.push(`  ${oneLine(short(this.reason))}`);
    if (this.expected !== undefined) lines.push(`  expected: ${oneLine(short(this.expected))}`);
    if (this.found !== undefined) lines.push(`  found:    ${oneLine(short(this.found))}`);
    if (this.suggestion !== undefined) {
      lines.push(`  did you mean ${oneLine(short(this.suggestion))}?`);
    }
    return lines.join('\n');
  }

  /** A copy with the parts of `outer` that this place lacks: a parser gives the offset, its caller adds the file. */
  within(outer: Place): InputError {
    return this.elsewhere({ ...outer, ...this.place });
  }

  /** A copy with another place. */
  elsewhere(place: Place): InputError {
    return new InputError({
      code: this.code,
      place,
      ...(this.reason !== undefined && { reason: this.reason }),
      ...(this.expected !== undefined && { expected: this.expected }),
      ...(this.found !== undefined && { found: this.found }),
      ...(this.suggestion !== undefined && { suggestion: this.suggestion }),
      cause: this.cause,
    });
  }
}
