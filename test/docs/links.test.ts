/** The targets of the pages exist: their links, and the files of the project that they name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const pages = ['README.md', 'CONTRIBUTING.md', 'bench/README.md'].filter(existsSync).concat(
  readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
);

/** The anchor of a heading, by GitHub's rules. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

function anchorsOf(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^#{1,6} (.*)$/gm)].map((match) => anchorOf(match[1] ?? ''));
}

/** Text without its fenced blocks. */
const proseOf = (page: string): string =>
  readFileSync(page, 'utf8').replaceAll(/^ *(`{3,}).*\n[\s\S]*?^ *\1$/gm, '');

describe.each(pages)('%s', (page) => {
  test('links to pages, pictures and headings that exist', () => {
    const lost = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const path = file === '' ? page : join(dirname(page), file);
        if (!existsSync(path)) return true;
        return anchor !== undefined && !anchorsOf(path).includes(anchor);
      });
    expect(lost).toEqual([]);
  });

  test('names files of the project that exist', () => {
    const folders = 'src|test|scripts|docs|traces|probes|patches|findings|scenarios|schemas|bench';
    const path = new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g');
    const lost = [...proseOf(page).matchAll(path)]
      .map((match) => match[1] ?? '')
      // A name in capitals is a placeholder.
      .filter((name) => !/[A-Z]{4}\./.test(name) && !/\/[A-Z]{4}/.test(name))
      .filter((name) => !existsSync(name));
    expect(lost).toEqual([]);
  });
});

test('docs/README.md lists every page', () => {
  const index = readFileSync('docs/README.md', 'utf8');
  const others = readdirSync('docs').filter((file) => /\.md$/.test(file) && file !== 'README.md');
  expect(others.filter((file) => !index.includes(`](${file})`))).toEqual([]);
});
