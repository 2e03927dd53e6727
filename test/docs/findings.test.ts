/** docs/findings.md against findings/: order, headings, commands with what they print, alternatives and the named code. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { findings } from '../../src/cli/findings.js';
import { headingOf } from '../../src/cli/findings-table.js';
import { alternatives } from '../../src/series/patches.js';
import { blocksOf, inlineCommandsOf, quotedOf } from './blocks.js';

const PAGE = 'docs/findings.md';
const [, ...sections] = readFileSync(PAGE, 'utf8').split(/^(?=## )/m);
const all = findings('.');
const headings = sections.map((section) => /^## (.*)$/m.exec(section)?.[1] ?? '');

test('docs/findings.md has the findings in their order, those of executed kernels, then the base kernel', () => {
  const others = ['In executed kernels', 'Appendix: defects of the base kernel'];
  expect(headings).toEqual([...all.map(headingOf), ...others]);
});

describe.each(all.map((finding, i) => ({ ...finding, section: sections[i] ?? '' })))(
  'the section on $id',
  ({ section, shows, fixes, where, unreported, tests = [] }) => {
    const quoted = blocksOf(PAGE, section).flatMap(quotedOf);

    test('has the commands that show it, in their order', () => {
      expect(quoted.map(({ command }) => command)).toEqual(shows.map(({ command }) => command));
    });

    test('quotes for each the line that the finding names', () => {
      const lost = shows.filter(
        ({ sees }, i) => quoted[i]?.output.some((line) => line.trim() === sees) !== true,
      );
      expect(lost).toEqual([]);
      expect(shows.length + tests.length).toBeGreaterThan(0);
    });

    test('has exactly its alternatives, and the command of each', () => {
      const named = [...section.matchAll(/--with ((?:\d\d\/[\w-]+ ?)+)|`(\d\d\/[\w-]+)`/g)]
        .flatMap(([, list = '', id = '']) => [...list.trim().split(' '), id])
        .filter((id) => alternatives().some((each) => each.id === id));
      expect([...new Set(named)].sort()).toEqual(fixes.map(({ id }) => id).sort());
      const commands = inlineCommandsOf(section).filter((command) => command.includes('--with'));
      expect(commands).toEqual(fixes.flatMap(({ command }) => command ?? []));
    });

    test('says why the sanitizer does not report it, if it does not', () => {
      const text = section.replaceAll(/\s+/g, ' ');
      const said = text.includes('The sanitizer does not report it: ');
      expect(said).toBe(unreported !== undefined);
      if (unreported !== undefined) expect(text).toContain(`does not report it: ${unreported}.`);
    });

    test('names the code that it is in', () => {
      const names = where.flatMap(({ names: each }) => each);
      expect(names.filter((name) => !section.includes(name))).toEqual([]);
    });

    test('names its tests, which exist', () => {
      expect(tests.filter((file) => !section.includes(file) || !existsSync(file))).toEqual([]);
    });
  },
);
