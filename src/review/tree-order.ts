/** The order claims of the records against a source tree. */
import type { OrderClaim } from '../series/record.js';
import type { Definition } from './definition.js';
import { placesIn } from './place.js';
import { stepsIn } from './release.js';
import type { Row } from './result.js';
import type { Source } from './source.js';
import { type Token, tokens } from './tokens.js';
import { definitionsAt, type RecordFile, type Reviewed } from './tree-names.js';

/** The bodies of a function: of one with several definitions, each. */
function bodies(definitions: readonly Definition[]): Token[][] {
  return definitions.flatMap(({ body }) => (body === undefined ? [] : [tokens(body)]));
}

interface Looked {
  readonly in: string;
  readonly file: string;
  readonly first: string;
  readonly then: string;
}

/** The state of an order in a function's words; undefined: one of the two is not there. */
function orderIn(
  words: readonly Token[],
  { first, then }: Looked,
): { line: number; ok: boolean } | undefined {
  const [a, b] = [first, then].map((name) => words.findIndex(({ text }) => text === name));
  if (a === undefined || b === undefined || a === -1 || b === -1) return undefined;
  return { line: words[a]?.line ?? 0, ok: a < b };
}

/** The bodies in which an order is looked for. */
function bodiesOf({ in: name, file }: Looked, tree: Source): readonly Definition[] {
  const functions = definitionsAt({ name, file }, 'function', tree);
  return functions.length > 0 ? functions : definitionsAt({ name, file }, 'label', tree);
}

/** What is lacking for an order. */
function lacking(looked: Looked, found: readonly Definition[], tree: Source): string {
  if (tree.index(looked.file) === undefined) return `no file ${looked.file}`;
  if (found.length === 0) return `no ${looked.in} in ${looked.file}`;
  const words = new Set(bodies(found).flatMap((each) => each.map(({ text }) => text)));
  const none = [looked.first, looked.then].filter((name) => !words.has(name));
  return `${none.map((name) => `no ${name}`).join(', ')} in ${looked.in}`;
}

function orderRow(
  claim: OrderClaim,
  row: Pick<Row, 'patch' | 'claim' | 'record' | 'about'>,
  { tree, base, applied }: Reviewed,
): Row {
  const [posted] = placesIn({ name: claim.in, file: claim.file }, tree.release, base);
  const candidates = stepsIn(claim.mainline ?? [], tree.release);
  const [{ step: first }] = candidates;
  let missing: string | undefined;
  for (const { step, uncertain } of candidates) {
    if (step?.gone !== undefined) return { ...row, state: 'gone', note: step.gone };
    const looked: Looked = {
      in: step?.in ?? posted.name,
      file: step?.file ?? posted.file,
      first: step?.first ?? claim.first,
      then: step?.then ?? claim.then,
    };
    const found = bodiesOf(looked, tree);
    const orders = bodies(found).flatMap((words) => orderIn(words, looked) ?? []);
    const [order] = orders;
    if (order === undefined) {
      missing ??= lacking(looked, found, tree);
      continue;
    }
    const source = { file: looked.file, line: order.line };
    const note = uncertain === undefined ? {} : { note: uncertain };
    if (orders.some(({ ok }) => ok)) {
      const elsewhere = looked.in !== claim.in || looked.file !== claim.file;
      return { ...row, source, ...note, state: elsewhere ? 'moved' : 'agrees' };
    }
    return {
      ...row,
      source,
      ...note,
      state: 'differs',
      expected: `${looked.first} before ${looked.then}`,
      found: `${looked.then} before ${looked.first}`,
    };
  }
  if (first === undefined && !applied) return { ...row, state: 'not in this release' };
  return {
    ...row,
    state: 'missing',
    expected: `${claim.first} before ${claim.then} in ${claim.in}`,
    ...(missing === undefined ? {} : { found: missing }),
  };
}

/** A row for each order claim of a record. */
export function reviewOrder({ file, record }: RecordFile, reviewed: Reviewed): Row[] {
  return (record.order ?? []).map((claim, at) =>
    orderRow(
      claim,
      {
        patch: record.number,
        claim: `${claim.in}: ${claim.first} before ${claim.then}`,
        record: { file, path: `order.${at}` },
        about: 'order',
      },
      reviewed,
    ),
  );
}
