/** Lines of a log that a mail program or a terminal broke are joined again. */
import type { LogLine } from './log-text.js';

/** Marks of a quotation before a line. */
const QUOTE = /^(?:[>|] ?){1,16}/;
/**
 * What stands before a message, in every form that a log comes in: seconds since boot with or without CPU or thread,
 * syslog's and ISO dates, dmesg -T, log levels as numbers and as dmesg -x writes them, the hypervisor's mark.
 */
const STAMP =
  /^\s{0,8}(?:<\d{1,3}>|\[ {0,8}\d{1,8}\.\d{1,9}\]|\[?[A-Z][a-z]{2} (?:[A-Z][a-z]{2} )?[ \d]\d \d\d:\d\d:\d\d|\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|[a-z]{3,8} {0,4}:[a-z]{3,8} {0,4}:|\(XEN\))/;

/** Lines looked at to tell whether a log is wrapped, before and after the first line of interest (our choice). */
const WINDOW = { before: 60, after: 300 } as const;
/** The longest line that mail programs leave (our choice: 80 columns, and quoting marks). */
const WIDTH = 100;
/** Of stamped lines, one in so many may be longer: a word that cannot be broken. */
const RARE = 20;
const LINE_LIMIT = 8192;

const unquoted = (text: string): string => text.replace(QUOTE, '');
export const isStamped = (text: string): boolean => STAMP.test(unquoted(text));

export interface Unwrapped {
  readonly lines: readonly LogLine[];
  /** How many lines were joined to the one before. */
  readonly joined: number;
}

/** Two pieces of a line: a break after a hyphen took no blank with it, nor does a terminal's at its last column. */
const joinPieces = (first: string, next: string, hard: boolean): string => {
  const head = first.trimEnd();
  return hard || head.endsWith('-') ? head + next : `${head} ${next.trimStart()}`;
};

/** A line with the `joined` lines after it: joined at a blank, without quoting marks (`soft`), and as they are (`hard`). */
export interface Joined {
  readonly joined: number;
  readonly soft: string;
  readonly hard: string;
  /** The last of those lines; undefined for the line by itself. */
  readonly next: string | undefined;
}

/** A line by itself, then with one line after the other, up to `rest` of them or to one that begins something. */
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
    soft = joinPieces(soft, next.replace(/^[>|\s]{1,16}/, ''), false);
    hard = joinPieces(hard, next, true);
    yield { joined, soft, hard, next };
  }
}

/**
 * Joins lines without a stamp to the stamped line before, if the log is wrapped: around the line at `from` stamped
 * lines are short, and some are followed by lines without a stamp. A blank line ends what is joined.
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
        last.text = joinPieces(last.text, unquoted(text), breaks.hard);
      joined++;
      continue;
    }
    open = isStamped(text);
    whole.push({ no, text });
  }
  return { lines: whole, joined };
}

/** Whether lines are broken, and how: `hard` in the middle of words, always at the same column. */
function breaksAround(lines: readonly LogLine[], from: number): { hard: boolean } | undefined {
  const near = lines.slice(Math.max(0, from - WINDOW.before), from + WINDOW.after);
  const stamps = near.filter(({ text }) => isStamped(text));
  const long = stamps.filter(({ text }) => text.length > WIDTH).length;
  const groups = groupsOf(near.map(({ text }) => text));
  if (stamps.length < 4 || groups.length < 2 || long * RARE > stamps.length) return undefined;
  const broken = groups.flatMap((rows) => rows.slice(0, -1));
  // A break after the bracket took a blank with it, as only mail programs do.
  const soft = groups.some(
    ([row = '', next = '']) => row.endsWith(']') && /^[>|\s]{0,8}[a-zA-Z]/.test(next),
  );
  return { hard: !soft && broken.every((row) => row.length === broken[0]?.length) };
}

/** Stamped lines with the lines without a stamp that follow, as far as the next stamp. */
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
