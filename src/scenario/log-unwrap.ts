/** Joins lines of a log that a mail program or a terminal wrapped. */
import type { LogLine } from './log-text.js';

/** Quoting marks before a line. */
const QUOTE = /^(?:[>|] ?){1,16}/;
/**
 * The prefix of a message in all log formats: seconds since boot with or without CPU or thread,
 * syslog's and ISO dates, dmesg -T, log levels as numbers and as dmesg -x writes them, the hypervisor's mark.
 */
const STAMP =
  /^\s{0,8}(?:<\d{1,3}>|\[ {0,8}\d{1,8}\.\d{1,9}\]|\[?[A-Z][a-z]{2} (?:[A-Z][a-z]{2} )?[ \d]\d \d\d:\d\d:\d\d|\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|[a-z]{3,8} {0,4}:[a-z]{3,8} {0,4}:|\(XEN\))/;

/** Lines examined to detect wrapping, before and after the first relevant line (our choice). */
const WINDOW = { before: 60, after: 300 } as const;
/** Most characters of a wrapped line (our choice: 80 columns plus quoting marks). */
const WIDTH = 100;
/** At most one stamped line in this many may be longer: a word that cannot be broken (our choice). */
const RARE = 20;
const LINE_LIMIT = 8192;

const unquoted = (text: string): string => text.replace(QUOTE, '');
export const isStamped = (text: string): boolean => STAMP.test(unquoted(text));

export interface Unwrapped {
  readonly lines: readonly LogLine[];
  /** Number of lines joined to the line before. */
  readonly joined: number;
}

/** Joins two parts of a line: a break after a hyphen, or at a terminal's last column (`hard`), replaced no blank. */
const joinParts = (first: string, next: string, hard: boolean): string => {
  const head = first.trimEnd();
  return hard || head.endsWith('-') ? head + next : `${head} ${next.trimStart()}`;
};

/**
 * A line with the `joined` lines after it: joined with a blank and without quoting marks (`soft`), and unchanged
 * (`hard`).
 */
export interface Joined {
  readonly joined: number;
  readonly soft: string;
  readonly hard: string;
  /** The last of those lines; undefined for the line by itself. */
  readonly next: string | undefined;
}

/** Yields a line alone, then joined with 1, 2, … up to `rest` lines after it; stops at a line that matches `begins`. */
export function* joinings(
  lines: readonly LogLine[],
  index: number,
  rest: number,
  begins: RegExp,
): Generator<Joined> {
  let soft = lines[index]?.text ?? '';
  let hard = soft;
  yield { joined: 0, soft, hard, next: undefined };
  for (let joined = 1; joined <= rest; joined++) {
    const next = lines[index + joined]?.text;
    if (next === undefined || begins.test(next)) return;
    soft = joinParts(soft, next.replace(/^[>|\s]{1,16}/, ''), false);
    hard = joinParts(hard, next, true);
    yield { joined, soft, hard, next };
  }
}

/**
 * If the log is wrapped, joins lines without a time stamp to the stamped line before. It is wrapped if, near the line at
 * `from`, stamped lines are short and some are followed by lines without a stamp. A blank line ends a joined line.
 */
export function unwrap(lines: readonly LogLine[], from: number): Unwrapped {
  const breaks = breaksAround(lines, from);
  if (breaks === undefined) return { lines, joined: 0 };
  const whole: { no: number; text: string }[] = [];
  let open = false;
  let joined = 0;
  for (const { no, text } of lines) {
    const last = whole.at(-1);
    if (open && last !== undefined && text.trim() !== '' && !isStamped(text)) {
      if (last.text.length < LINE_LIMIT)
        last.text = joinParts(last.text, unquoted(text), breaks.hard);
      joined++;
      continue;
    }
    open = isStamped(text);
    whole.push({ no, text });
  }
  return { lines: whole, joined };
}

/** The kind of line breaks: `hard` is within words, always at the same column; undefined if lines are not wrapped. */
function breaksAround(lines: readonly LogLine[], from: number): { hard: boolean } | undefined {
  const near = lines.slice(Math.max(0, from - WINDOW.before), from + WINDOW.after);
  const stamps = near.filter(({ text }) => isStamped(text));
  const long = stamps.filter(({ text }) => text.length > WIDTH).length;
  const groups = groupsOf(near.map(({ text }) => text));
  if (stamps.length < 4 || groups.length < 2 || long * RARE > stamps.length) return undefined;
  const broken = groups.flatMap((rows) => rows.slice(0, -1));
  // A break after the bracket replaced a blank: only mail programs do that.
  const soft = groups.some(
    ([row = '', next = '']) => row.endsWith(']') && /^[>|\s]{0,8}[a-zA-Z]/.test(next),
  );
  return { hard: !soft && broken.every((row) => row.length === broken[0]?.length) };
}

/** Groups of a stamped line and the lines without a stamp after it. */
function groupsOf(lines: readonly string[]): string[][] {
  const groups: string[][] = [];
  let open: string[] | undefined;
  for (const text of lines) {
    if (isStamped(text)) {
      if (open !== undefined && open.length > 1) groups.push(open);
      open = [text];
    } else if (text.trim() === '') open = undefined;
    else open?.push(text);
  }
  return groups;
}
