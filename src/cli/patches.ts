/** `sme-boot patches`: the patches of the series in short, or the card of one. */
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { optional } from '../base/optional.js';
import { hunksOf, LAST_STAGE } from '../series/patches.js';
import type { PatchRecord } from '../series/record.js';
import { exitHelp } from './exit-codes.js';
import { HELP_COLUMNS } from './help-text.js';
import type { Io } from './io.js';
import { LINKS_FORM, linkTemplates } from './links.js';
import { numberOf } from './numbers.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { patchCards, type PatchCard } from './patch-card.js';
import { cardMail, cardMarkdown, cardText } from './patch-card-text.js';
import { patchRecords } from './records.js';
import { refuseUnused } from './usage.js';

const FORMS = ['text', 'json', 'markdown', 'mail'] as const;

interface Flags extends OutputFlags<(typeof FORMS)[number]> {
  links?: string[];
}

export function patchesCommand(io: Io): Command {
  const command = new Command('patches')
    .description(
      'list the patches of the series, or describe one: what it changes, what breaks without each hunk, findings, links',
    )
    .argument(
      '[N]',
      `patch number, 1 to ${LAST_STAGE} (default: all, in short)`,
      numberOf('E_PATCH', 'patches', 1, LAST_STAGE),
    )
    .option(
      '--links <TEMPLATES>',
      `templates of the links, ${LINKS_FORM}, with {messageId}; {release} and {file}; {release} and {function}; without a URL: no link; can be repeated`,
      (text: string, before: string[] = []) => [...before, text],
    )
    .addHelpText(
      'after',
      `
Examples:
  sme-boot patches
  sme-boot patches 9
  sme-boot patches 9 --format mail            plain text with Link: lines, to quote in a review
  sme-boot patches 9 --format json
  sme-boot patches 9 --links 'source=https://example.org/{release}/{file},ident='
${exitHelp()}`,
    )
    .action((number: number | undefined, flags: Flags, self: Command) => {
      const form = formOf(flags, FORMS);
      if (number === undefined && form === 'text') {
        refuseUnused(self, ['--format', '--output'], 'the list of all patches has no links');
      }
      const templates = linkTemplates(flags.links ?? []);
      const cards = (): PatchCard[] =>
        patchCards(templates, (each) => number === undefined || each.number === number);
      const out = openResult(io, flags.output);
      if (form === 'json') out.write(`${JSON.stringify(cards().map(asData), null, 2)}\n`);
      else if (form === 'markdown') out.write(cards().map(cardMarkdown).join('\n'));
      else if (form === 'mail') out.write(cards().map(cardMail).join('\n'));
      else if (number === undefined) {
        for (const record of patchRecords()) out.print(shortText(record, out.paint));
      } else {
        const columns = out.columns ?? HELP_COLUMNS;
        for (const card of cards()) out.write(cardText(card, columns, out.paint));
      }
      out.end();
    });
  return addOutput(command, { formats: FORMS });
}

/** A card for programs: the record's keys, and those of the card. */
function asData({ record, alternatives, ...card }: PatchCard): object {
  return {
    ...record,
    ...card,
    alternatives: alternatives.map(({ id, instead, what, source }) => ({
      id,
      ...optional({ instead }),
      what,
      source,
    })),
  };
}

/** A patch in the list of all. */
function shortText(record: PatchRecord, paint: ChalkInstance): string {
  const { number, subject, status, messageId, readInForm, files, needs } = record;
  const lines = [
    paint.bold(`${String(number).padStart(2, '0')} ${subject}`),
    `   ${status}; Message-ID ${messageId ?? `not seen, read as ${readInForm ?? '?'}`}`,
    `   files: ${files.map(({ path }) => path).join(' ')}`,
    ...hunksOf(number).map(({ id, what }) => `   ${paint.cyan(id)}  ${what}`),
    ...(needs.length > 0
      ? [`   needs: ${needs.map(({ name, from }) => `${name} (${from})`).join(' ')}`]
      : []),
  ];
  return `${lines.join('\n')}\n\n`;
}
