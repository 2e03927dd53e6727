/**
 * Finds definitions in fragments of C by the layout of the kernel's coding style: what begins in the first column is at file
 * scope, a `}` there ends it (Documentation/CodingStyle, 3).
 */
import type { Definition, DefinitionKind, Scan, SideLine } from './diff-side.js';

/** `own`: a struct or an enum, whose lines are those of its members. */
type Inside = { name: string; kind: DefinitionKind; own?: boolean } | undefined;

/** Words before `(` that are no function's name. */
const NO_NAME =
  /^(?:__attribute__|__aligned|__section|__printf|__acquires|__releases|__must_hold|__alias|__visible|__cpuidle|asm|__asm__|if|for|while|switch|return|sizeof|typeof|__typeof__|defined)$/;
/** Macros of file scope that define a variable; the index of the argument that is its name. */
const DEFINES_VARIABLE: readonly (readonly [RegExp, number])[] = [
  [/^(?:DEFINE|DECLARE)_PER_CPU\w*$/, 1],
  [/^(?:DEFINE|DECLARE)_\w+$/, 0],
  [/^LIST_HEAD$|^ATOMIC_NOTIFIER_HEAD$|^BLOCKING_NOTIFIER_HEAD$/, 0],
];
const OPTIONS = /^(?:early_param|__setup|core_param|early_param_on_off)$/;

/** Lines of the head of a definition (our choice): a function of the kernel has up to twelve. */
const LONGEST_HEAD = 32;

const IDENT = /[A-Za-z_$][\w$]*/g;

/** The text with parentheses' contents as spaces, as long as it was. */
function flat(text: string): string {
  let depth = 0;
  let result = '';
  for (const each of text) {
    if (each === ')' || each === ']') depth--;
    result += depth > 0 ? ' ' : each;
    if (each === '(' || each === '[') depth++;
  }
  return result;
}

