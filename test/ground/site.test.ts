/** scripts/site: the pages of the static site. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { anchor, docsPage, indexPage, siteLink } from '../../scripts/site/pages.mjs';

const names = readdirSync('docs').filter((name) => name.endsWith('.md'));
const pages = new Map(names.map((name) => [name, docsPage(readFileSync(`docs/${name}`, 'utf8'))]));

describe('a page of docs/ in the site', () => {
  test('has links that lead to pages, pictures and headings of the site', () => {
    const missing: string[] = [];
    for (const [name, html] of pages) {
      for (const [, href = ''] of html.matchAll(/(?:href|src)="([^"]*)"/g)) {
        if (/^https?:/.test(href) || href === '../index.html') continue;
        const [file = '', fragment] = href.split('#');
        const target = file === '' ? html : pages.get(file.replace(/\.html$/, '.md'));
        const exists = /\.(?:png|svg)$/.test(file)
          ? readdirSync('docs').includes(file)
          : target !== undefined && (fragment === undefined || target.includes(`id="${fragment}"`));
        if (!exists) missing.push(`${name}: ${href}`);
      }
    }
    expect(missing).toEqual([]);
    expect(pages.size).toBeGreaterThan(25);
  });

  test('shows HTML as text', () => {
    const html = docsPage('# A <b>\n\n<script>alert(1)</script> and <i>this</i>\n');
    expect(html).not.toMatch(/<script|<i>|<b>/);
    expect(html).toContain('&lt;script&gt;');
  });

  test('has code, tables and headings', () => {
    const html = docsPage('# T\n\n## A `b` c\n\n| a |\n| - |\n| 1 |\n\n```sh\nls\n```\n');
    expect(html).toContain('<h2 id="a-b-c">A <code>b</code> c</h2>');
    expect(html).toContain('<td>1</td>');
    expect(html).toContain('ls\n</code></pre>');
    expect(html).toContain('<title>T</title>');
  });
});

test.each([
  ['view.md', 'view.html'],
  ['view.md#keys', 'view.html#keys'],
  ['#keys', '#keys'],
  ['view-wide-light.png', 'view-wide-light.png'],
  ['https://kernel.org/a#b', 'https://kernel.org/a#b'],
  ['../src/machine/bus.ts', undefined],
])('a link to %s is %s', (href, expected) => {
  expect(siteLink(href)).toBe(expected);
});

test.each([
  ['Keys', 'keys'],
  ['Change it and see', 'change-it-and-see'],
  ['run --execute, by label', 'run---execute-by-label'],
])('the id of %j is %j', (text, id) => {
  expect(anchor(text)).toBe(id);
});

test('the index has every scenario and page, as text', () => {
  const html = indexPage([{ name: 'a b', title: '<T>' }], [{ name: 'view', title: 'V' }], false);
  expect(html).toContain('<a href="view.html#scenario=a%20b">a b</a></td><td>&lt;T&gt;</td>');
  expect(html).toContain('<a href="docs/view.html">V</a>');
  expect(html).not.toContain('matrix.html');
  expect(indexPage([], [], true)).toContain('matrix.html');
});
