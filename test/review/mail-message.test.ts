import { describe, expect, test } from '@jest/globals';
import { readMail, type Mail } from '../../src/review/mail-message.js';
import { parseDiff } from '../../src/review/diff-parse.js';

const DIFF = `diff --git a/widget.c b/widget.c
--- a/widget.c
+++ b/widget.c
@@ -1,2 +1,3 @@ int widget(void)
 \tint a = 1;
+\tint größe = 2; /* = */
 \treturn a;
`;

const read = (text: string | Uint8Array, line = 1): Promise<Mail> =>
  readMail('m.eml', {
    bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text,
    line,
  });

const added = ({ lines }: Mail): string[] =>
  parseDiff(lines).files.flatMap(({ hunks }) =>
    hunks.flatMap((hunk) => hunk.lines.flatMap(({ sign, text }) => (sign === '+' ? [text] : []))),
  );
const ADDED = ['\tint größe = 2; /* = */'];

const base64 = (text: string): string =>
  Buffer.from(text)
    .toString('base64')
    .replace(/.{76}/g, (line) => `${line}\n`);
const quoted = (text: string): string =>
  text
    .replace(/=/g, '=3D')
    .replace(/ö/g, '=C3=B6')
    .replace(/ß/g, '=C3=9F')
    .replace(/^(.{40})(.+)$/gm, '$1=\n$2');

describe('a subject', () => {
  test.each([
    ['folded with a space', '[RFC PATCH v1\n 01/18] a title of\n two lines'],
    ['folded with a tab', '[RFC PATCH v1 01/18] a title\n\tof two lines'],
    ['encoded as Q', '=?utf-8?Q?[RFC_PATCH_v1_01/18]_a_title_of?=\n =?utf-8?Q?_two_lines?='],
    ['encoded as B', `=?utf-8?B?${base64('[RFC PATCH v1 01/18] a title of two lines')}?=`],
  ])('%s', async (_name, subject) => {
    const mail = await read(`Subject: ${subject}\nMessage-Id: <a.b@c>\n\n${DIFF}`);
    expect(mail.subject).toMatchObject({ version: 1, number: 1, title: 'a title of two lines' });
    expect(mail.messageId).toBe('a.b@c');
  });
});

describe('the text of a mail', () => {
  const HEAD = 'Subject: [PATCH] x\nMIME-Version: 1.0\n';
  test.each<[string, string | Uint8Array]>([
    ['as it is', `${HEAD}Content-Type: text/plain; charset=utf-8\n\n${DIFF}`],
    [
      'with CR LF',
      `${HEAD}Content-Type: text/plain; charset=utf-8\n\n${DIFF}`.replace(/\n/g, '\r\n'),
    ],
    [
      'quoted-printable',
      `${HEAD}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n${quoted(DIFF)}`,
    ],
    [
      'base64',
      `${HEAD}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n${base64(DIFF)}`,
    ],
    [
      'in Latin-1',
      new Uint8Array(
        Buffer.from(`${HEAD}Content-Type: text/plain; charset=iso-8859-1\n\n${DIFF}`, 'latin1'),
      ),
    ],
    [
      'a part beside HTML',
      `${HEAD}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n${DIFF}\n--b\nContent-Type: text/html\n\n<p>no</p>\n--b--\n`,
    ],
    [
      'an attachment',
      `${HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nattached\n--b\nContent-Type: text/x-patch; name=a.patch\nContent-Disposition: attachment; filename=a.patch\nContent-Transfer-Encoding: base64\n\n${base64(DIFF)}\n--b--\n`,
    ],
    [
      'flowed, each line with the space that is stuffed before one',
      `${HEAD}Content-Type: text/plain; charset=utf-8; format=flowed\n\n${DIFF.replace(/^ /gm, '  ')}`,
    ],
    ['without headers', DIFF],
    [
      'with the headers of git format-patch',
      `From: A <a@b>\nDate: Tue, 26 Apr 2016 17:56:04 -0500\nSubject: [PATCH] x\n\n${DIFF}`,
    ],
  ])('%s', async (_name, text) => {
    expect(added(await read(text))).toEqual(ADDED);
  });

  test('a line of it has a line of the file, unless it is encoded', async () => {
    const plain = await read(`${HEAD}X: 1\n\n${DIFF}`, 10);
    expect(plain.firstLine).toBe(14);
    expect(plain.lines[0]).toBe('diff --git a/widget.c b/widget.c');
    expect(
      (await read(`${HEAD}Content-Transfer-Encoding: base64\n\n${base64(DIFF)}`)).firstLine,
    ).toBe(undefined);
    expect((await read(DIFF, 3)).firstLine).toBe(3);
  });

  test('what is not read is said', async () => {
    const html = await read(`${HEAD}Content-Type: text/html\n\n<pre>x</pre>\n`);
    expect(html.notes).toEqual(['the part in HTML is not read']);
    const zip = await read(
      `${HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n${DIFF}\n--b\nContent-Type: application/zip; name="../../x.zip"\nContent-Disposition: attachment\n\nPK\n--b--\n`,
    );
    expect(zip.notes).toEqual(['the attachment ../../x.zip is not read']);
    expect((await read(DIFF)).notes).toEqual(['it has no headers']);
  });
});
