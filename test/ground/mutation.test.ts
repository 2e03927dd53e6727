/** scripts/mutation: which suites run against a file's mutants, and how a sample is drawn and applied. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  draw,
  mutantsOf,
  mutated,
  sampledFiles,
  wilson,
  type Mutant,
} from '../../scripts/mutation/sample.mjs';
import { BOOTS, filesOf, isInBoots, TARGETS, testsFor } from '../../scripts/mutation/targets.mjs';

describe('a target', () => {
  const names = Object.keys(TARGETS);

  test.each(names)('%s has files and suites that exist', (name) => {
    const files = filesOf(name) ?? [];
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect([file, existsSync(`src/${file}`)]).toEqual([file, true]);
      expect(testsFor(file).length).toBeGreaterThan(0);
    }
    for (const suite of testsFor(files[0] ?? '')) expect(existsSync(`test/${suite}`)).toBe(true);
  });

  test('has no file of the sample', () => {
    const sampled = new Set(sampledFiles());
    expect(sampled.size).toBeGreaterThan(400);
    const own = Object.values(TARGETS).flatMap(({ files }) => files);
    expect(own.filter((file) => sampled.has(file))).toEqual([]);
  });
});

test('a file is named with or without src/, and one that is not there is no file', () => {
  expect(filesOf('src/machine/bus.ts')).toEqual(['machine/bus.ts']);
  expect(filesOf('machine/bus.ts')).toEqual(['machine/bus.ts']);
  expect(filesOf('src/machine/buss.ts')).toBeUndefined();
  expect(filesOf('constructor')).toBeUndefined();
});

test.each([
  ['base/align.ts', ['base/align.test.ts']],
  // Without a suite of its own: those of the nearest folder.
  ['initrd/08-early-encrypt.ts', ['initrd/09-boot-data.test.ts']],
  [
    'realmode/15-trampoline-flags.ts',
    expect.arrayContaining(['linux/arch/x86/realmode/init.test.ts']),
  ],
  ['machine/devices/host-bridge.ts', expect.arrayContaining(['machine/devices/vga.test.ts'])],
])('the nearest suites of %s', (file, suites) => {
  expect(testsFor(file)).toEqual(suites);
});

test('each file of the sample has suites', () => {
  expect(sampledFiles().filter((file) => testsFor(file).length === 0)).toEqual([]);
});

test('whole boots are run for what a boot does, not for the tools', () => {
  expect(BOOTS.map((suite) => existsSync(`test/${suite}`))).toEqual([true]);
  expect(['linux/mm/memblock.ts', 'initrd/09-boot-data.ts'].every(isInBoots)).toBe(true);
  expect(['cli/main.ts', 'analysis/bisect/bisect.ts'].some(isInBoots)).toBe(false);
});

describe('a sample', () => {
  const mutant = (path: string, line: number): Mutant => ({
    path,
    range: `${String(line)}:0-${String(line)}:9`,
    mutatorName: 'BooleanLiteral',
    replacement: 'false',
  });
  const linesOf = (path: string): Mutant[] =>
    Array.from({ length: 500 }, (_, line) => mutant(path, line));
  const items = [...linesOf('a.ts'), ...linesOf('b.ts')];

  test('is the same for the same seed, and a smaller one is a part of it', () => {
    expect(draw(items, 100, 7)).toEqual(draw(items, 100, 7));
    expect(draw(items, 30, 7)).toEqual(draw(items, 100, 7).slice(0, 30));
    expect(draw(items, 30, 8)).not.toEqual(draw(items, 30, 7));
  });

  test('has each mutant at most once, and no more than there are', () => {
    expect(new Set(draw(items, 500, 1)).size).toBe(500);
    expect(new Set(draw(items, 5000, 1))).toEqual(new Set(items));
  });

  test('keeps what is drawn of a file when another one changes', () => {
    const of = (path: string, drawn: readonly Mutant[]): Mutant[] =>
      drawn.filter((each) => each.path === path);
    const before = of('a.ts', draw(items, 100, 7));
    const after = of('a.ts', draw([...linesOf('a.ts'), ...linesOf('c.ts')], 100, 7));
    const shared = Math.min(before.length, after.length);
    expect(shared).toBeGreaterThan(30);
    expect(after.slice(0, shared)).toEqual(before.slice(0, shared));
  });

  test('is drawn evenly', () => {
    const count = draw(items, 500, 3).filter(({ path }) => path === 'a.ts').length;
    expect(Math.abs(count - 250)).toBeLessThan(50);
  });
});

describe('a text with a mutant', () => {
  const text = 'const a = !(b && c) || d;\nif (a) {\n  f(a?.b.trim());\n}\n';

  test.each([
    ['1:10-1:19', 'BooleanLiteral', 'b || c', 'const a = (b || c) || d;'],
    ['1:10-1:19', 'ConditionalExpression', 'true', 'const a = true || d;'],
    ['3:4-3:15', 'OptionalChaining', 'a.b.trim()', '  f(a.b.trim());'],
    // (a?.b).x would throw where a?.b.x is undefined.
    ['3:4-3:15', 'MethodExpression', 'a?.b', '  f(a?.b);'],
  ])('at %s, %s, changes one line', (range, mutatorName, replacement, line) => {
    const lines = mutated(text, { range, mutatorName, replacement }).split('\n');
    const number = Number(range.split(':')[0]);
    expect(lines).toEqual(text.split('\n').with(number - 1, line));
  });

  test('has fewer lines without a block', () => {
    const mutant = { range: '2:7-4:1', mutatorName: 'BlockStatement', replacement: '{}' };
    expect(mutated(text, mutant).split('\n').slice(1)).toEqual(['if (a) {}', '']);
  });

  test("has StrykerJS's replacement at the range of each mutant", async () => {
    const path = 'base/align.ts';
    const source = readFileSync(`src/${path}`, 'utf8');
    const mutants = await mutantsOf([path]);
    expect(mutants.length).toBeGreaterThan(50);
    for (const mutant of mutants) expect(mutated(source, mutant)).not.toBe(source);
    const found = mutants.find(({ mutatorName }) => mutatorName === 'EqualityOperator')!;
    expect(mutated(source, found)).toContain(`(${found.replacement})`);
  });
});

// Wilson (1927), with z = 1.959964 for 95 %.
test.each([
  [0, 10, 0, 0.2775328],
  [5, 10, 0.2365931, 0.7634069],
  [90, 100, 0.8256343, 0.9447708],
  [100, 100, 0.9630065, 1],
])('the 95 %% interval of %i in %i', (hits, count, low, high) => {
  const [from = NaN, to = NaN] = wilson(hits, count);
  expect(from).toBeCloseTo(low, 6);
  expect(to).toBeCloseTo(high, 6);
});
