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
  /** Column, counted from 1; said only together with a line. */
  readonly column?: number;
}

/** What an {@link InputError} is made of. */
export interface InputErrorDetails {
  /** `E_` and capitals, stable across versions, for example `E_NOT_A_KERNEL`. */
  readonly code: string;
  /** Where the input is wrong; empty if the input has no file. */
  readonly place?: Place;
  /** What stands in the way, in one line, when expected and found do not say it by themselves. */
  readonly reason?: string;
  /** What would have been right. */
  readonly expected?: string;
  /** What was there instead. */
  readonly found?: string;
  /** The failure underneath (a YAML parser's, a file system's), for programs; users are not shown it. */
  readonly cause?: unknown;
}

const HEX_RADIX = 16;

/** Names a place as `vmlinuz, offset 0x202` or `boot.yaml:12:3, machine.dram.size`; '' if nothing is known. */
export function formatPlace(place: Place): string {
  const { file, path, offset, line, column } = place;
  const spot = line === undefined ? '' : `${line}${column === undefined ? '' : `:${column}`}`;
  const parts: string[] = [];
  if (file !== undefined) parts.push(spot === '' ? file : `${file}:${spot}`);
  else if (spot !== '') parts.push(`line ${spot}`);
  if (path !== undefined) parts.push(path);
  if (offset !== undefined) parts.push(`offset 0x${offset.toString(HEX_RADIX)}`);
  return parts.join(', ');
}

/** Joins a message that spans lines to one line; control characters of a hostile input become spaces. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

function compose(details: InputErrorDetails): string {
  const says: string[] = [];
  if (details.reason !== undefined) says.push(details.reason);
  const pair: string[] = [];
  if (details.expected !== undefined) pair.push(`expected ${details.expected}`);
  if (details.found !== undefined) pair.push(`found ${details.found}`);
  if (pair.length > 0) says.push(pair.join(', '));
  const where = formatPlace(details.place ?? {});
  return oneLine([details.code, where, says.join('; ')].filter((part) => part !== '').join(': '));
}

/**
 * The input (a file, a YAML value, a flag) is wrong. It carries a stable code and the place, so that a program can act
 * on it, and a one-line message, so that a person can; the command line prints that line and exits 2.
 *
 * A simulated machine's own failures (faults, panics) are not errors of this kind: they are recorded as events.
 */
export class InputError extends Error {
  override readonly name: string = 'InputError';
  readonly code: string;
  readonly place: Place;
  declare readonly reason?: string;
  declare readonly expected?: string;
  declare readonly found?: string;

  constructor(details: InputErrorDetails) {
    super(compose(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.place = details.place ?? {};
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.expected !== undefined) this.expected = details.expected;
    if (details.found !== undefined) this.found = details.found;
  }

  /** The message laid out for a terminal: the code and place on one line, then one indented line for each thing known. */
  format(): string {
    const where = oneLine(formatPlace(this.place));
    const lines = [where === '' ? this.code : `${this.code}: ${where}`];
    if (this.reason !== undefined) lines.push(`  ${oneLine(this.reason)}`);
    if (this.expected !== undefined) lines.push(`  expected: ${oneLine(this.expected)}`);
    if (this.found !== undefined) lines.push(`  found:    ${oneLine(this.found)}`);
    return lines.join('\n');
  }

  /** The same error seen from outside, where more of the place is known (a parser knows the offset, its caller the file). */
  within(outer: Place): InputError {
    return new InputError({
      code: this.code,
      place: { ...outer, ...this.place },
      ...(this.reason !== undefined && { reason: this.reason }),
      ...(this.expected !== undefined && { expected: this.expected }),
      ...(this.found !== undefined && { found: this.found }),
      cause: this.cause,
    });
  }
}
