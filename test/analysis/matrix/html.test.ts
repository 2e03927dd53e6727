import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { matrixHtml } from '../../../src/analysis/matrix/html.js';
import type { MatrixReport } from '../../../src/analysis/matrix/report.js';
import { initrdRow, report, row, wholeSeries } from './reports.js';

const EVIL = `"'><img src=x onerror=alert(1)></script><!--<script>&amp;`;

/** A report with markup in every text. */
const evil: MatrixReport = {
  ...report([], { series: EVIL, missing: [EVIL] }),
  scenarios: [
    {
      name: EVIL,
      digest: EVIL,
      outcome: { kind: 'hung', where: EVIL, message: EVIL },
      garbage: [EVIL],
    },
  ],
  rows: [
    {
      ...{ scenario: EVIL, hunk: EVIL, file: EVIL, what: EVIL, how: 'out', firstUse: EVIL },
      outcome: { kind: 'panic', where: EVIL, message: EVIL },
      same: false,
      wrong: { name: EVIL, reader: EVIL, readC: 1, writer: EVIL, writeC: 0, pa: EVIL },
      ...{ lost: [EVIL], gained: [EVIL], encrypted: true, cause: EVIL, command: EVIL },
    },
  ],
};

/** The content of the page's raw-text elements, and the page without it. */
function parts(page: string): { markup: string; raw: string[] } {
  const raw: string[] = [];
  const markup = page.replace(/(<(script|style)\b[^>]*>)(.*?)(?=<\/\2>)/gs, (_, tag, __, text) => {
    raw.push(text as string);
    return tag as string;
  });
  return { markup, raw };
}

const VOID = ['meta', 'input', 'wbr'];

/** The elements that are not closed at the end of a page, or the first mismatched end tag. */
function unclosed(markup: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = ''] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:\s[^<>]*)?>/g)) {
    if (VOID.includes(name)) continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return [...open, `</${name}>`];
  }
  return open;
}

describe('the page of a matrix', () => {
  test.each([
    ['two scenarios', wholeSeries()],
    ['evil texts', evil],
    ['no rows', report([])],
  ])('closes what it opens: %s', (_, given) => {
    const { markup } = parts(matrixHtml(given));
    expect(unclosed(markup)).toEqual([]);
    // Each `<` begins a tag, and each id is there once.
    expect(markup.replace(/<(!DOCTYPE html|\/?[a-z][a-z0-9]*(\s[^<>]*)?)>/g, '')).not.toMatch(
      /[<>]/,
    );
    const ids = [...markup.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('escapes all strings of a report', () => {
    const { markup, raw } = parts(matrixHtml(evil));
    expect(markup).not.toContain('<img');
    expect(markup.match(/<script/g)).toHaveLength(3);
    expect(markup.replace(/"[^"]*"/g, '')).not.toMatch(/<[^>]*\son\w+=/);
    const written = '&quot;&#39;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;&lt;!--';
    expect(markup.split(written).length - 1).toBeGreaterThanOrEqual(12);
    expect(raw[1]).not.toContain('<');
  });

  test('contains the report as JSON', () => {
    for (const given of [evil, wholeSeries()]) {
      expect(JSON.parse(parts(matrixHtml(given)).raw[1] ?? '')).toEqual(given);
    }
  });

  test('refers to no other resource', () => {
    const { markup, raw } = parts(matrixHtml(wholeSeries()));
    // A cell of the grid leads to its row.
    expect(markup.replace(/ href="#row-\d+"/g, '')).not.toMatch(
      /\s(src|href|style|srcset|action)\s*=|<(link|img|iframe|base|object)\b/i,
    );
    const unhashed = markup.replace(/'sha256-[A-Za-z0-9+/=]+'/g, '');
    for (const text of [unhashed, ...raw]) {
      expect(text).not.toMatch(
        /https?:|\/\/[a-z]|@import|url\(|\bfetch\(|XMLHttpRequest|import\(/i,
      );
    }
  });

  test('allows its own script and style by their hashes', () => {
    const page = matrixHtml(evil);
    const { raw } = parts(page);
    const [style = '', , , script = ''] = raw;
    const hash = (text: string): string =>
      `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${hash(script)}`);
    expect(policy).toContain(`style-src ${hash(style)}`);
  });

  test('has the rows as static HTML, for browsers without scripts', () => {
    const { markup } = parts(matrixHtml(report([row(), initrdRow()], { missing: ['a b'] })));
    expect(markup).toContain('1 differs from the whole series (1 panic)');
    expect(markup).toMatch(
      /<tr role="row" id="row-0" data-row="0" class="same">.*04\/scattered.*booted.*same/,
    );
    expect(markup).toMatch(/data-row="1">.*09\/initrd.*panic.*mount_<wbr>block_<wbr>root.*initrd/);
    expect(markup).toContain('unpack_<wbr>to_<wbr>rootfs (C=1)');
    // That it is not whole is said before all else.
    expect(markup).toMatch(/<main>\s*<details[^>]*>\s*<summary>This matrix is not complete: 1 row/);
    expect(markup).toContain('<li>a b</li>');
    expect(markup).toMatch(/<form id="controls"[^>]* hidden>/);
  });

  test('offers filters for the scenarios, outcomes and patches of the report', () => {
    const { markup } = parts(matrixHtml(report([row(), initrdRow(), row({ hunk: 'odd' })])));
    const options = [...markup.matchAll(/<option value="([^"]*)"/g)].map(([, value]) => value);
    expect(options).toEqual(['', 'bios-minimal', '', 'booted', 'panic', '', '04', '09']);
  });

  test('has the links that it is given, as data', () => {
    const links = { mail: { '09': 'https://example.org/9' }, source: {} };
    const { raw } = parts(matrixHtml(wholeSeries(), links));
    expect(JSON.parse(raw[2] ?? '')).toEqual(links);
    expect(JSON.parse(parts(matrixHtml(wholeSeries())).raw[2] ?? '')).toEqual({
      mail: {},
      source: {},
    });
  });

  test('has only what is read wrongly in that column, and other changes in the cause', () => {
    const lost = row({ same: false, lost: ['BGRT image'], cause: 'it is not read' });
    const { markup } = parts(matrixHtml(report([lost, initrdRow()])));
    const column = (key: string): string[] =>
      [...markup.matchAll(new RegExp(`data-key="${key}"[^>]*>([^<]*)</td>`, 'g'))].map(
        ([, text = '']) => text,
      );
    expect(column('wrong')).toEqual(['', 'initrd']);
    expect(column('cause')[0]).toBe('it is not read; not read: BGRT image');
  });

  test('has the script and the style of src/analysis/matrix/page/', () => {
    const made = spawnSync(process.execPath, ['scripts/page.mjs', '--check'], { encoding: 'utf8' });
    expect(made.stderr).toBe('');
    expect(made.status).toBe(0);
  }, 60_000);
});
