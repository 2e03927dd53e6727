// Pages of the static site: Markdown as HTML, and the index.
import { Marked } from 'marked';

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif; }
a { color: light-dark(#0b5cad, #7ab8f5); }
pre, code { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 0.88em; }
pre { overflow-x: auto; padding: 0.6rem; border: 1px solid light-dark(#d4d9de, #343b42); border-radius: 4px; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid light-dark(#d4d9de, #343b42); }
img { max-width: 100%; height: auto; }
nav { margin-bottom: 1rem; }
`;

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A text for an element or a quoted attribute. */
export const escaped = (text) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** A whole page. `up`: the way from it to the root of the site. */
function page(title, body, up) {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav><a href="${up}index.html">sme-boot</a></nav>
${body}
</body>
</html>
`;
}

/** The id of a heading, as in links of GitHub's pages: lower case, without punctuation, dashes for spaces. */
export const anchor = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** A link of a page, in the site: pages of docs/ end in .html; what is not in the site leads nowhere and is text. */
export function siteLink(href) {
  const [path, fragment] = href.split('#');
  const rest = fragment === undefined ? '' : `#${fragment}`;
  if (path === '') return rest;
  if (/^[a-z]+:/.test(path)) return href;
  if (/^[\w-]+\.md$/.test(path)) return `${path.replace(/\.md$/, '.html')}${rest}`;
  return /^[\w-]+\.(?:png|svg)$/.test(path) ? path : undefined;
}

/** A page of docs/ as HTML; HTML in it is shown as text. */
export function docsPage(markdown) {
  const [, title = 'sme-boot'] = /^# (.*)$/m.exec(markdown) ?? [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const id = escaped(anchor(text.replace(/[`*]/g, '')));
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const to = siteLink(href);
        return to === undefined ? text : `<a href="${escaped(to)}">${text}</a>`;
      },
      html: ({ text }) => escaped(text),
    },
  });
  return page(title, marked.parse(markdown), '../');
}

/** The first page. `scenarios`: name and title of each; `docs`: name and title of each page of docs/. */
export function indexPage(scenarios, docs, hasMatrix) {
  const rows = scenarios.map(
    ({ name, title }) =>
      `<tr><td><a href="view.html#scenario=${encodeURIComponent(name)}">${escaped(name)}</a></td><td>${escaped(title)}</td></tr>`,
  );
  const pages = docs.map(
    ({ name, title }) => `<li><a href="docs/${escaped(name)}.html">${escaped(title)}</a></li>`,
  );
  const matrix = hasMatrix
    ? '<li><a href="matrix.html">The matrix</a>: how the boot ends without each hunk, and why</li>\n'
    : '';
  return page(
    'sme-boot',
    `<h1>sme-boot</h1>
<p>Watch Linux turn on AMD memory encryption, one patch at a time, without the hardware.</p>
<ul>
<li><a href="view.html">A boot in this browser</a>, with a guided tour</li>
${matrix}<li><a href="docs/findings.html">The defects of the posted series</a></li>
<li><a href="docs/glossary.html">Glossary</a></li>
</ul>
<h2>Scenarios</h2>
<table><tbody>
${rows.join('\n')}
</tbody></table>
<h2>Documentation</h2>
<ul>
${pages.join('\n')}
</ul>`,
    '',
  );
}
