/** The text of a region's function. */
import type { Va } from '../../machine/address.js';
import type { Block } from '../code-cache.js';
import type { Op } from '../operands.js';
import { highOf } from '../page-table.js';
import { blockText, type Exits } from './block-text.js';
import type { PlacedBlock } from './region.js';

export interface RegionText {
  /** The body of a function of `core`, `operations` and `valid`. */
  readonly text: string;
  /** The operations that it calls, by their numbers. */
  readonly operations: readonly Op[];
}

export function textOf(blocks: readonly PlacedBlock[]): RegionText {
  const numbers = new Map(blocks.map(({ block }, number) => [block.start, number]));
  const operations: Op[] = [];
  /** The address of each instruction that may fault, and its number in its block. */
  const places: [Va, number][] = [];
  const returns = blocks.flatMap(({ block }) => {
    const at = returnOf(block);
    const number = at && numbers.get(at);
    return at === undefined || number === undefined ? [] : [{ at, number }];
  });
  const exits: Exits = {
    returned: (low, high) =>
      returns.map(
        ({ at, number }) =>
          `if (${low} === ${String(at | 0)} && ${high} === ${String(highOf(at))}) ` +
          `{ pc = ${String(number)}; continue; }`,
      ),
    go: (target) => {
      const number = numbers.get(target);
      return number === undefined
        ? `core.rip = ${String(target)}; core.retired = start + n; return;`
        : `pc = ${String(number)}; continue;`;
    },
    operation: (op) => `o${String(operations.push(op) - 1)}`,
    place: (address, number) => String(places.push([address, number]) - 1),
  };
  const cases = blocks.map(({ block, index, id }, number) => {
    const { length } = block.ops;
    return [
      `case ${String(number)}: {`,
      `if (n + ${String(length)} > limit || valid[${String(index)}] !== ${String(id)}) {`,
      `core.rip = ${String(block.start)}; core.retired = start + n; return; }`,
      `behind.origin = ${String(block.origin)};`,
      ...blockText(block, exits),
      '}',
    ].join('\n');
  });
  const constants = operations.map((_, i) => `const o${String(i)} = operations[${String(i)}];`);
  const text = [
    'const { r, words: w, bytes: b, memory: M, flags: F, segmentLow: sl, segmentHigh: sh } = core;',
    'const f = F.words, { behind } = core.cpu;',
    ...constants,
    `const at_ = ${JSON.stringify(places.map(([address]) => address))};`,
    `const number_ = ${JSON.stringify(places.map(([, number]) => number))};`,
    'return function region(entry, limit) {',
    'let pc = entry, n = 0, at = 0;',
    'const start = core.retired;',
    'try { for (;;) switch (pc) {',
    ...cases,
    'default: throw new RangeError("no block"); } }',
    'catch (error) { core.rip = at_[at]; core.retired = start + n + number_[at]; throw error; }',
    '};',
  ].join('\n');
  return { text, operations };
}

/** Where a call that ends a block returns to. */
function returnOf({ instructions, addresses }: Block): Va | undefined {
  return instructions.at(-1)?.mnemonic === 'call' ? addresses.at(-1) : undefined;
}
