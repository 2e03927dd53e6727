/** The card of a patch as text: for a terminal, for a mail, as Markdown. */
import type { ChalkInstance } from 'chalk';
import { commandLine } from '../base/shell-words.js';
import { fitted } from './fit.js';
import { REVISION_HEADS } from './findings-table.js';
import type { HunkCard, PatchCard } from './patch-card.js';
import { viewTitle, type PatchEffects } from './patch-effects.js';

/** Columns of a mail (Documentation/process/email-clients.rst: lines are not wrapped by the sender; our choice of 72). */
export const MAIL_COLUMNS = 72;

/** How the parts of a card are written. */
interface Style {
  readonly heading: (text: string) => string;
  readonly id: (text: string) => string;
  /** A line with a link of its own. */
  readonly link: (url: string) => string;
  /** Whether files have links, too, beside the functions. */
  readonly fileLinks?: true;
}

const two = (number: number): string => String(number).padStart(2, '0');

/** A title without Markdown. */
const plain = (title: string): string => title.replaceAll('`', '');

/** The posting that was read: `2016-08-22, not the first posting, which was not seen`. */
function postingText({ record: { date, status, messageId } }: PatchCard): string {
  const day = date.slice(0, 'YYYY-MM-DD'.length);
  const posted = messageId === null ? `read in the form of ${day}: the first was not seen` : day;
  return `${posted}; ${status}`;
}

/** The link of a hunk: to the first of its names that has one, else to its file. */
function linkOfHunk({ names, file }: HunkCard, { files }: PatchCard): string[] {
  const link =
    names.find((each) => each.link !== undefined)?.link ??
    files.find(({ path }) => path === file)?.link;
  return link === undefined ? [] : [link];
}

/** How the boot without a hunk ends, and why. */
function withoutText({ without }: HunkCard): string[] {
  if (without === undefined) return ['without it: not recorded'];
  const { outcome, garbage } = without;
  // After the wrong bytes the cause has the first event that differs: the command prints that, too.
  const cause = without.cause.split('; first ')[0] ?? '';
  const read = garbage.length === 0 ? '' : `; garbage: ${garbage.join(', ')}`;
  return [`without it: ${outcome}${read}`, ...(cause === '' ? [] : [`  ${cause}`])];
}

function hunkLines(hunk: HunkCard, card: PatchCard, style: Style): string[] {
  const names = hunk.names.map(({ name }) => name).join(', ');
  return [
    '',
    `${style.id(hunk.id)}  ${hunk.what}`,
    `  ${hunk.file}${names === '' ? '' : `: ${names}`}`,
    ...linkOfHunk(hunk, card).map(style.link),
    ...withoutText(hunk).map((line) => `  ${line}`),
    ...(hunk.without === undefined ? [] : [`  ${hunk.without.command}`]),
  ];
}

function effectLines({ scenario, view, lines, command }: PatchEffects, number: number): string[] {
  return [
    `  ${scenario}, ${viewTitle(number, view)}`,
    ...lines.map((line) => `    ${line}`),
    `  ${command}`,
  ];
}

function findingLines({ findings, record }: PatchCard, style: Style): string[] {
  if (findings.length === 0) return [];
  return [
    '',
    style.heading('Findings'),
    ...findings.flatMap(({ id, title, states }) => {
      const later = states.map((state, i) => `${REVISION_HEADS[i] ?? ''} ${state}`).slice(1);
      return [`  ${style.id(id)}: ${plain(title)} (${later.join(', ')})`];
    }),
    `  sme-boot findings --patch ${record.number}`,
  ];
}

function alternativeLines({ alternatives }: PatchCard, style: Style): string[] {
  if (alternatives.length === 0) return [];
  return [
    '',
    style.heading('Alternatives'),
    ...alternatives.flatMap(({ id, instead, what, source }) => [
      `  --with ${style.id(id)}${instead === undefined ? '' : `, instead of ${instead}`}: ${what}`,
      `    source: ${source}`,
    ]),
  ];
}