/** The name before the first parenthesis that is a function's. */
function called(text: string): { name: string; at: number } | undefined {
  for (const { 1: name = '', index } of flat(text).matchAll(/([A-Za-z_$][\w$]*)\s*\(/g)) {
    if (!NO_NAME.test(name)) return { name, at: index };
  }
  return undefined;
}

const wordsBefore = (text: string, at: number): number =>
  (text.slice(0, at).match(IDENT) ?? []).length;

/** The names that a declaration declares: `static int a, *b[3] = { 1 }` has a and b. */
function declared(text: string): string[] {
  const open = flat(text.replace(/\{[\s\S]*$/, ''));
  return open.split(',').flatMap((part) => {
    const [, pointer] = /\(\s*\*\s*([A-Za-z_$][\w$]*)/.exec(text) ?? [];
    const before = (part.split('=')[0] ?? '')
      .replace(/\b(?:__\w+|\w*aligned\w*)\s*\([^)]*\)/g, '')
      .replace(/\b(?:__read_mostly|__ro_after_init|__initdata|__initconst|__init|__packed)\b/g, '')
      .replace(/[[(:][\s\S]*$/, '');
    const name = before.match(IDENT)?.at(-1) ?? pointer;
    return name === undefined ? [] : [name];
  });
}

/** A statement of file scope: its text and the indices of its lines. */
interface Statement {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Reads a fragment line by line. */
class CScanner {
  readonly definitions: Definition[] = [];
  readonly within: Inside[] = [];
  readonly unplaced: number[] = [];
  private at = 0;
  private inside: Inside;
  /** The last enumerator of the enum that is read. */
  private lastMember: string | undefined;

  constructor(
    private readonly lines: readonly SideLine[],
    heading: string,
  ) {
    this.inside = this.insideOf(heading);
  }

  scan(): Scan {
    while (this.at < this.lines.length) this.next();
    return { definitions: this.definitions, within: this.within, unplaced: this.unplaced };
  }

  private code(index: number): string {
    return this.lines[index]?.code ?? '';
  }

  /** What the line that git shows as a hunk's heading is the beginning of. */
  private insideOf(heading: string): Inside {
    const [, kind, tag] = /^(?:typedef\s+)?(struct|union|enum)\s+(\w+)\s*\{?$/.exec(heading) ?? [];
    if (kind !== undefined && tag !== undefined) return this.aggregate(kind, tag);
    if (/=\s*\{?\s*$|=\s*\{/.test(heading)) {
      const [name] = declared(heading);
      return name === undefined ? undefined : { name, kind: 'variable' };
    }
    const call = called(heading);
    if (call === undefined || heading.endsWith(';')) return undefined;
    if (/^[A-Z_0-9]+$/.test(call.name) && wordsBefore(heading, call.at) === 0) return undefined;
    return { name: call.name, kind: 'function' };
  }

  private aggregate(kind: string, tag: string): Inside {
    return { name: tag, kind: kind === 'enum' ? 'constant' : 'member', own: true };
  }

  /** Marks lines as within a definition. */
  private mark(from: number, to: number, inside: Inside): void {
    if (inside?.own === true) return;
    for (let i = from; i <= to; i++) this.within[i] = inside;
  }

  private next(): void {
    const code = this.code(this.at);
    if (/^\s*#\s*define\b/.test(code)) this.define();
    else if (code.endsWith('\\')) this.continued();
    else if (/^\s*#/.test(code) || code.trim() === '') this.at++;
    else if (/^\}/.test(code)) {
      this.mark(this.at, this.at, this.inside);
      this.inside = undefined;
      this.at++;
    } else if (/^\s/.test(code) || /^\w+:(?!:)/.test(code) || /^[{)]/.test(code)) this.body();
    else this.statement();
  }

  /** Lines of a macro whose first line the fragment does not show. */
  private continued(): void {
    const from = this.at;
    while (this.code(this.at).endsWith('\\')) this.at++;
    for (let i = from; i <= this.at; i++) this.unplaced.push(i);
    this.at++;
  }

  private define(): void {
    const from = this.at;
    while (this.code(this.at).endsWith('\\')) this.at++;
    const to = Math.min(this.at++, this.lines.length - 1);
    const text = this.lines
      .slice(from, to + 1)
      .map(({ code }) => code.replace(/\\$/, ''))
      .join(' ');
    const [, name, args, rest = ''] =
      /^\s*#\s*define\s+([A-Za-z_]\w*)(\([^)]*\))?\s*([\s\S]*)$/.exec(text) ?? [];
    if (name === undefined) return;
    const kind = args === undefined ? 'constant' : 'macro';
    this.definitions.push({ name, kind, index: from, text: rest.trim() });
    this.mark(from, to, { name, kind });
  }

  /** A line of a body: of a function, an initializer, a struct or an enum. */
  private body(): void {
    const { inside } = this;
    if (inside?.kind === 'member') this.member(inside.name);
    else if (inside?.kind === 'constant') this.enumerators();
    else {
      // Constants for assembly (include/linux/kbuild.h).
      const [, name] = /^\s+(?:OFFSET|DEFINE)\(\s*(\w+)\s*,/.exec(this.code(this.at)) ?? [];
      if (name !== undefined) {
        this.definitions.push({ name, kind: 'constant', index: this.at });
      }
      if (inside === undefined) this.unplaced.push(this.at);
      this.mark(this.at, this.at++, inside);
    }
  }

  private member(struct: string): void {
    const from = this.at;
    let text = this.code(this.at++);
    while (
      !/[;{}]\s*$/.test(text) &&
      this.at < Math.min(this.lines.length, from + LONGEST_HEAD) &&
      /^\s/.test(this.code(this.at))
    ) {
      text += ` ${this.code(this.at++)}`;
    }
    const [, pointer] = /\(\s*\*\s*(\w+)\s*\)\s*\(/.exec(text) ?? [];
    const names = pointer !== undefined ? [pointer] : text.includes(';') ? declared(text) : [];
    for (const name of names) {
      this.definitions.push({ name: `${struct}.${name}`, kind: 'member', index: from });
    }
    const [name] = names;
    if (name === undefined) return;
    this.mark(from, this.at - 1, { name: `${struct}.${name}`, kind: 'member' });
  }

  private enumerators(): void {
    const index = this.at++;
    const code = this.code(index);
    const [first] = /[A-Za-z_]\w*/.exec(code) ?? [];
    for (const part of flat(code).split(',')) {
      const [, name, value] = /^\s*([A-Za-z_]\w*)\s*(?:=\s*(.*))?$/.exec(part) ?? [];
      if (name === undefined) continue;
      const written = value === undefined ? undefined : code.slice(code.indexOf('=') + 1);
      const text =
        written?.replace(/,\s*$/, '').trim() ??
        (this.lastMember === undefined ? undefined : `(${this.lastMember}) + 1`);
      this.definitions.push({ name, kind: 'constant', index, ...(text !== undefined && { text }) });
      this.lastMember = name;
    }
    this.mark(index, index, first === undefined ? this.inside : { name: first, kind: 'constant' });
  }

  /** The lines from one that begins in the first column to the `;` or `{` that ends it. */
  private gather(): Statement {
    const from = this.at;
    let text = this.code(this.at);
    const isOpen = (): boolean => !/[;{]\s*$/.test(flat(text)) && !/[;{]/.test(flat(text));
    const end = Math.min(this.lines.length, from + LONGEST_HEAD);
    while (isOpen() && this.at + 1 < end) {
      const next = this.code(this.at + 1);
      if (/^\s*#/.test(next) || /^\}/.test(next)) break;
      this.at++;
      text += `\n${next}`;
    }
    return { text, from, to: this.at++ };
  }

  private statement(): void {
    this.inside = undefined;
    this.lastMember = undefined;
    const statement = this.gather();
    const { text, from, to } = statement;
    const top = flat(text);
    const [, kind, tag] = /^(?:typedef\s+)?(struct|union|enum)\s+(\w+)?\s*\{/.exec(text) ?? [];
    if (kind !== undefined) {
      this.inside = this.aggregate(kind, tag ?? 'anonymous');
      this.mark(from, to, this.inside);
      if (/\}/.test(text)) this.inside = undefined;
    } else if (/^[^{;]*=/.test(top) || (/;/.test(top) && !top.includes('{'))) {
      this.declaration(statement);
    } else this.function(statement);
  }

  private function({ text, from, to }: Statement): void {
    const call = called(text);
    if (call === undefined) return;
    const asMacro = /^[A-Z_0-9]+$/.test(call.name) && wordsBefore(text, call.at) === 0;
    if (asMacro && !text.includes('{')) return;
    const name = /^SYSCALL_DEFINE/.test(call.name)
      ? `sys_${/\(\s*(\w+)/.exec(text)?.[1] ?? ''}`
      : call.name;
    const line = from + text.slice(0, call.at).split('\n').length - 1;
    const oneLine = /\{[^{}]*\}\s*$/.test(text);
    const stub = oneLine ? /\{\s*(?:return\b[^;{}]*;)?\s*\}\s*$/.test(text) : this.isStub(to);
    this.definitions.push({ name, kind: 'function', index: line, ...(stub && { stub }) });
    this.mark(from, to, { name, kind: 'function' });
    this.inside = oneLine ? undefined : { name, kind: 'function' };
  }

  /** Whether the body after a line is empty or one return statement. */
  private isStub(brace: number): boolean {
    const body: string[] = [];
    for (let i = brace + 1; i < this.lines.length; i++) {
      const code = this.code(i);
      if (/^\}/.test(code)) return body.length === 0 || /^return\b[^;]*;$/.test(body.join(' '));
      if (code.trim() !== '') body.push(code.trim());
      if (body.length > 2) return false;
    }
    return false;
  }

  /** A variable, a prototype, or a macro with arguments. */
  private declaration({ text, from, to }: Statement): void {
    const call = called(text);
    const words = call === undefined ? 0 : wordsBefore(text, call.at);
    const opens = /\{/.test(text) && !/\}/.test(text);
    const isCall = call !== undefined && !/^[^(]*=/.test(text);
    const args = (/\(([\s\S]*)\)/.exec(text)?.[1] ?? '').split(',').map((each) => each.trim());
    const variable = DEFINES_VARIABLE.find(([pattern]) => isCall && pattern.test(call.name));
    const add = (name: string, kind: DefinitionKind, declares: boolean): void => {
      this.definitions.push({ name, kind, index: from, ...(declares && { declares }) });
      this.mark(from, to, { name, kind });
      if (opens) this.inside = { name, kind };
    };
    if (isCall && OPTIONS.test(call.name)) {
      const raw = this.lines
        .slice(from, to + 1)
        .map((line) => line.raw)
        .join(' ');
      const [, option] = /\(\s*"([^"]+)"/.exec(raw) ?? [];
      if (option !== undefined) add(option.replace(/=$/, ''), 'option', false);
    } else if (variable !== undefined) {
      const name = /^\w+/.exec(args[variable[1]] ?? '')?.[0];
      if (name !== undefined) add(name, 'variable', /^DECLARE/.test(call?.name ?? ''));
    } else if (isCall && words > 0) {
      // `int f(void);` declares a function; `unsigned long x __section(.data);` has an attribute.
      add(call.name, 'function', true);
    } else if (!isCall && !/^(?:typedef|struct \w+;|enum \w+;|union \w+;)/.test(text)) {
      for (const name of declared(text)) add(name, 'variable', /^extern\b/.test(text));
    }
  }
}

/** The definitions in a fragment of C, and which of them each line is within. */
export const scanC = (lines: readonly SideLine[], heading: string): Scan =>
  new CScanner(lines, heading).scan();
