/**
 * The viewer as one self-contained HTML page: no network, no other file. The simulator is the text of a data element, which
 * the page's script starts as a worker. All strings of the data are escaped.
 */
import { htmlPage } from '../base/html-page.js';
import { htmlLines, htmlText } from '../base/html.js';
import { printableLines } from '../base/printable.js';
import type { ViewData } from './page/data.js';

/** The parts of the page that scripts/viewer.mjs bundles. */
export interface ViewAssets {
  readonly script: string;
  readonly worker: string;
  readonly style: string;
}

/** SHA-256 in base64, as a Content-Security-Policy has it. */
export type Integrity = (text: string) => string;

/** Without `<`, neither an end tag nor a comment can begin. */
const data = (value: ViewData): string =>
  printableLines(JSON.stringify(value)).replaceAll('<', '\\u003c');

/**
 * The page. `connect`: it may ask the server that it is from. Throws RangeError for a script that would end its own
 * element.
 */
export function viewHtml(
  value: ViewData,
  { script, worker, style }: ViewAssets,
  sha256: Integrity,
): string {
  for (const text of [script, worker, style]) {
    if (/<\/(?:script|style)|<!--/i.test(text)) {
      throw new RangeError('a part of the page would end its own element');
    }
  }
  const policy = [
    "default-src 'none'",
    // An executed boot makes WebAssembly while it runs (src/x86/translate/).
    `script-src 'sha256-${sha256(script)}' 'wasm-unsafe-eval'`,
    'worker-src blob:',
    `style-src 'sha256-${sha256(style)}'`,
    ...(value.reload ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return htmlPage({
    policy,
    title: `sme-boot: ${htmlText(value.choice.scenario)}`,
    style,
    body: `<div id="view"><noscript>This page is a simulator: it needs JavaScript.</noscript></div>
<script type="application/json" id="view-data">${data(value)}</script>
<script type="text/plain" id="view-worker">${worker}</script>
<script>${script}</script>`,
  });
}

/** Loads the page again when the server says that a file has changed. */
const RELOAD = "new EventSource('events').onmessage = () => location.reload();";

/** The page in place of one that cannot be made, with the reason; it loads again when the file changes. */
export function errorHtml(reason: string, sha256: Integrity): string {
  const policy = `default-src 'none'; script-src 'sha256-${sha256(RELOAD)}'; connect-src 'self'`;
  return htmlPage({
    policy,
    title: 'sme-boot: error',
    body: `<pre id="error" role="alert">${htmlLines(reason)}</pre>
<p>The page comes back when the file is changed.</p>
<script>${RELOAD}</script>`,
  });
}