/** The lines of a card, of any length. */
function cardLines(card: PatchCard, style: Style): string[] {
  const { record, posting, files, hunks, effects } = card;
  const { number, subject, summary, needs, note } = record;
  const needed = needs.map(({ name, from }) => `${name} (${two(from)})`);
  return [
    style.heading(`${two(number)} ${subject}`),
    `  ${postingText(card)}`,
    ...(posting === undefined ? [] : [style.link(posting)]),
    '',
    ...summary.trim().split('\n'),
    '',
    ...files.flatMap(({ path, added, removed, link }) => [
      `  ${path} +${added} -${removed}`,
      ...(link === undefined || style.fileLinks !== true ? [] : [style.link(link)]),
    ]),
    ...(needed.length === 0 ? [] : [`  needs ${needed.join(', ')}`]),
    ...(note === undefined ? [] : ['', ...note.trim().split('\n')]),
    ...hunks.flatMap((hunk) => hunkLines(hunk, card, style)),
    '',
    style.heading('Effects'),
    ...effects.flatMap((each) => effectLines(each, number)),
    ...findingLines(card, style),
    ...alternativeLines(card, style),
    '',
  ];
}

const LINK = /^ *(?:Link: )?https?:\/\/\S+$/;

/** Lines that fit; links are whole, paragraphs and continued lines are indented as they were. */
const fit = (lines: readonly string[], columns: number): string =>
  `${lines
    .map((line) => {
      if (LINK.test(line)) return line;
      return fitted(line, columns, /^ *\S+:? {2}|^ /.test(line) ? undefined : 0);
    })
    .join('\n')}`;

/** The card for a terminal of `columns`. */
export function cardText(card: PatchCard, columns: number, paint: ChalkInstance): string {
  const style: Style = {
    heading: (text) => paint.bold(text),
    id: (text) => paint.cyan(text),
    link: (url) => `  ${url}`,
  };
  return fit(cardLines(card, style), columns);
}

/** The card for a mail: ASCII where the card's own words have other characters, a `Link:` line for each link. */
export function cardMail(card: PatchCard): string {
  const same = (text: string): string => text;
  const style: Style = {
    heading: same,
    id: same,
    link: (url) => `Link: ${url}`,
    fileLinks: true,
  };
  const lines = cardLines(card, style).map((line) =>
    line.replaceAll('→', '->').replaceAll('…', '...').replaceAll('’', "'").replaceAll('–', '-'),
  );
  return fit(lines, MAIL_COLUMNS);
}

const escape = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&');

const linked = (text: string, link: string | undefined): string =>
  link === undefined ? text : `[${text}](${link})`;

const codeBlock = (commands: readonly string[]): string =>
  `\`\`\`sh\n${commands.join('\n')}\n\`\`\``;

/** The card as Markdown: every name of the kernel with its link. */
export function cardMarkdown(card: PatchCard): string {
  const { record, posting, files, hunks, effects, findings, alternatives } = card;
  const { number, subject, summary, note } = record;
  const names = ({ names: all }: HunkCard): string =>
    all.map(({ name, link }) => linked(`\`${name}\``, link)).join(', ');
  const parts = [
    `# ${two(number)} ${escape(subject)}`,
    linked(escape(postingText(card)), posting),
    escape(summary.trim()),
    ...(note === undefined ? [] : [escape(note.trim())]),
    [
      '| file | added | removed |\n| --- | --- | --- |',
      ...files.map(
        ({ path, added, removed, link }) =>
          `| ${linked(`\`${path}\``, link)} | ${added} | ${removed} |`,
      ),
    ].join('\n'),
    ...hunks.flatMap((hunk) => [
      `## ${hunk.id}`,
      `${escape(hunk.what)}. \`${hunk.file}\`: ${names(hunk)}`,
      escape(
        withoutText(hunk)
          .map((line) => line.trim())
          .join('. '),
      ),
      ...(hunk.without === undefined ? [] : [codeBlock([hunk.without.command])]),
    ]),
    '## Effects',
    ...effects.flatMap((each) => [
      `${escape(each.scenario)}, ${escape(viewTitle(number, each.view))}:`,
      each.lines.map((line) => `- ${escape(line)}`).join('\n'),
      codeBlock([each.command]),
    ]),
    ...(findings.length === 0
      ? []
      : [
          '## Findings',
          findings
            .map(({ id, title, states }) => `- ${id}: ${title} (${states.join(', ')})`)
            .join('\n'),
          codeBlock([commandLine(['sme-boot', 'findings', '--patch', String(number)])]),
        ]),
    ...(alternatives.length === 0
      ? []
      : [
          '## Alternatives',
          alternatives
            .map(
              ({ id, what, source }) =>
                `- \`--with ${id}\`: ${escape(what)}. Source: ${escape(source)}`,
            )
            .join('\n'),
        ]),
  ];
  return `${parts.join('\n\n')}\n`;
}
