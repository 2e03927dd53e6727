/** The table of findings by revision, as Markdown and as the cells that the terminal's has. Imports no package. */
import type { Finding, Later } from '../series/finding.js';

const LATER: readonly Later[] = ['v2', '4.14', '6.1'];

/** The heads of the revisions' columns. */
export const REVISION_HEADS = ['v1', ...LATER];

/** The states of a finding, one a revision; `?`: inferred. */
export const statesOf = ({ revisions }: Finding): string[] => [
  'present',
  ...LATER.map((name) => {
    const { state, inferred } = revisions[name];
    return inferred === true ? `${state}?` : state;
  }),
];

/** The rules of the sanitizer that report a finding. */
export const rulesOf = ({ reports = [] }: Finding): string[] => [
  ...new Set(reports.map(({ rule }) => rule)),
];

/** A patch's number as its hunks have it. */
export const patchText = (patch: number | undefined): string =>
  patch === undefined ? '-' : String(patch).padStart(2, '0');

const escape = (text: string): string => text.replace(/[\\*[\]<>|]/g, '\\$&');

/** The heading of a finding in docs/findings.md. */
export const headingOf = ({ patch, title }: Finding): string =>
  patch === undefined ? title : `Patch ${patchText(patch)}: ${title}`;

/** The anchor of a heading, by GitHub's rules. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ');

/** The table as Markdown. `linked`: each id is a link to the finding's heading in the same page. */
export function markdownTable(findings: readonly Finding[], linked = false): string {
  const head = ['finding', 'patch', ...REVISION_HEADS, 'alternative', 'reported'];
  const rows = findings.map((finding) => [
    linked ? `[${finding.id}](#${anchorOf(headingOf(finding))})` : escape(finding.title),
    patchText(finding.patch),
    ...statesOf(finding),
    codes(finding.fixes.map(({ id }) => id)),
    codes(rulesOf(finding)) || 'no',
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}
