/**
 * A review as one self-contained page of HTML without scripts: patch by patch, each claim with the lines of the source and
 * the lines of a trace that show it. All text is escaped.
 */
import { htmlPage } from '../base/html-page.js';
import { htmlLines, htmlText } from '../base/html.js';
import { isFailed, type Row } from './result.js';
import { functionOf } from './tree-model.js';
import { countsText, groups, placeText, type RecordLine, type Review, rowText } from './report.js';

/** What the page has beside the review. */
export interface PageParts {
  readonly version: string;
  readonly recordLine: RecordLine;
  /** Subject and summary of a patch. */
  readonly patches: ReadonlyMap<number, { readonly subject: string; readonly summary: string }>;
  /** The lines of the source from a row's on, with the number of the first; undefined: none. */
  excerpt(row: Row): { readonly first: number; readonly lines: readonly string[] } | undefined;
  /** Lines of a trace by the function of their events. */
  readonly traceLines: ReadonlyMap<string, readonly string[]>;
  /** The trace that they are from. */
  readonly traceName: string;
}

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}
code,pre,summary{font-family:ui-monospace,monospace;font-size:.875rem}
pre{overflow-x:auto;margin:.25rem 0 .5rem;padding:.5rem;border:1px solid #8886;border-radius:4px}
details{border-bottom:1px solid #8884;padding:.25rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
.state{display:inline-block;min-width:9rem}
.failed>summary{font-weight:bold;color:light-dark(#a40000,#ff8a80)}
.n{color:#777;user-select:none}
.label{margin:.25rem 0 0;font-size:.875rem;color:light-dark(#444,#bbb)}
h2{margin-top:2rem}
table{border-collapse:collapse}td,th{text-align:left;padding:.125rem .75rem .125rem 0}`;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
/** Lines of a trace that a claim shows at most (our choice). */
const TRACE_LINES = 6;

const idOf = (patch: number | undefined): string =>
  patch === undefined ? 'base' : `patch-${String(patch).padStart(2, '0')}`;
const headOf = (
  patch: number | undefined,
  { patches }: PageParts,
  rest = 'The model of the base kernel',
): string =>
  patch === undefined
    ? rest
    : `${String(patch).padStart(2, '0')} ${patches.get(patch)?.subject ?? ''}`;

/** The functions that a claim is about: its first word, and the name that it was found under. */
const functionsOf = ({ claim, found }: Row): string[] => [
  functionOf(claim),
  ...(found?.split(' ').slice(0, 1) ?? []),
];

function tracePart(row: Row, { traceLines, traceName }: PageParts): string {
  const lines = functionsOf(row).flatMap((name) => traceLines.get(name) ?? []);
  if (lines.length === 0) return '';
  const more = lines.length > TRACE_LINES ? `\n… ${lines.length - TRACE_LINES} more` : '';
  const shown = lines.slice(0, TRACE_LINES).join('\n');
  return `<p class="label">in the trace ${htmlText(traceName)}</p><pre>${htmlLines(shown + more)}</pre>`;
}

function sourcePart(row: Row, parts: PageParts): string {
  const found = parts.excerpt(row);
  if (row.source === undefined || found === undefined) return '';
  const lines = found.lines.map(
    (line, at) =>
      `<span class="n">${String(found.first + at).padStart(5)}</span> ${htmlLines(line)}`,
  );
  return `<p class="label">${htmlText(placeText(row.source))}</p><pre class="source">${lines.join('\n')}</pre>`;
}

function claimHtml(row: Row, id: string, parts: PageParts): string {
  const where = row.source === undefined ? '' : ` <code>${htmlText(placeText(row.source))}</code>`;
  return [
    `<details id="${id}"${isFailed(row) ? ' class="failed"' : ''}>`,
    `<summary><span class="state">${htmlText(row.state)}</span> ${htmlText(row.claim)}${where}</summary>`,
    `<p class="label">${htmlText(rowText(row))}; record: ${htmlText(placeText(parts.recordLine(row)))}</p>`,
    sourcePart(row, parts),
    tracePart(row, parts),
    '</details>',
  ].join('');
}

/** The page. */
export function reviewHtml({ title, remarks, rows, rest }: Review, parts: PageParts): string {
  const all = groups(rows);
  const contents = all.map(
    ({ patch, rows: of }) =>
      `<tr><td><a href="#${idOf(patch)}">${htmlText(headOf(patch, parts, rest))}</a></td><td>${htmlText(countsText(of))}</td></tr>`,
  );
  const sections = all.map(({ patch, rows: of }) => {
    const summary = patch === undefined ? '' : (parts.patches.get(patch)?.summary ?? '');
    const claims = of.map((row, at) => claimHtml(row, `${idOf(patch)}-${at + 1}`, parts));
    return `<section id="${idOf(patch)}"><h2>${htmlText(headOf(patch, parts, rest))}</h2>
<p>${htmlText(summary)}</p>
${claims.join('\n')}
</section>`;
  });
  return htmlPage({
    policy: POLICY,
    title: `${htmlText(title)}: review`,
    generator: `sme-boot review ${htmlText(parts.version)}`,
    style: STYLE,
    body: `<header>
<h1>${htmlText(title)}</h1>
${remarks.map((remark) => `<p>${htmlText(remark)}</p>`).join('\n')}
<p>${htmlText(countsText(rows))}. Open a claim to see its source lines.</p>
<table>
${contents.join('\n')}
</table>
</header>
<main>
${sections.join('\n')}
</main>`,
  });
}
