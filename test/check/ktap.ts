/**
 * Reads KTAP by the rules of Linux tools/testing/kunit/kunit_parser.py: a test that begins with a version line or a
 * `# Subtest:` line has subtests, as many as its plan says, and ends with a result line of the same name. Indentation is
 * not significant there; it is checked here, by Documentation/dev-tools/ktap.rst ("each level is indented by two
 * spaces").
 */

/** A test with its subtests. */
export interface KtapTest {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'skipped' | 'none';
  readonly log: readonly string[];
  readonly tests: readonly KtapTest[];
}

/** The tests of a log, and what the parser complains about. */
export interface Ktap {
  readonly tests: readonly KtapTest[];
  readonly errors: readonly string[];
}

// KTAP_END is searched anywhere in a line, the others from its beginning.
const END = /(?:List of all partitions:|Kernel panic - not syncing: VFS:|reboot: System halted)/;
const VERSION = /^\s*KTAP version ([0-9]+)$/;
const HEADER = /^\s*# Subtest: (.*)$/;
const PLAN = /^\s*1\.\.([0-9]+)/;
const RESULT = /^\s*(ok|not ok) ([0-9]+) (?:- )?([^#]*)( # .*)?$/;
const SKIP = /^\s*(?:ok|not ok) [0-9]+ (?:- )?(.*) # SKIP(.*)$/;

class Reader {
  readonly errors: string[] = [];
  private at = 0;

  constructor(private readonly lines: readonly string[]) {}

  main(): KtapTest[] {
    this.diagnostics();
    if (this.take(VERSION)?.[1] !== '1') this.errors.push('no version line');
    const count = this.plan();
    const tests = this.tests(count, '', 0);
    if (this.at < this.lines.length) this.errors.push(`left: ${this.lines[this.at] ?? ''}`);
    return tests;
  }

  private take(what: RegExp): RegExpExecArray | undefined {
    const found = what.exec(this.lines[this.at] ?? '');
    if (found === null) return undefined;
    this.at += 1;
    return found;
  }

  private diagnostics(): string[] {
    const from = this.at;
    while (
      this.at < this.lines.length &&
      ![VERSION, HEADER, PLAN, RESULT].some((what) => what.test(this.lines[this.at] ?? ''))
    ) {
      this.at += 1;
    }
    return this.lines.slice(from, this.at);
  }

  private plan(): number {
    const [, count] = this.take(PLAN) ?? [];
    if (count === undefined) this.errors.push('no plan');
    return Number(count ?? 0);
  }

  private tests(count: number, parent: string, depth: number): KtapTest[] {
    const tests: KtapTest[] = [];
    for (let number = 1; number <= count; number++) {
      const log = this.diagnostics();
      const next = RESULT.exec(this.lines[this.at] ?? '');
      if (this.at >= this.lines.length || (depth > 0 && next?.[3] === parent)) {
        this.errors.push(`${parent}: missing ${String(count - number + 1)} subtests`);
        break;
      }
      tests.push(this.test(number, log, depth));
    }
    return tests;
  }

  private test(number: number, log: readonly string[], depth: number): KtapTest {
    const first = this.lines[this.at] ?? '';
    const version = this.take(VERSION);
    const header = this.take(HEADER);
    let tests: KtapTest[] = [];
    if (version !== undefined || header !== undefined) {
      if (!new RegExp(`^ {${String(2 * depth + 2)}}\\S`).test(first))
        this.errors.push(`indent: ${first}`);
      const more = this.diagnostics();
      if (more.length > 0) this.errors.push(`before the plan: ${more.join()}`);
      tests = this.tests(this.plan(), header?.[1] ?? '', depth + 1);
      if (tests.length === 0) this.errors.push('no subtests');
      this.diagnostics();
    }
    const line = this.lines[this.at] ?? '';
    const result = this.take(RESULT);
    if (result === undefined) {
      this.errors.push(`no result: ${line}`);
      return { name: '', status: 'none', log, tests };
    }
    if (!new RegExp(`^ {${String(2 * depth)}}\\S`).test(line)) this.errors.push(`indent: ${line}`);
    const [, word, index, named] = result;
    const skip = SKIP.exec(line);
    const name = skip?.[1] ?? named ?? '';
    if (Number(index) !== number) this.errors.push(`number: ${line}`);
    if (header !== undefined && name !== header[1])
      this.errors.push(`missing result of ${header[1] ?? ''}`);
    return { name, status: skip ? 'skipped' : word === 'ok' ? 'ok' : 'failed', log, tests };
  }
}

/** Parses a log. */
export function ktapOf(text: string): Ktap {
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.trimEnd());
  const end = lines.findIndex((line) => END.test(line));
  const reader = new Reader(end < 0 ? lines : lines.slice(0, end));
  return { tests: reader.main(), errors: reader.errors };
}
