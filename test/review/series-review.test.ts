import { describe, expect, test } from '@jest/globals';
import { isFailed, type Row } from '../../src/review/result.js';
import { reviewMails, type MailReview } from '../../src/review/series-review.js';
import {
  changed,
  diffOf,
  edited,
  MAILS,
  readMade,
  RECORDS,
  withFile,
  type MadeMail,
} from './made-series.js';

const review = async (mails: readonly MadeMail[]): Promise<MailReview> =>
  reviewMails(RECORDS, await readMade(mails));

const rowsOf = ({ series }: MailReview): Row[] =>
  series.flatMap(({ patches }) => patches.flatMap(({ rows }) => [...rows]));

const short = ({ patch, claim, state, expected, found, note }: Row): string =>
  [`${String(patch ?? '-')} ${claim}: ${state}`, expected, found, note]
    .filter((each) => each !== undefined)
    .join('; ');

/** The failed claims of a posting. */
const failures = async (mails: readonly MadeMail[]): Promise<string[]> =>
  rowsOf(await review(mails))
    .filter(isFailed)
    .map(short);

describe('the posting that the records describe', () => {
  test('agrees, with what the diffs do not show told', async () => {
    const done = await review(MAILS);
    expect(done.series).toMatchObject([{ recorded: true, version: 1, count: 3 }]);
    const rows = rowsOf(done);
    expect(rows.filter(isFailed)).toEqual([]);
    expect(rows.filter(({ state }) => state !== 'agrees').map(short)).toEqual([
      '1 CONFIG_WIDGET: config added in drivers/Kconfig: not modelled; no build',
      "2 widget_probe: widget_enable before widget_free: not checked; the diff's lines of widget_probe do not have widget_free",
      '3 Message-ID not known: not checked; record read in the v2 form, Message-ID three-v2@example.org',
    ]);
    expect(done.series[0]?.patches.map(({ coverage, by }) => ({ ...coverage, by }))).toEqual([
      { modelled: 4, notModelled: 1, unrecorded: 0, by: 'message-id' },
      { modelled: 2, notModelled: 0, unrecorded: 0, by: 'message-id' },
      { modelled: 1, notModelled: 0, unrecorded: 0, by: 'subject' },
    ]);
  });

  test('its rows have the line of the mail and the claim in the record', async () => {
    const row = rowsOf(await review(MAILS)).find(({ claim }) => claim === 'WIDGET_MASK = 8');
    expect(row).toMatchObject({
      patch: 1,
      about: 'value',
      record: { file: 'patches/0001-widget.yaml', path: 'adds.1.value' },
      source: { file: '1.eml', line: 16 },
    });
  });

  test('covers, replies and other mails are set apart', async () => {
    const done = await review([
      { prefix: '[RFC PATCH v1 00/3]', title: 'widget: A cover', text: '' },
      ...MAILS,
      { prefix: 'Re: [RFC PATCH v1 01/3]', title: 'widget: Add the widget bits', text: diffOf([]) },
      { prefix: '[PATCH]', title: 'mm: Something else', text: diffOf([['mm/a.c', '', '+int a;']]) },
      { prefix: '', title: 'hello', text: '' },
    ]);
    expect(rowsOf(done).filter(isFailed)).toEqual([]);
    expect(done.series[0]?.cover?.subject.title).toBe('widget: A cover');
    expect(done.replies).toHaveLength(1);
    expect(done.others.map(({ subject }) => subject.title)).toEqual([
      'hello',
      'mm: Something else',
    ]);
  });

  test('mails without numbers are found by their subjects', async () => {
    const mails = MAILS.map((mail) => ({ ...mail, prefix: '[PATCH]', id: 'other@example.org' }));
    expect(await failures(mails)).toEqual([
      '1 Message-ID one@example.org: differs; one@example.org; other@example.org',
      '2 Message-ID two@example.org: differs; two@example.org; other@example.org',
    ]);
  });

  test('a mail in the form that the record was read in takes the place of a missing one', async () => {
    const form: MadeMail = {
      prefix: '[RFC PATCH v2 4/5]',
      title: 'widget: Reset it everywhere',
      id: 'three-v2@example.org',
      text: MAILS[2]?.text ?? '',
    };
    const done = await review([...MAILS.slice(0, 2), form]);
    expect(done.series).toHaveLength(1);
    expect(rowsOf(done).filter(isFailed).map(short)).toEqual([
      '3 subject "widget: Reset it on the other processors": differs; widget: Reset it on the other processors; widget: Reset it everywhere',
    ]);
  });
});

