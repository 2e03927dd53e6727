/**
 * A source tree made from the records: each name is defined where the records have it in a release, with code of its own.
 * What a review finds in it is what the records say; a change to it is what the review must find.
 */
import type { Parser } from 'web-tree-sitter';
import { baseSource, recordSources } from '../../src/cli/records.js';
import { BASE_FILES } from '../../src/linux/index.js';
import type { FileIndex } from '../../src/review/definition.js';
import { placesIn } from '../../src/review/place.js';
import { stepsIn } from '../../src/review/release.js';
import { reviewTree, type TreeReview } from '../../src/review/review-tree.js';
import { indexFile, type Source } from '../../src/review/source.js';
import { modelNames } from '../../src/review/tree-model.js';
import type { NamedChange, NameKind } from '../../src/series/record.js';

export const records = recordSources();
export const base = baseSource().record;
export const model = BASE_FILES.flatMap(({ file, defs }) =>
  Object.keys(defs).map((name) => ({ name, file })),
);

interface Wanted {
  readonly kind: NameKind;
  readonly value: string;
}

/** The names that a macro or function uses, as `wantEntry` writes them. */
const usedIn = (value: string): string[] => (value === '' ? [] : value.split(' | '));

/** Names by file, and the pairs of words in the bodies of functions. */
class Maker {
  readonly files = new Map<string, Map<string, Wanted>>();
  readonly orders = new Map<string, [string, string][]>();

  want(file: string, name: string, kind: NameKind, value = ''): void {
    const names = this.files.get(file) ?? new Map<string, Wanted>();
    const before = names.get(name);
    if (before === undefined || value !== '') names.set(name, { kind, value });
    this.files.set(file, names);
  }

  /** The words of a function's body: each pair in its order. */
  words(file: string, name: string): string[] {
    const pairs = this.orders.get(`${file} ${name}`) ?? [];
    const left = new Set(pairs.flat());
    const sorted: string[] = [];
    while (left.size > 0) {
      const next = [...left].find((word) =>
        pairs.every(([first, then]) => then !== word || !left.has(first)),
      );
      if (next === undefined) throw new Error(`the orders of ${name} are a circle`);
      left.delete(next);
      sorted.push(next);
    }
    return sorted;
  }

  text(file: string): string {
    const names = [...(this.files.get(file) ?? [])];
    if (file.endsWith('.S')) {
      return names.map(([name, wanted]) => this.assembly(file, name, wanted)).join('');
    }
    if (/Kconfig/.test(file)) {
      return names.map(([name]) => `config ${name.replace('CONFIG_', '')}\n\tbool\n`).join('');
    }
    if (file.startsWith('Documentation/')) {
      return names.map(([name]) => `\t${name}=\tan option\n`).join('');
    }
    return names.map(([name, wanted]) => this.c(file, name, wanted)).join('');
  }

  private assembly(file: string, name: string, { kind, value }: Wanted): string {
    if (kind === 'macro' || kind === 'constant') return `#define ${name} ${value}\n`;
    if (kind === 'variable') return `${name}:\n\t.quad 0\n`;
    const used = [...this.words(file, name), ...usedIn(value)];
    const words = used.map((word) => `\tnop\t# ${word}\n\tuse ${word}\n`);
    return `${name}:\n\tnop\n${words.join('')}`;
  }

  private c(file: string, name: string, { kind, value }: Wanted): string {
    const [struct = '', member = ''] = name.split('.');
    switch (kind) {
      case 'macro':
      case 'constant':
        return `#define ${name} ${value}\n`;
      case 'variable':
        return `static unsigned long ${name} __initdata = 1;\n`;
      case 'member':
        return `struct ${struct} {\n\tint ${member};\n};\n`;
      default: {
        const used = [...this.words(file, name), ...usedIn(value)];
        const words = used.map((word) => `\t${word};\n`);
        return `static int __init ${name}(void)\n{\n${words.join('')}\treturn 0;\n}\n`;
      }
    }
  }
}

function wantEntry(maker: Maker, entry: NamedChange, release: string, value: boolean): void {
  const [place] = placesIn(entry, release, base);
  if (place.gone !== undefined) return;
  const claimed = place.value ?? entry.value;
  const text = value ? String(claimed ?? entry.uses?.join(' | ') ?? '') : '';
  maker.want(place.file, place.name, place.kind ?? entry.kind, text);
}

/** The texts of a tree of a release; `applied`: with the series as it was posted. */
export function madeTree(release: string, applied = false): Map<string, string> {
  const maker = new Maker();
  const merged = release !== '4.6';
  for (const { name, file } of modelNames(model)) {
    const named = base.names.find((each) => each.name === name && each.file === file);
    if (named?.notInSource !== undefined) continue;
    const posted = { name, file: named?.in ?? file, mainline: named?.mainline };
    const [place] = placesIn(posted, release, base);
    if (place.gone === undefined) maker.want(place.file, place.name, place.kind ?? 'function');
  }
  for (const { record } of records) {
    for (const entry of record.changes) {
      const ofSeries = records.some((each) =>
        each.record.adds.some(({ name, file }) => name === entry.name && file === entry.file),
      );
      if (!ofSeries || applied || merged) wantEntry(maker, entry, release, applied || merged);
    }
    if (!applied && !merged) continue;
    for (const entry of record.adds) wantEntry(maker, entry, release, true);
    for (const claim of record.order ?? []) {
      const [{ step }] = stepsIn(claim.mainline ?? [], release);
      if (step?.gone !== undefined) continue;
      const [place] = placesIn({ name: claim.in, file: claim.file }, release, base);
      const [file, name] = [step?.file ?? place.file, step?.in ?? place.name];
      maker.want(file, name, 'function');
      const key = `${file} ${name}`;
      const pair: [string, string] = [step?.first ?? claim.first, step?.then ?? claim.then];
      maker.orders.set(key, [...(maker.orders.get(key) ?? []), pair]);
    }
  }
  const texts = new Map([...maker.files.keys()].map((file) => [file, maker.text(file)]));
  // Files of which the model has only names of its own.
  for (const { file, notInSource } of base.names) {
    if (notInSource !== undefined && file.includes('/') && !texts.has(file)) texts.set(file, '');
  }
  for (const { path } of records.flatMap(({ record }) => record.files)) {
    if (!texts.has(path) && (applied || merged || !/mem_encrypt/.test(path))) texts.set(path, '');
  }
  return texts;
}

/** The review of texts as a tree. */
export function reviewTexts(
  release: string,
  texts: ReadonlyMap<string, string>,
  parser: Parser,
): TreeReview {
  const indexes = new Map<string, FileIndex>();
  const tree: Source = {
    release,
    version: `${release}.0`,
    text: (path) => texts.get(path),
    index: (path) => {
      const text = texts.get(path);
      if (text === undefined) return undefined;
      const index = indexes.get(path) ?? indexFile(path, text, parser);
      indexes.set(path, index);
      return index;
    },
  };
  return reviewTree(records, model, tree, base);
}
