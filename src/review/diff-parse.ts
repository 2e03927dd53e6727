/** Reads unified diffs as git writes them into mails, strictly: each hunk has the lines that its header counts. */
import { diffPath } from './diff-path.js';

/** Characters of a line that is read for names (our choice). */
export const LONGEST_LINE = 1000;

export interface DiffLine {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
  /** Its line in the old file; 0 for an added one. */
  readonly old: number;
  /** Its line in the new file; 0 for a removed one. */
  readonly new: number;
  /** Its index in the lines that were parsed. */
  readonly at: number;
}

export interface DiffHunk {
  readonly oldStart: number;
  readonly newStart: number;
  /** What git shows after the second `@@`: the last line before the hunk that begins with a name. */
  readonly heading: string;
  readonly at: number;
  readonly lines: readonly DiffLine[];
}

export interface DiffFile {
  /** The path after the patch, or before it, if the file is deleted. */
  readonly path: string;
  /** The path before the patch, if it is another one. */
  readonly oldPath?: string;
  readonly how: 'changed' | 'new' | 'deleted' | 'renamed' | 'copied';
  /** The new mode, if it changes: 100755. */
  readonly mode?: string;
  /** It has a change that has no lines. */
  readonly binary: boolean;
  readonly added: number;
  readonly removed: number;
  readonly at: number;
  readonly hunks: readonly DiffHunk[];
}

/** A place where the text is no correct diff. */
export interface DiffProblem {
  readonly at: number;
  readonly reason: string;
}

export interface Diff {
  readonly files: readonly DiffFile[];
  readonly problems: readonly DiffProblem[];
  /** The index of the first line of the first file; the number of lines, if there is none. */
  readonly start: number;
}

type Draft = { -readonly [K in keyof DiffFile]: DiffFile[K] } & { hunks: DiffHunk[] };

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/;

/** What begins a file, a hunk or the end of a mail after a hunk's last line. */
const isSignature = (line: string): boolean => /^-- ?$/.test(line);

class Reader {
  readonly files: Draft[] = [];
  readonly problems: DiffProblem[] = [];
  start: number;
  private at = 0;
  private file: Draft | undefined;
  /** The first line that is too long. */
  private long: number | undefined;

  constructor(private readonly lines: readonly string[]) {
    this.start = lines.length;
  }

  read(): Diff {
    while (this.at < this.lines.length) this.next();
    for (const file of this.files) this.check(file);
    if (this.long !== undefined) {
      this.problem(`lines of more than ${LONGEST_LINE} characters are not read`, this.long);
    }
    return { files: this.files, problems: this.problems, start: this.start };
  }

  private line(ahead = 0): string {
    return this.lines[this.at + ahead] ?? '';
  }

  private problem(reason: string, at = this.at): void {
    this.problems.push({ at, reason });
  }

  private begin(path: string, oldPath = path): Draft {
    const file: Draft = {
      path,
      ...(oldPath !== path && { oldPath }),
      how: 'changed',
      binary: false,
      added: 0,
      removed: 0,
      at: this.at,
      hunks: [],
    };
    this.start = Math.min(this.start, this.at);
    this.files.push(file);
    this.file = file;
    return file;
  }

  private next(): void {
    const line = this.line();
    if (line.startsWith('diff --git ')) this.gitHeader();
    else if (/^diff --(?:cc|combined) /.test(line)) {
      this.problem('a combined diff is not read');
      this.start = Math.min(this.start, this.at);
      this.file = undefined;
      this.at++;
    } else if (this.isPair()) this.pair();
    else if (line.startsWith('@@ ')) this.hunk();
    else this.at++;
  }

  /** The lines `---` and `+++` that begin a file's hunks. */
  private isPair(): boolean {
    return (
      /^--- \S/.test(this.line()) &&
      /^\+\+\+ \S/.test(this.line(1)) &&
      this.line(2).startsWith('@@ ')
    );
  }

  private gitHeader(): void {
    const paths = diffPath.ofGitLine(this.line().slice('diff --git '.length));
    if (paths === undefined) this.problem('the paths of this line cannot be read');
    const file = this.begin(paths?.[1] ?? '', paths?.[0] ?? '');
    this.at++;
    for (; this.at < this.lines.length; this.at++) if (!this.extended(file)) return;
  }