test('a record that was read in another sending of its patch agrees with that one', async () => {
  const [first] = RECORDS;
  if (first === undefined) throw new Error('no record');
  const record = { ...first.record, readInForm: 'sent-before@example.org' };
  const mails = await readMade(changed(0, { id: 'sent-before@example.org' }));
  const rows = rowsOf(reviewMails([{ ...first, record }, ...RECORDS.slice(1)], mails));
  expect(rows.filter(isFailed)).toEqual([]);
  expect(rows.map(short)).toContain(
    '1 Message-ID one@example.org: not checked; record read in another sending, Message-ID sent-before@example.org',
  );
});

describe('each way in which a posting can differ', () => {
  test.each<[string, MadeMail[], string[]]>([
    [
      'a subject',
      changed(1, { title: 'widget: Switch it on' }),
      [
        '2 subject "widget: Turn the widget on": differs; widget: Turn the widget on; widget: Switch it on',
      ],
    ],
    [
      'a Message-ID',
      changed(0, { id: 'x@example.org' }),
      ['1 Message-ID one@example.org: differs; one@example.org; x@example.org'],
    ],
    ['a number', changed(0, { prefix: '[RFC PATCH v1 02/3]' }), ['1 number 1: differs; 1; 2']],
    ['a missing mail', MAILS.slice(1), ['1 a mail of "widget: Add the widget bits": missing']],
    [
      'a missing mail whose record was read in another form',
      MAILS.slice(0, 2),
      [
        '3 a mail of "widget: Reset it on the other processors": missing; record read in the v2 form, Message-ID three-v2@example.org',
      ],
    ],
    ['no diff', changed(1, { text: '' }), ['2 a diff: missing']],
    [
      'an extra patch',
      [
        ...MAILS,
        {
          prefix: '[RFC PATCH v1 4/3]',
          title: 'widget: More',
          text: diffOf([['a.c', '', '+int a;']]),
        },
      ],
      ['- 4/3 "widget: More": not recorded; defines a'],
    ],
    [
      'two patches with one number',
      [
        ...MAILS,
        {
          prefix: '[RFC PATCH v1 3/3]',
          title: 'widget: More',
          text: diffOf([['a.c', '', '+int a;']]),
        },
      ],
      ['- 3/3 "widget: More": not recorded; another patch has its number; defines a'],
    ],
    [
      'a file that is dropped',
      withFile(0, 'drivers/Kconfig', () => undefined),
      [
        '1 drivers/Kconfig +2 -0: missing',
        '1 CONFIG_WIDGET: config added in drivers/Kconfig: missing; no diff of drivers/Kconfig',
      ],
    ],
    [
      'a file that is added',
      changed(2, { text: (MAILS[2]?.text ?? '') + diffOf([['a.c', '', '+int a;']]) }),
      [
        '3 changed a.c +1 -0: not recorded; record read in the v2 form, Message-ID three-v2@example.org',
        '3 a: variable added in a.c:10: not recorded; record read in the v2 form, Message-ID three-v2@example.org',
      ],
    ],
    [
      'a line more',
      withFile(1, 'drivers/widget.c', (lines) => [...lines, '+']),
      ['2 drivers/widget.c +9 -1: differs; +9 -1; +10 -1'],
    ],
    [
      'a constant',
      edited(0, 'WIDGET_BIT 3', 'WIDGET_BIT 4'),
      ['1 WIDGET_BIT = 3: differs; 3; 4', '1 WIDGET_MASK = 8: differs; 8; 16'],
    ],
    [
      'a changed constant',
      edited(0, 'NWIDGETS 18', 'NWIDGETS 19'),
      ['1 NWIDGETS = 18: differs; 18; 19'],
    ],
    [
      'a macro',
      edited(0, 'widget_base | WIDGET_MASK', 'widget_base'),
      ['1 WIDGET_ALL: uses WIDGET_MASK: differs; WIDGET_MASK; widget_base; not used: WIDGET_MASK'],
    ],
    [
      'a renamed constant',
      edited(0, 'WIDGET_ALL', 'WIDGET_SET'),
      [
        '1 WIDGET_ALL: macro added in include/widget.h: missing',
        '1 WIDGET_SET: constant added in include/widget.h:14: not recorded',
      ],
    ],
    [
      'a renamed function',
      edited(1, 'widget_enable', 'widget_on'),
      [
        '2 widget_enable: function added in drivers/widget.c: missing',
        '2 widget_on: function added in drivers/widget.c:15: not recorded',
      ],
    ],
    [
      'a function that is only called',
      withFile(1, 'drivers/widget.c', (lines) => [
        ...lines.slice(0, 5),
        '+',
        '+',
        '+',
        '+',
        '+',
        '+',
        '+',
      ]),
      ['2 widget_enable: function added in drivers/widget.c: differs; a definition; uses only'],
    ],
    [
      'a function that is a variable',
      edited(1, 'static void widget_enable(void)', 'static int widget_enable = {'),
      ['2 widget_enable: function added in drivers/widget.c: differs; function; variable'],
    ],
    [
      'a function in another file',
      changed(1, { text: (MAILS[1]?.text ?? '').replaceAll('drivers/widget.c', 'drivers/w.c') }),
      [
        '2 drivers/widget.c +9 -1: missing',
        '2 changed drivers/w.c +9 -1: not recorded',
        '2 widget_enable: function added in drivers/widget.c: differs; drivers/widget.c; drivers/w.c',
        '2 widget_probe: function changed in drivers/widget.c: missing; no diff of drivers/widget.c',
        '2 widget_enable: function added in drivers/w.c:15: not recorded',
        '2 widget_probe: function changed in drivers/w.c:10: not recorded',
      ],
    ],
    [
      'another function',
      edited(1, 'widget_probe', 'widget_attach'),
      [
        '2 widget_probe: function changed in drivers/widget.c: missing',
        '2 widget_attach: function changed in drivers/widget.c:10: not recorded',
      ],
    ],
    [
      'an order',
      withFile(1, 'drivers/widget.c', ([a = '', b = '', c = '', ...rest]) => [a, c, b, ...rest]),
      [
        '2 widget_probe: widget_enable before widget_start: differs; widget_start before widget_enable',
      ],
    ],
    [
      'a cut diff',
      changed(1, { text: (MAILS[1]?.text ?? '').split('\n').slice(0, -3).join('\n') }),
      [
        '2 a correct diff: differs; the hunk has 3 old and 9 new lines, its header says 3 and 11',
        '2 drivers/widget.c +9 -1: differs; +9 -1; +7 -1',
      ],
    ],
    [
      'a diffstat',
      changed(2, { text: ` drivers/reset.S | 5 +++++\n\n${MAILS[2]?.text ?? ''}` }),
      [
        '3 diffstat of drivers/reset.S: differs; 5 lines; 4 lines; record read in the v2 form, Message-ID three-v2@example.org',
      ],
    ],
    [
      'a mode',
      changed(1, {
        text: (MAILS[1]?.text ?? '').replace('--- a', 'old mode 100644\nnew mode 100755\n--- a'),
      }),
      ['2 mode 100755 of drivers/widget.c: not recorded'],
    ],
  ])('%s', async (_name, mails, expected) => {
    expect(await failures(mails)).toEqual(expected);
  });

  test('a resend is said, and a resend that differs is a difference', async () => {
    const [first] = MAILS;
    if (first === undefined) throw new Error('no mail');
    const same = await review([...MAILS, { ...first, id: 'again@example.org' }]);
    expect(rowsOf(same).filter(isFailed)).toEqual([]);
    expect(rowsOf(same).map(short)).toContain(
      '1 1/3 is there once: agrees; sent twice, with the same diff',
    );
    const [other] = edited(0, 'WIDGET_BIT 3', 'WIDGET_BIT 4');
    if (other === undefined) throw new Error('no mail');
    expect(await failures([...MAILS, { ...other, id: 'again@example.org' }])).toEqual([
      '1 1/3 is there once: differs; sent twice with different diffs; compared: line 1 of 1.eml',
    ]);
  });

  test('a value by a name that is not known is not checked', async () => {
    const rows = rowsOf(await review(edited(0, 'WIDGET_BIT 3', 'WIDGET_BIT NEW_BIT')));
    expect(rows.filter(({ state }) => state === 'not checked').map(short)).toContain(
      '1 WIDGET_BIT = 3: not checked; 3; NEW_BIT has no known value',
    );
  });
});

