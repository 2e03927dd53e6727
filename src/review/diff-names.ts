/** The names that a diff adds, changes and removes. */
import { scanC } from './diff-names-c.js';
import { scanAssembly, scanKconfig, scanParameters } from './diff-names-other.js';
import type { DiffFile, DiffHunk } from './diff-parse.js';
import {
  sideOf,
  type Definition,
  type DefinitionKind,
  type Scan,
  type SideLine,
} from './diff-side.js';

/** A name of a file that a diff touches. */
export interface DiffName {
  readonly name: string;
  /** What it is; several, if it is a macro or a function by the configuration. */
  readonly kinds: readonly DefinitionKind[];
  readonly file: string;
  /** Added and removed: its definition is in an added or a removed line; changed: both, or lines within it. */
  readonly how: 'added' | 'changed' | 'removed';
  /** Its definition or declaration is in an added line. */
  readonly defined: boolean;
  /** It is only declared, or defined as a function that does nothing. */
  readonly slight: boolean;
  /** The line of the file after the patch; before it for a removed name. */
  readonly line: number;
  /** Index of the mail's line. */
  readonly at: number;
  /** The definitions of a macro or the values of an enumerator in added lines: several with `#else`. */
  readonly texts: readonly string[];
}

type Language = 'c' | 'assembly' | 'kconfig' | 'parameters';

/** The language of a file by its path; undefined: its names are not read. */
export function languageOf(path: string): Language | undefined {
  const base = path.slice(path.lastIndexOf('/') + 1);
  if (/\.[ch]$/.test(base)) return 'c';
  if (/\.lds\.S$/.test(base)) return undefined;
  if (/\.[sS]$/.test(base)) return 'assembly';
  if (/^Kconfig/.test(base)) return 'kconfig';
  return /^kernel-parameters\.(?:txt|rst)$/.test(base) ? 'parameters' : undefined;
}

/** Files that define no names, by path: rules of make, text. */
export const hasNoNames = (path: string): boolean =>
  /(?:^|\/)(?:Makefile|Kbuild|MAINTAINERS|\.gitignore)[\w.]*$|^Documentation\//.test(path) &&
  languageOf(path) === undefined;

function scan(language: Language, lines: readonly SideLine[], heading: string): Scan {
  switch (language) {
    case 'c':
      return scanC(lines, heading);
    case 'assembly':
      return scanAssembly(lines, heading);
    case 'kconfig':
      return scanKconfig(lines, heading);
    case 'parameters':
      return scanParameters(lines);
  }
}

/** What is gathered of a name. */
interface Draft {
  kind: DefinitionKind;
  added: { definition: Definition; line: SideLine }[];
  removed: { definition: Definition; line: SideLine }[];
  /** Its definitions that the fragments show, changed or not. */
  shown: Definition[];
  /** The first changed lines within it, after and before the patch. */
  inner?: SideLine;
  innerOld?: SideLine;
}

class Gatherer {
  readonly drafts = new Map<string, Draft>();
  readonly unplaced: SideLine[] = [];

  constructor(private readonly language: Language) {}

  private draft(name: string, kind: DefinitionKind): Draft {
    const found = this.drafts.get(name);
    if (found !== undefined) return found;
    const draft: Draft = { kind, added: [], removed: [], shown: [] };
    this.drafts.set(name, draft);
    return draft;
  }

  hunk(hunk: DiffHunk): void {
    for (const side of ['new', 'old'] as const) {
      const form = this.language === 'c' || this.language === 'assembly' ? 'c' : 'plain';
      const lines = sideOf(hunk, side, form);
      const { definitions, within, unplaced } = scan(this.language, lines, hunk.heading);
      const named = new Map<string, Definition[]>();
      for (const definition of definitions) {
        const same = named.get(definition.name);
        if (same === undefined) named.set(definition.name, [definition]);
        else same.push(definition);
      }
      const first = unplaced.flatMap((i) => lines[i] ?? []).find(({ changed }) => changed);
      if (first !== undefined && side === 'new') this.unplaced.push(first);
      for (const definition of definitions) {
        const line = lines[definition.index];
        if (line?.changed !== true) continue;
        const draft = this.draft(definition.name, definition.kind);
        draft[side === 'new' ? 'added' : 'removed'].push({ definition, line });
      }
      lines.forEach((line, i) => {
        const inside = within[i];
        if (!line.changed || inside === undefined || line.code.trim() === '') return;
        const draft = this.draft(inside.name, inside.kind);
        draft.shown.push(...(named.get(inside.name) ?? []));
        named.delete(inside.name);
        if (side === 'new') draft.inner ??= line;
        else draft.innerOld ??= line;
      });
    }
  }
}

/** Whether a macro is only moved or laid out anew. */
function isSame({ added, removed }: Draft): boolean {
  const texts = (side: Draft['added']): string =>
    side.map(({ definition }) => (definition.text ?? '').replace(/\s+/g, ' ')).join('\n');
  const haveText = [...added, ...removed].every(({ definition }) => definition.text !== undefined);
  return added.length > 0 && removed.length > 0 && haveText && texts(added) === texts(removed);
}

const isSlight = (definitions: readonly Definition[]): boolean =>
  definitions.length > 0 &&
  definitions.every(({ declares, stub }) => declares === true || stub === true);

function nameOf(file: string, name: string, draft: Draft): DiffName | undefined {
  const { added, removed, shown, inner, innerOld } = draft;
  const line = added[0]?.line ?? inner ?? removed[0]?.line ?? innerOld;
  if (line === undefined || isSame(draft)) return undefined;
  const how =
    added.length > 0 && removed.length === 0
      ? 'added'
      : removed.length > 0 && added.length === 0
        ? 'removed'
        : 'changed';
  const all = [...added, ...removed].map(({ definition }) => definition);
  return {
    name,
    kinds: all.length === 0 ? [draft.kind] : [...new Set(all.map(({ kind }) => kind))],
    file,
    how,
    defined: added.length > 0,
    slight: isSlight([...all, ...shown]),
    line: line.number,
    at: line.at,
    texts: added.flatMap(({ definition: { text } }) => (text === undefined ? [] : [text])),
  };
}

/** The names of a file's diff, in the order in which they are met. */
export function namesOf(file: DiffFile): DiffName[] {
  const language = languageOf(file.path);
  if (language === undefined) return [];
  const gatherer = new Gatherer(language);
  for (const hunk of file.hunks) gatherer.hunk(hunk);
  return [...gatherer.drafts].flatMap(([name, draft]) => nameOf(file.path, name, draft) ?? []);
}

/** The first line of each hunk that changes a definition which the diff does not show. */
export function unplacedIn(file: DiffFile): { readonly line: number; readonly at: number }[] {
  const language = languageOf(file.path);
  if (language === undefined) return [];
  const gatherer = new Gatherer(language);
  for (const hunk of file.hunks) gatherer.hunk(hunk);
  return gatherer.unplaced.map(({ number, at }) => ({ line: number, at }));
}

/** The identifiers and mnemonics in a line without comments. */
export const tokensIn = (code: string): string[] => code.match(/[A-Za-z_.$%][\w.$]*/g) ?? [];
