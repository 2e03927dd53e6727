/** Mail boxes with patches, as `review` reads them. */
import fc from 'fast-check';
import { parseDiff } from '../../../src/review/diff-parse.js';
import { splitMails } from '../../../src/review/mail-box.js';
import { readMail } from '../../../src/review/mail-message.js';
import { verify, verifySame, type Kind } from '../kind.js';
import { mutatedText } from '../text.js';

const FILE = 'series.mbox';

const DIFF = `diff --git a/widget.c b/widget.c
index 1234567..89abcde 100644
--- a/widget.c
+++ b/widget.c
@@ -1,3 +1,4 @@ int widget(void)
 \tint a = 1;
+\tint größe = 2; /* = */
-\treturn a;
+\treturn a + größe;
 }
diff --git a/old.h b/new.h
similarity index 90%
rename from old.h
rename to new.h
`;

const base64 = (text: string): string =>
  Buffer.from(text)
    .toString('base64')
    .replace(/.{76}/g, (line) => `${line}\n`);

const quotedPrintable = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) =>
      byte > 0x7e || byte === 0x3d
        ? `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');

/** The headers of a body, and the body. */
const BODIES: readonly ((text: string) => string)[] = [
  (text) => `\n${text}`,
  (text) => `Content-Type: text/plain; charset=utf-8\n\n${text}`,
  (text) => `Content-Transfer-Encoding: base64\nContent-Type: text/plain\n\n${base64(text)}`,
  (text) => `Content-Transfer-Encoding: quoted-printable\n\n${quotedPrintable(text)}`,
  (text) =>
    `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nHello,\n\n--b\n` +
    `Content-Type: text/x-patch; name="a.patch"\nContent-Disposition: attachment\n\n${text}\n--b--\n`,
  (text) => `Content-Type: text/plain; format=flowed; delsp=yes\n\n${text}`,
  (text) => `Content-Type: text/html\n\n<pre>${text}</pre>`,
];

const mail = fc
  .record({
    subject: fc.constantFrom(
      '[RFC PATCH v1 01/18] x86: a title',
      '=?utf-8?Q?[PATCH_v2_12/20]_a_title?=',
      `=?utf-8?B?${Buffer.from('Re: [PATCH] größe').toString('base64')}?=`,
      '[RFC PATCH v1\n 00/18] folded',
      'nothing of the kind',
    ),
    id: fc.constantFrom('Message-ID: <1.2@host>\n', 'Message-Id: 1.2@host\n', ''),
    reply: fc.constantFrom('In-Reply-To: <0.1@host>\n', 'References: <a@b> <c@d>\n', ''),
    body: fc.constantFrom(...BODIES),
    text: fc.constantFrom(
      DIFF,
      `A patch.\n\nFrom here on it is one.\n\n>From the past\n---\n widget.c | 3 ++-\n\n${DIFF}-- \n2.8.0\n`,
      DIFF.replaceAll('\n', '\r\n'),
      'No patch.\n',
    ),
    separator: fc.constantFrom(
      'From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n',
      'From mboxrd@z Thu Jan  1 00:00:00 1970\n',
      '',
    ),
  })
  .map(
    ({ subject, id, reply, body, text, separator }) =>
      `${separator}Subject: ${subject}\nFrom: A <a@host>\nDate: Tue, 26 Apr 2016 17:56:05 -0500\n${id}${reply}${body(text)}`,
  );

export const mailBox: Kind = {
  name: 'mail',
  what: 'mails with patches',
  ext: 'bin',
  inputs: 2000,
  share: 1,
  arbitrary: mutatedText(
    fc.oneof(
      mail,
      fc.array(mail, { minLength: 2, maxLength: 3 }).map((mails) => mails.join('\n')),
      fc.constant(DIFF),
    ),
    { mutated: 8, most: 4 },
  ),
  async read(bytes) {
    let files = 0;
    for (const raw of splitMails(bytes)) {
      const { lines, line, firstLine } = await readMail(FILE, raw);
      verify(line >= 1 && (firstLine ?? line) >= line, 'a mail whose text is before its headers');
      const diff = parseDiff(lines);
      verifySame(parseDiff(lines), diff, 'read again');
      files += diff.files.length;
    }
    // A mail without a patch is not wrong; it says nothing about what reads patches.
    return files > 0;
  },
};
