/** Mutations of text: values and keys that break parsers, moved lines, deep nesting, control characters, broken UTF-8. */
import fc from 'fast-check';
import { someOf } from './bytes.js';

/** Words that mean something to JavaScript, YAML, terminals or number parsers. */
export const HOSTILE: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'prototype',
  'length',
  '1e999',
  '-1',
  '-0',
  '0x',
  '0xffffffffffffffffff',
  '1e21',
  '9007199254740993',
  '1.5',
  'NaN',
  '.inf',
  '~',
  'null',
  'true',
  '[]',
  '{}',
  '""',
  "''",
  '!!binary AA==',
  '&a',
  '*a',
  '<<',
  '%TAG',
  '/(a+)+$/',
  '/(?<n>x)/',
  '/\\p{L}{1000}/',
  '$x',
  '\\/',
  '%s%n',
  '../../etc/passwd',
  '-',
  '--',
  '\u001b[2J',
  '\u001b]0;x\u0007',
  '\u202e',
  '\u0000',
  '\u007f',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\u{10ffff}',
  'e\u0301',
  '\r',
  '\t',
  ' '.repeat(300),
  'x'.repeat(5000),
  '٣',
  'ſ',
  '16EiB',
  '0KiB',
  '-4GiB',
  '1 GiB',
  '4095',
  '4096',
  '4294967296',
  '18446744073709551616',
];

interface Edit {
  readonly op: number;
  readonly at: number;
  readonly to: number;
  readonly value: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  op: fc.nat(10),
  at: fc.nat(0xffff),
  to: fc.nat(0xffff),
  value: fc.nat(0xffff),
});

const scaled = (at: number, length: number): number => Math.floor((at * length) / 0x1_0000);

/** The words of a text that an edit replaces: keys, numbers and plain values. */
const WORD = /[^\s:,{}[\]"'=]+/g;

function replaceWord(text: string, at: number, by: string): string {
  const words = [...text.matchAll(WORD)];
  const word = words[scaled(at, words.length)];
  if (word === undefined) return text + by;
  return text.slice(0, word.index) + by + text.slice(word.index + word[0].length);
}

function applyTo(text: string, { op, at, to, value }: Edit): string {
  const hostile = HOSTILE[value % HOSTILE.length] ?? '';
  const place = scaled(at, text.length);
  const lines = (): string[] => text.split('\n');
  switch (op) {
    case 0:
    case 1:
      return replaceWord(text, at, hostile);
    case 2:
      return text.slice(0, place) + hostile + text.slice(place);
    case 3: {
      const all = lines();
      all.splice(scaled(at, all.length), 1);
      return all.join('\n');
    }
    case 4: {
      const all = lines();
      const line = all[scaled(at, all.length)] ?? '';
      all.splice(scaled(to, all.length), 0, ...new Array<string>(1 + (value % 3)).fill(line));
      return all.join('\n');
    }
    case 5: {
      const all = lines();
      const [a, b] = [scaled(at, all.length), scaled(to, all.length)];
      [all[a], all[b]] = [all[b] ?? '', all[a] ?? ''];
      return all.join('\n');
    }
    case 6:
      return text.slice(0, place);
    case 7: {
      const depth = 1 + (value % 200);
      const [open, close] = value % 2 === 0 ? ['[', ']'] : ['{a: ', '}'];
      return replaceWord(text, at, open.repeat(depth) + close.repeat(depth));
    }
    case 8:
      return replaceWord(text, at, String(value * 2 ** (to % 64)));
    case 9:
      return text.replaceAll('\n', '\r\n');
    default:
      return text.slice(0, place) + text.slice(place + 1);
  }
}

/** Bytes of a text; `broken`: those of one place are no UTF-8. */
function encoded(text: string, broken: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (broken > 0 && bytes.length > 0) bytes[scaled(broken, bytes.length)] = 0x80 | (broken & 0x7f);
  return bytes;
}

export interface TextEdits {
  /** Of 10 inputs, this many have one to `most` mutations. */
  readonly mutated?: number;
  readonly most?: number;
}

/** Inputs made from valid texts. */
export function mutatedText(
  bases: fc.Arbitrary<string>,
  options: TextEdits = {},
): fc.Arbitrary<Uint8Array> {
  const { mutated = 5, most = 2 } = options;
  const edits = someOf(edit, mutated, most);
  const broken = fc.oneof(
    { weight: 40, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat(0xffff) },
  );
  return fc
    .tuple(bases, edits, broken)
    .map(([base, list, at]) => encoded(list.reduce(applyTo, base), at));
}