describe('another revision', () => {
  const revision = (): MadeMail[] => {
    const text = (i: number): string => MAILS[i]?.text ?? '';
    return [
      {
        prefix: '[RFC PATCH v2 1/4]',
        title: 'widget: Reset it on all the other processors',
        id: 'r1@x',
        text: text(2),
      },
      {
        prefix: '[RFC PATCH v2 2/4]',
        title: 'widget: Documentation',
        id: 'r2@x',
        text: diffOf([['Documentation/widget.txt', '', '+text']]),
      },
      {
        prefix: '[RFC PATCH v2 3/4]',
        title: 'widget: Add the widget bits',
        id: 'r3@x',
        text: text(0).replace('WIDGET_BIT 3', 'WIDGET_BIT 4'),
      },
      {
        prefix: '[RFC PATCH v2 4/4]',
        title: 'Enable all of them',
        id: 'r4@x',
        text: text(1) + diffOf([['drivers/more.c', '', '+int widget_more;']]),
      },
    ];
  };

  test('is recognised, and its patches are found by subject and by names', async () => {
    const done = await review(revision());
    expect(done.series).toMatchObject([{ recorded: false, version: 2, count: 4 }]);
    expect(
      done.series[0]?.patches.map(({ number, by, mail }) => [
        number,
        by,
        mail?.mail.subject.number,
      ]),
    ).toEqual([
      [1, 'subject', 3],
      [2, 'names', 4],
      [3, 'subject', 1],
      [undefined, undefined, 2],
    ]);
    expect(rowsOf(done).filter(isFailed).map(short)).toEqual([
      '1 WIDGET_BIT = 3: differs; 3; 4',
      '1 WIDGET_MASK = 8: differs; 8; 16',
      '2 subject "widget: Turn the widget on": differs; widget: Turn the widget on; Enable all of them',
      '2 changed drivers/more.c +1 -0: not recorded',
      '2 widget_more: variable added in drivers/more.c:10: not recorded',
      '3 subject "widget: Reset it on the other processors": differs; widget: Reset it on the other processors; widget: Reset it on all the other processors',
      '- 2/4 "widget: Documentation": not recorded; defines no name',
    ]);
  });

  test('a name that another patch has is told with that patch, and a missing number', async () => {
    const [header = '', kconfig = ''] = (MAILS[0]?.text ?? '').split(
      /(?=diff --git a.drivers.Kconfig)/,
    );
    const mails = revision()
      .slice(0, 3)
      .map((mail, i) => (i === 0 ? mail : { ...mail, text: i === 1 ? header : kconfig }));
    const found = rowsOf(await review(mails))
      .filter(isFailed)
      .map(short);
    expect(found).toContain(
      '1 WIDGET_BIT: constant added in include/widget.h: differs; no diff of include/widget.h; now in 2/4',
    );
    expect(found).toContain('2 a mail of "widget: Turn the widget on": missing');
    expect(found).toContain('- mails of 4 of 4: missing');
  });

  test('beside the recorded posting, both are compared', async () => {
    const done = await review([...MAILS, ...revision()]);
    expect(done.series.map(({ version, recorded }) => [version, recorded])).toEqual([
      [1, true],
      [2, false],
    ]);
  });
});

test('mails without a patch of the series have none', async () => {
  const other = {
    prefix: '[PATCH 1/2]',
    title: 'mm: a',
    text: diffOf([['mm/a.c', '', '+int a;']]),
  };
  expect(await review([other])).toMatchObject({ series: [], others: [{ file: '1.eml' }] });
  expect(await review([])).toMatchObject({ series: [], others: [] });
});
