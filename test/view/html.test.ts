/** The viewer's page as a file. */
import { describe, expect, test } from '@jest/globals';
import { errorHtml, viewHtml } from '../../src/view/html.js';
import type { ViewData } from '../../src/view/page/data.js';
import { choice } from './session.js';

const ASSETS = { script: 'const page = 1;', worker: 'const worker = 1;', style: 'p{color:red}' };
const sha256 = (text: string): string => `hash of ${text}`;

const data = (given: Partial<ViewData> = {}): ViewData => ({
  scenarios: [{ name: 'mine', title: 'mine', text: 'name: mine' }],
  series: [],
  choice: choice('mine'),
  files: {},
  sanitize: true,
  tour: [],
  glossary: [],
  reload: false,
  ...given,
});

describe('the page', () => {
  test('allows its own script and style, a worker from itself, and no network', () => {
    const html = viewHtml(data(), ASSETS, sha256);
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    expect(policy).toBe(
      "default-src 'none'; script-src 'sha256-hash of const page = 1;' 'wasm-unsafe-eval'; worker-src blob:; " +
        "style-src 'sha256-hash of p{color:red}'; base-uri 'none'; form-action 'none'",
    );
    expect(html).not.toMatch(/https?:|src=|href=/);
  });

  test('may ask the server that it is from, if there is one', () => {
    expect(viewHtml(data({ reload: true }), ASSETS, sha256)).toContain("connect-src 'self'");
  });

  test('escapes what is in a scenario', () => {
    const name = '</script><b>"&\u202e';
    const text = '</script><!--<script>alert(1)</script>';
    const html = viewHtml(
      data({ scenarios: [{ name, title: text, text }], choice: choice(name) }),
      ASSETS,
      sha256,
    );
    expect(html.match(/<\/script>/g)).toHaveLength(3);
    expect(html).not.toContain('<!--');
    expect(html).not.toContain('<b>');
    expect(html).not.toContain('\u202e');
    const [, json = ''] = /id="view-data">([\s\S]*?)<\/script>/.exec(html) ?? [];
    expect(JSON.parse(json)).toMatchObject({ scenarios: [{ name, text }] });
  });

  test('is not made from a script that would end its own element', () => {
    const worker = 'const a = "</script>";';
    expect(() => viewHtml(data(), { ...ASSETS, worker }, sha256)).toThrow(RangeError);
  });
});

test('the page of an error says it as text, and runs only its own script', () => {
  const html = errorHtml('mine.yaml:1:1: <b onclick="x">\u202e\n  expected: a list', sha256);
  expect(html).toContain('mine.yaml:1:1: &lt;b');
  expect(html).toContain('\n  expected: a list</pre>');
  expect(html).not.toContain('<b ');
  expect(html).not.toContain('\u202e');
  const [, script = ''] = /<script>(.*)<\/script>/.exec(html) ?? [];
  expect(script).toContain('EventSource');
  expect(html).toContain(
    `content="default-src 'none'; script-src 'sha256-hash of ${script}'; connect-src 'self'"`,
  );
});
