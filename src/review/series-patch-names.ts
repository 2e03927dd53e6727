/** Compares the names of a patch record with those of a posted patch, both ways. */
import type { NamedChange, NameKind } from '../series/record.js';
import { evaluateConstant, sameBits, type Lookup } from './constant.js';
import { hasNoNames, languageOf, tokensIn, unplacedIn, type DiffName } from './diff-names.js';
import { sideOf } from './diff-side.js';
import type { DiffFile } from './diff-parse.js';
import type { PatchContext } from './series-patch.js';
import type { Row } from './result.js';

/** Kinds that a fragment of source does not tell apart. */
const CLASS: Readonly<Record<NameKind, string>> = {
  function: 'function',
  variable: 'function',
  label: 'function',
  macro: 'macro',
  constant: 'macro',
  member: 'member',
  config: 'config',
  option: 'option',
};

/** Whether a kind that a fragment shows can be that of a record, in a file. */
function isKind(recorded: NameKind, found: NameKind, file: string): boolean {
  if (recorded === found || CLASS[recorded] !== CLASS[found]) return recorded === found;
  // A symbol of assembly is a function or a variable by its section, which a fragment may not show.
  return CLASS[recorded] === 'macro' || languageOf(file) === 'assembly';
}

const bare = (name: string): string => name.replace(/^CONFIG_/, '').replace(/=$/, '');

/** Whether a record's name is one of a diff. */
const isName = (recorded: string, found: string): boolean =>
  recorded === found ||
  bare(recorded) === bare(found) ||
  (found.includes('.') && !recorded.includes('.') && found.endsWith(`.${recorded}`));

const entryKey = (list: 'adds' | 'changes', index: number): string => `${list}.${index}`;

/** The tokens of a file's lines of some signs, and of its hunks' headings. */
function hasToken(file: DiffFile, name: string, signs: readonly ('+' | '-')[]): boolean {
  const wanted = bare(name.slice(name.indexOf('.') + 1));
  return file.hunks.some(
    (hunk) =>
      signs.some((sign) =>
        sideOf(hunk, sign === '+' ? 'new' : 'old', 'c', true).some(
          ({ code, changed }) => changed && tokensIn(code).some((token) => bare(token) === wanted),
        ),
      ) ||
      (signs.length > 1 && tokensIn(hunk.heading).includes(wanted)),
  );
}

const text = (value: bigint): string =>
  value > 0xffffn ? `0x${value.toString(16)}` : value.toString();

/** The claims of one entry. */
class Entry {
  constructor(
    private readonly context: PatchContext,
    private readonly list: 'adds' | 'changes',
    private readonly index: number,
    readonly entry: NamedChange,
  ) {}

  private get key(): string {
    return entryKey(this.list, this.index);
  }

  /** The names of the diff that are this entry's. */
  matches(file = this.entry.file): DiffName[] {
    return this.context.names.filter(
      (each) => each.file === file && isName(this.entry.name, each.name),
    );
  }

  rows(): Row[] {
    const name = this.nameRow();
    const found = name.state === 'agrees' || name.state === 'not modelled';
    return found ? [name, ...this.valueRow(), ...this.usesRow()] : [name];
  }

  private nameRow(): Row {
    const { name, file, kind, notModelled } = this.entry;
    const row = (
      state: Row['state'],
      more: Partial<Pick<Row, 'expected' | 'found' | 'note'>>,
      place?: DiffName,
    ): Row =>
      this.context.row({
        about: 'name',
        claim: `${name}: ${kind} ${this.list === 'adds' ? 'added' : 'changed'} in ${file}`,
        state,
        key: this.key,
        ...(place !== undefined && { at: place.at }),
        ...more,
      });
    const agrees = (place?: DiffName, note?: string): Row =>
      notModelled === undefined
        ? row('agrees', note === undefined ? {} : { note }, place)
        : row('not modelled', { note: notModelled }, place);
    const diff = this.context.files.find(({ path }) => path === file);
    const here = this.matches();
    const [first] = here;
    const good = here.filter(({ defined }) => this.list === 'changes' || defined);
    if (good.length > 0) {
      const fits = good.find(({ kinds }) => kinds.some((each) => isKind(kind, each, file)));
      if (fits !== undefined) return agrees(fits);
      return row('differs', { expected: kind, found: good[0]?.kinds.join(', ') ?? '' }, good[0]);
    }
    const elsewhere = this.context.names.find(
      (each) => isName(name, each.name) && each.defined && !each.slight,
    );
    if (elsewhere !== undefined && elsewhere.file !== file) {
      return row('differs', { expected: file, found: elsewhere.file }, elsewhere);
    }
    if (first !== undefined) {
      return row('differs', { expected: 'added', found: first.how }, first);
    }
    if (diff === undefined) return row('missing', { found: `no diff of ${file}` });
    if (this.list === 'changes' && hasToken(diff, name, ['+', '-'])) {
      return agrees(undefined, 'in a heading or a changed line');
    }
    if (this.list === 'adds' && hasToken(diff, name, ['+'])) {
      return row('differs', { expected: 'a definition', found: 'uses only' });
    }
    const [hidden] = this.list === 'changes' && diff !== undefined ? unplacedIn(diff) : [];
    if (hidden !== undefined) {
      const note = `the diff does not show what line ${hidden.line} is part of`;
      return row('not checked', { note });
    }
    const inFunction = this.context.names.some(
      (each) => each.file === file && each.kinds.includes('function') && each.how === 'changed',
    );
    if (this.list === 'changes' && kind === 'variable' && inFunction) {
      const note = 'the diff has lines of functions, and not the name: it may be static in one';
      return row('not checked', { note });
    }
    return row('missing', {});
  }