  /** Reads an extended header line of git (git-diff, "Generating patch text with -p"); false: this is none. */
  private extended(file: Draft): boolean {
    const line = this.line();
    const [, key = '', value = ''] =
      /^(old mode|new mode|new file mode|deleted file mode|rename from|rename to|copy from|copy to|similarity index|dissimilarity index|index|Binary files|GIT binary patch)(?: (.*))?$/.exec(
        line,
      ) ?? [];
    switch (key) {
      case 'new mode':
        file.mode = value;
        return true;
      case 'new file mode':
        file.how = 'new';
        return true;
      case 'deleted file mode':
        file.how = 'deleted';
        return true;
      case 'rename from':
      case 'copy from':
        file.how = key === 'rename from' ? 'renamed' : 'copied';
        file.oldPath = diffPath.plain(value);
        return true;
      case 'rename to':
      case 'copy to':
        file.path = diffPath.plain(value);
        return true;
      case 'Binary files':
      case 'GIT binary patch':
        file.binary = true;
        return true;
      default:
        return key !== '';
    }
  }

  private pair(): void {
    const [old, now] = [diffPath.ofLine(this.line()), diffPath.ofLine(this.line(1))];
    const path = now ?? old ?? '';
    const same = this.file?.hunks.length === 0 && !this.file.binary;
    if (this.file === undefined || !same || (this.file.path !== path && this.file.path !== '')) {
      if (same && this.file !== undefined) {
        this.problem(`the diff of ${this.file.path} has the lines of ${path}`);
      }
      this.begin(path, old ?? path);
    }
    if (this.file !== undefined) {
      this.file.path = path;
      if (now === undefined) this.file.how = 'deleted';
      if (old === undefined) this.file.how = 'new';
    }
    this.at += 2;
  }

  private hunk(): void {
    const [whole, oldStart, oldLines = '1', newStart, newLines = '1', heading = ''] =
      HUNK.exec(this.line()) ?? [];
    if (whole === undefined) {
      this.problem('a line @@ without the lines of a hunk');
      this.at++;
      return;
    }
    const file = this.file;
    if (file === undefined) {
      this.problem('a hunk without a file');
      this.at++;
      return;
    }
    const at = this.at++;
    const lines = this.body(
      { old: Number(oldStart), new: Number(newStart) },
      { old: Number(oldLines), new: Number(newLines) },
      at,
    );
    file.hunks.push({
      oldStart: Number(oldStart),
      newStart: Number(newStart),
      heading: heading.trim(),
      at,
      lines,
    });
    for (const { sign } of lines) {
      if (sign === '+') file.added++;
      if (sign === '-') file.removed++;
    }
  }

  /** The lines of a hunk: as many as its header counts. */
  private body(
    number: { old: number; new: number },
    left: { old: number; new: number },
    header: number,
  ): DiffLine[] {
    const lines: DiffLine[] = [];
    const total = { ...left };
    while (left.old > 0 || left.new > 0) {
      const line = this.line();
      // Mail programs cut the space of an empty context line; git reads it so too.
      const sign = line === '' && this.at < this.lines.length ? ' ' : line[0];
      const fits =
        (sign === ' ' && left.old > 0 && left.new > 0) ||
        (sign === '+' && left.new > 0) ||
        (sign === '-' && left.old > 0);
      if (sign === '\\') {
        this.at++;
        continue;
      }
      if (!fits) {
        const read = `${total.old - left.old} old and ${total.new - left.new} new lines`;
        const told = `${total.old} and ${total.new}`;
        this.problem(`the hunk has ${read}, its header says ${told}`, header);
        return lines;
      }
      if (line.length > LONGEST_LINE) this.long ??= this.at;
      const own = sign === '+' || sign === '-' ? sign : ' ';
      lines.push({
        sign: own,
        text: line.slice(1),
        old: own === '+' ? 0 : number.old,
        new: own === '-' ? 0 : number.new,
        at: this.at,
      });
      if (own !== '+') {
        number.old++;
        left.old--;
      }
      if (own !== '-') {
        number.new++;
        left.new--;
      }
      this.at++;
    }
    const after = this.line();
    if (/^[-+]/.test(after) && !isSignature(after) && !this.isPair()) {
      this.problem('the hunk goes on after the lines that its header counts', header);
    }
    return lines;
  }

  /** Says what a whole file's hunks cannot be. */
  private check(file: Draft): void {
    const empty = file.hunks.length === 0 && !file.binary;
    if (empty && file.how === 'changed' && file.mode === undefined) {
      this.problem(`the diff of ${file.path} has no hunk`, file.at);
    }
    let end = 0;
    for (const hunk of file.hunks) {
      if (hunk.newStart < end) {
        this.problem('the hunk begins before the end of the one before it', hunk.at);
      }
      end = hunk.newStart + hunk.lines.filter(({ sign }) => sign !== '-').length;
    }
  }
}

/** The files of a diff in a text, and where it is not one. Text around it is passed over. */
export const parseDiff = (lines: readonly string[]): Diff => new Reader(lines).read();
