/** A series made for tests, about a device that does not exist, and the records that describe it. */
import { readMail, type Mail } from '../../src/review/mail-message.js';
import type { RecordFile } from '../../src/review/series-match.js';
import { parseRecord, type PatchRecord } from '../../src/series/record.js';

const ENTRY = { mainline: [{ from: '4.14' }] };

const record = (number: number, rest: object): RecordFile => {
  const file = `patches/000${String(number)}-widget.yaml`;
  const base = { number, date: '2016-04-26T22:56:04Z', summary: 'It does.', status: 'modelled' };
  return { file, record: parseRecord(file, { ...base, modules: [], needs: [], ...rest }) };
};

/** The records of three patches. */
export const RECORDS: readonly RecordFile[] = [
  record(1, {
    subject: 'widget: Add the widget bits',
    messageId: 'one@example.org',
    files: [
      { path: 'include/widget.h', added: 4, removed: 1 },
      { path: 'drivers/Kconfig', added: 2, removed: 0 },
    ],
    adds: [
      { name: 'WIDGET_BIT', kind: 'constant', file: 'include/widget.h', value: 3, ...ENTRY },
      { name: 'WIDGET_MASK', kind: 'constant', file: 'include/widget.h', value: 8, ...ENTRY },
      {
        name: 'WIDGET_ALL',
        kind: 'macro',
        file: 'include/widget.h',
        uses: ['WIDGET_MASK'],
        ...ENTRY,
      },
      {
        name: 'CONFIG_WIDGET',
        kind: 'config',
        file: 'drivers/Kconfig',
        notModelled: 'no build',
        ...ENTRY,
      },
    ],
    changes: [{ name: 'NWIDGETS', kind: 'constant', file: 'include/widget.h', value: 18 }],
  }),
  record(2, {
    subject: 'widget: Turn the widget on',
    messageId: 'two@example.org',
    files: [{ path: 'drivers/widget.c', added: 9, removed: 1 }],
    adds: [{ name: 'widget_enable', kind: 'function', file: 'drivers/widget.c', ...ENTRY }],
    changes: [{ name: 'widget_probe', kind: 'function', file: 'drivers/widget.c' }],
    order: [
      {
        in: 'widget_probe',
        file: 'drivers/widget.c',
        first: 'widget_enable',
        then: 'widget_start',
      },
      { in: 'widget_probe', file: 'drivers/widget.c', first: 'widget_enable', then: 'widget_free' },
    ],
    needs: [{ name: 'WIDGET_MASK', from: 1 }],
  }),
  record(3, {
    subject: 'widget: Reset it on the other processors',
    messageId: null,
    readInForm: 'three-v2@example.org',
    files: [{ path: 'drivers/reset.S', added: 4, removed: 0 }],
    adds: [{ name: 'widget_reset', kind: 'function', file: 'drivers/reset.S', ...ENTRY }],
    changes: [],
  }),
];

/** A file of a diff: its path, the heading of its hunk, and the lines with their signs. */
export type MadeFile = readonly [path: string, heading: string, ...lines: string[]];

const HEADER: MadeFile = [
  'include/widget.h',
  '',
  ' /* bits */',
  '-#define NWIDGETS 17',
  '+#define NWIDGETS 18',
  '+#define WIDGET_BIT 3',
  '+#define WIDGET_MASK (1UL << WIDGET_BIT)',
  '+#define WIDGET_ALL (widget_base | WIDGET_MASK)',
];
const KCONFIG: MadeFile = ['drivers/Kconfig', '', '+config WIDGET', '+\tbool "a widget"'];
const DRIVER: MadeFile = [
  'drivers/widget.c',
  'int widget_probe(struct device *dev)',
  '-\twidget_start(0);',
  '+\twidget_enable();',
  '+\twidget_start(1);',
  ' \treturn 0;',
  ' }',
  '+',
  '+static void widget_enable(void)',
  '+{',
  '+\tint bit = WIDGET_BIT;',
  '+',
  '+\twidget_set(bit, WIDGET_MASK);',
  '+}',
];
const RESET: MadeFile = [
  'drivers/reset.S',
  '',
  '+ENTRY(widget_reset)',
  '+\twbinvd',
  '+\tret',
  '+ENDPROC(widget_reset)',
];

/** The files of each patch as the records have them. */
export const FILES: readonly (readonly MadeFile[])[] = [[HEADER, KCONFIG], [DRIVER], [RESET]];

export function diffOf(files: readonly MadeFile[]): string {
  const text = files.map(([path, heading, ...lines]) => {
    const count = (other: string): number => lines.filter((line) => line[0] !== other).length;
    const hunk = `@@ -10,${count('+')} +10,${count('-')} @@ ${heading}`.trimEnd();
    return [`diff --git a/${path} b/${path}`, `--- a/${path}`, `+++ b/${path}`, hunk, ...lines];
  });
  return `${text.flat().join('\n')}\n`;
}

export interface MadeMail {
  readonly prefix?: string;
  readonly title: string;
  readonly id?: string;
  readonly text: string;
}

/** The mails of the series as the records have it; that of patch 3 is the first form, which the record was not read in. */
export const MAILS: readonly MadeMail[] = RECORDS.map(({ record: { subject, messageId } }, i) => ({
  prefix: `[RFC PATCH v1 0${String(i + 1)}/3]`,
  title: subject,
  id: messageId ?? 'three@example.org',
  text: diffOf(FILES[i] ?? []),
}));

export const mailText = ({ prefix = '[PATCH]', title, id, text }: MadeMail): string =>
  [
    'From: A <a@example.org>',
    `Subject: ${prefix} ${title}`,
    'Date: Tue, 26 Apr 2016 17:56:04 -0500',
    ...(id === undefined ? [] : [`Message-ID: <${id}>`]),
    '',
    'A text.',
    '---',
    text,
  ].join('\n');

/** The mails, read; each of a file of its own. */
export const readMade = (mails: readonly MadeMail[]): Promise<Mail[]> =>
  Promise.all(
    mails.map((mail, i) =>
      readMail(`${String(i + 1)}.eml`, {
        bytes: new TextEncoder().encode(mailText(mail)),
        line: 1,
      }),
    ),
  );

/** The series with one mail changed. */
export const changed = (index: number, change: Partial<MadeMail>): MadeMail[] =>
  MAILS.map((mail, i) => (i === index ? { ...mail, ...change } : mail));

/** The series with a text of one mail's diff replaced; hunks must keep their lengths. */
export const edited = (index: number, from: string, to: string): MadeMail[] => {
  const { text = '' } = MAILS[index] ?? {};
  if (!text.includes(from)) throw new Error(`no "${from}" in mail ${String(index)}`);
  return changed(index, { text: text.replaceAll(from, to) });
};

/** The series with a file of one mail changed, or left out. */
export const withFile = (
  index: number,
  path: string,
  change: (lines: readonly string[]) => readonly string[] | undefined,
): MadeMail[] => {
  const files = (FILES[index] ?? []).flatMap(([name, heading, ...lines]): MadeFile[] => {
    const now = name === path ? change(lines) : lines;
    return now === undefined ? [] : [[name, heading, ...now]];
  });
  return changed(index, { text: diffOf(files) });
};

export type { PatchRecord };