  private valueRow(): Row[] {
    const { name, value } = this.entry;
    if (value === undefined) return [];
    const expected = BigInt(value);
    const names = this.matches();
    const texts = names.flatMap((each) => each.texts);
    const [place] = names;
    const row = (state: Row['state'], more: Partial<Pick<Row, 'found' | 'note'>>): Row =>
      this.context.row({
        about: 'value',
        claim: `${name} = ${text(expected)}`,
        state,
        key: `${this.key}.value`,
        expected: text(expected),
        ...(place !== undefined && { at: place.at }),
        ...more,
      });
    const results = texts.map((each) => evaluateConstant(each, this.context.lookup));
    if (results.some((each) => 'value' in each && sameBits(each.value, expected))) {
      return [row('agrees', { found: text(expected) })];
    }
    const values = results.flatMap((each) => ('value' in each ? [text(each.value)] : []));
    if (values.length > 0) return [row('differs', { found: values.join(', ') })];
    const reasons = results.flatMap((each) => ('reason' in each ? [each.reason] : []));
    return [row('not checked', { note: reasons[0] ?? 'the added lines have no value of it' })];
  }

  private usesRow(): Row[] {
    const { name, uses } = this.entry;
    if (uses === undefined) return [];
    const names = this.matches();
    const definitions = names.flatMap((each) => each.texts);
    if (definitions.length === 0) return [];
    const used = new Set(definitions.flatMap(tokensIn));
    const absent = uses.filter((each) => !used.has(each));
    const [place] = names;
    return [
      this.context.row({
        about: 'value',
        claim: `${name}: uses ${uses.join(', ')}`,
        state: absent.length === 0 ? 'agrees' : 'differs',
        key: `${this.key}.uses`,
        ...(absent.length > 0 && {
          expected: uses.join(', '),
          found: [...used].join(', '),
          note: `not used: ${absent.join(', ')}`,
        }),
        ...(place !== undefined && { at: place.at }),
      }),
    ];
  }
}

/** How much of a diff the record covers: counts of its names. */
export interface Coverage {
  readonly modelled: number;
  readonly notModelled: number;
  readonly unrecorded: number;
}

/** Rows for all names of a record, and for the diff's names that it does not have; and the coverage of the diff. */
export function compareNames(context: PatchContext): { rows: Row[]; coverage: Coverage } {
  const { record } = context.record;
  const entries = [
    ...record.adds.map((entry, i) => new Entry(context, 'adds', i, entry)),
    ...record.changes.map((entry, i) => new Entry(context, 'changes', i, entry)),
  ];
  const rows = entries.flatMap((entry) => entry.rows());
  const coverage = { modelled: 0, notModelled: 0, unrecorded: 0 };
  for (const name of context.names) {
    const entry =
      entries.find((each) => each.entry.file === name.file && isName(each.entry.name, name.name)) ??
      (name.slight ? entries.find((each) => isName(each.entry.name, name.name)) : undefined);
    if (entry === undefined) {
      coverage.unrecorded++;
      rows.push(
        context.row({
          about: 'name',
          claim: `${name.name}: ${name.kinds.join(', ')} ${name.how} in ${name.file}:${name.line}`,
          state: 'not recorded',
          at: name.at,
        }),
      );
    } else if (entry.entry.file !== name.file) continue;
    else if (entry.entry.notModelled === undefined) coverage.modelled++;
    else coverage.notModelled++;
  }
  const hidden = new Set(
    rows.flatMap(({ state, record: of }) => (state === 'not checked' ? of.path : [])),
  );
  for (const file of context.files) {
    const isKnown = record.changes.some(
      (entry, i) => entry.file === file.path && hidden.has(entryKey('changes', i)),
    );
    for (const { line, at } of isKnown ? [] : unplacedIn(file)) {
      const claim = `${file.path}:${line}: what is changed here`;
      const note = 'the diff does not show what the line is part of';
      rows.push(context.row({ about: 'name', claim, state: 'not checked', note, at }));
    }
  }
  for (const { path, at, binary, hunks } of context.files) {
    if (binary || hunks.length === 0 || languageOf(path) !== undefined || hasNoNames(path))
      continue;
    rows.push(
      context.row({
        about: 'name',
        claim: `names of ${path}`,
        state: 'not checked',
        note: 'names are read in C, assembly, Kconfig and kernel-parameters',
        at,
      }),
    );
  }
  return { rows, coverage };
}

/** What is known of a constant in a patch: its own definitions, those of earlier patches, values of records. */
export function lookupIn(
  definitions: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, bigint>,
): Lookup {
  return (name) => definitions.get(name) ?? values.get(name);
}
