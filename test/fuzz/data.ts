/** Mutations of a document's data, for YAML and JSON: each value set, removed, moved, nested; printed in both forms. */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { someOf } from './bytes.js';
import { HOSTILE, mutatedText, type TextEdits } from './text.js';

type Key = string | number;
type Tree = Record<Key, unknown>;

/** A value of a document, by its path; the value undefined removes it. */
export type Setting = readonly [path: string, value: unknown];

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

/** Sets a value in a copy of the document; mappings on the way are made. */
function withSetting(data: unknown, [path, value]: Setting): unknown {
  const root = structuredClone(data);
  let at = root;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  for (const key of keys) {
    if (!isTree(at)) return root;
    if (!isTree(at[key])) at[key] = {};
    at = at[key];
  }
  if (!isTree(at)) return root;
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return root;
}

/** The places of all values in a document. */
function places(data: unknown, list: { of: Tree; key: Key }[] = []): { of: Tree; key: Key }[] {
  if (!isTree(data)) return list;
  for (const key of Object.keys(data)) {
    list.push({ of: data, key });
    places(data[key], list);
  }
  return list;
}

interface Change {
  readonly op: number;
  readonly at: number;
  readonly to: number;
}

const VALUES: readonly unknown[] = [
  ...HOSTILE,
  0,
  1,
  -1,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 64,
  1e300,
  true,
  false,
  null,
  [],
  {},
  [[]],
  '',
];

function changed(data: unknown, { op, at, to }: Change): unknown {
  const root = structuredClone(data);
  const all = places(root);
  const here = all[at % Math.max(1, all.length)];
  const there = all[to % Math.max(1, all.length)];
  if (here === undefined || there === undefined) return root;
  const { of, key } = here;
  switch (op) {
    case 0:
    case 1:
      of[key] = VALUES[to % VALUES.length];
      break;
    case 2:
      Reflect.deleteProperty(of, key);
      break;
    case 3:
      [of[key], there.of[there.key]] = [
        structuredClone(there.of[there.key]),
        structuredClone(of[key]),
      ];
      break;
    case 4:
      if (Array.isArray(of)) break;
      // An own key also where the name is __proto__.
      Object.defineProperty(of, HOSTILE[to % HOSTILE.length] ?? '', {
        value: of[key],
        enumerable: true,
        configurable: true,
        writable: true,
      });
      break;
    case 5: {
      let nested = of[key];
      for (let i = 0; i < to % 100; i++)
        nested = i % 2 === 0 ? [nested] : { [String(key)]: nested };
      of[key] = nested;
      break;
    }
    default:
      if (Array.isArray(of)) of.push(...new Array<unknown>(to % 20).fill(of[Number(key)]));
  }
  return root;
}

const change = fc.record({ op: fc.nat(6), at: fc.nat(999), to: fc.nat(999) });

export interface DataEdits extends TextEdits {
  /** Valid values of a document, of which some are set. */
  readonly settings?: fc.Arbitrary<Setting>;
  /** Of 10 inputs, this many have a change that knows no schema. */
  readonly changed?: number;
  /** JSON only. */
  readonly json?: boolean;
}

/** Texts of documents. */
export function documents(bases: readonly unknown[], options: DataEdits): fc.Arbitrary<Uint8Array> {
  const { settings, changed: often = 3, json = false } = options;
  const chosen =
    settings === undefined ? fc.constant<Setting[]>([]) : fc.array(settings, { maxLength: 5 });
  const changes = someOf(change, often, 2);
  const texts = fc
    .tuple(fc.constantFrom(...bases), chosen, changes, fc.nat(json ? 1 : 5))
    .map(([base, some, list, form]) => {
      const data = list.reduce<unknown>(changed, some.reduce<unknown>(withSetting, base));
      if (form === 2) return stringify(data, { lineWidth: 0 });
      return JSON.stringify(data, null, form % 2) + '\n';
    });
  return mutatedText(texts, options);
}
