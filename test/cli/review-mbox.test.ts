import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sme, type Ran } from './io.js';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-mbox-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const review = (path: string, ...argv: string[]): Promise<Ran> =>
  sme(['review', '--mbox', join(dir, path), ...argv]);
const write = (path: string, data: string | Uint8Array): void => {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), data);
};

/** Patch 02 with lines of our own: as many as the record counts. */
const KCONFIG = `diff --git a/arch/x86/Kconfig b/arch/x86/Kconfig
--- a/arch/x86/Kconfig
+++ b/arch/x86/Kconfig
@@ -10,1 +10,10 @@ config BEFORE
 # before
+config AMD_MEM_ENCRYPT
+\tbool "one"
+\tdepends on TWO
+\thelp
+\t  three
+\t  four
+\t  five
+\t  six
+
`;
const MAIL = (subject: string, id: string, text: string): string =>
  `From mboxrd@z Thu Jan  1 00:00:00 1970
From: A <a@example.org>
Subject: ${subject}
Message-ID: <${id}>

A text.
---
${text}
`;
const ID = '20160426225614.13567.47487.stgit@tlendack-t1.amdoffice.net';
const SUBJECT = '[RFC PATCH v1 02/18] x86: Secure Memory Encryption (SME)\n build enablement';

interface Report {
  ok: boolean;
  rows: { patch?: number; claim: string; state: string; source?: { file: string; line: number } }[];
  series: { recorded: boolean; patches: { record: number; mail: unknown; coverage: object }[] }[];
  replies: unknown[];
  others: unknown[];
  ignored: unknown[];
}
const json = async (path: string): Promise<Report> =>
  JSON.parse((await review(path, '--format', 'json')).out) as Report;

describe('review --mbox', () => {
  test('compares a mailbox with the records, and exits with 1 where patches are missing', async () => {
    write('a.mbox', MAIL(SUBJECT, ID, KCONFIG) + MAIL('Re: [RFC PATCH v1 02/18] x', 'r@x', 'no'));
    const { status, out, err } = await review('a.mbox');
    expect({ status, err }).toEqual({ status: 1, err: '' });
    expect(out).toMatch(
      /^the series as recorded, version 1 of 18\n1 patch read: 1 found by Message-ID/,
    );
    expect(out).toMatch(/^02\/18 +02 +1 +1 +0 +0 +x86: Secure .* \(agrees\)$/m);
    expect(out).toMatch(/^02 +\d+ +x86: Secure Memory Encryption/m);
    expect(out).toContain('Not compared: 1 reply.');
    expect(out).toMatch(/^07 a mail of .*: missing; record read in the v2 form, Message-ID /m);
  });

  test('fits 76 columns', async () => {
    const { out } = await sme(['review', '--mbox', join(dir, 'a.mbox')], { COLUMNS: '76' });
    const own = out.split('\n').filter((line) => line.length > 76);
    expect(own).toEqual([]);
  });

  test('as JSON, with the coverage of each patch and the lines of the mails', async () => {
    const report = await json('a.mbox');
    expect(report.ok).toBe(false);
    expect(report.series[0]?.patches[1]).toMatchObject({
      record: 2,
      mail: { number: '02/18', line: 2, messageId: ID },
      coverage: { modelled: 1, notModelled: 0, unrecorded: 0 },
    });
    expect(report.replies).toHaveLength(1);
    const row = report.rows.find(({ claim }) => claim.startsWith('CONFIG_AMD_MEM_ENCRYPT'));
    expect(row).toMatchObject({ patch: 2, state: 'agrees', source: { line: 14 } });
  });

  test.each([['sarif'], ['github'], ['html']])('as %s', async (format) => {
    const { status, out } = await review('a.mbox', '--format', format);
    expect(status).toBe(1);
    expect(out).toContain('record read in the v2 form');
    expect(out).not.toContain('the root of the kernel source tree');
  });

  test('reads a folder of mails and patches', async () => {
    write('folder/one.patch', MAIL(SUBJECT, ID, KCONFIG));
    write('folder/new/two.eml', `Subject: [RFC PATCH v1 00/18] cover\n\ntext\n`);
    const { out } = await review('folder', '--all');
    expect(out).toMatch(
      /^02 CONFIG_AMD_MEM_ENCRYPT: config added in arch\/x86\/Kconfig: agrees at .*one.patch:14$/m,
    );
  });
});

describe('what is no series is refused with status 2', () => {
  const refused = async (path: string): Promise<string> => {
    const { status, out, err } = await review(path);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    return err;
  };

  test('mails of something else', async () => {
    write('other.eml', 'Subject: hello\n\ntext\n');
    expect(await refused('other.eml')).toMatch(
      /^sme-boot: E_NO_SERIES: .*other.eml: expected patches of the series, as a mailbox or mails, found 1 mail, no patch/,
    );
    write('empty.mbox', '');
    expect(await refused('empty.mbox')).toContain('found 0 mails');
  });

  test('binary files, missing files, and too large ones', async () => {
    write('binary.mbox', Uint8Array.from([0x46, 0, 1, 2]));
    expect(await refused('binary.mbox')).toMatch(/E_MAIL: .*expected a mail, found a zero byte/);
    expect(await refused('nothing.mbox')).toMatch(/E_READ: .*no such file/);
    write('large.eml', `Subject: a\n\n${'x'.repeat(2 ** 22)}`);
    expect(await refused('large.eml')).toMatch(
      /E_MAIL: .*large.eml:1: expected at most 4194304 bytes/,
    );
    write('huge.mbox', new Uint8Array(100_000_000).fill(0x61));
    expect(await refused('huge.mbox')).toMatch(
      /E_FILE_TOO_LARGE: .*expected at most 16777216 bytes/,
    );
  });

  test('too many mails, headers without an end, parts within parts', async () => {
    write('many.mbox', 'From a@b Thu Jan  1 00:00:00 1970\nSubject: a\n\nx\n'.repeat(2001));
    expect(await refused('many.mbox')).toMatch(
      /E_MAIL: .*many.mbox: expected at most 2000 mails, found 2001/,
    );
    write('headers.eml', `Subject: a\n${'X: y\n'.repeat(600_000)}\ntext`);
    expect(await refused('headers.eml')).toMatch(/E_MAIL: .*headers.eml:1: /);
    const part = (n: number): string =>
      `Content-Type: multipart/mixed; boundary=b${String(n)}\n\n--b${String(n)}\n`;
    write('deep.eml', `Subject: a\n${Array.from({ length: 60 }, (_, n) => part(n)).join('')}`);
    expect(await refused('deep.eml')).toMatch(/E_MAIL|E_NO_SERIES/);
  });

  test('other options with it', async () => {
    const { status, err } = await review('a.mbox', '--tree', '.');
    expect(status).toBe(2);
    expect(err).toContain('a posted series is reviewed by itself: --tree would have no effect');
  });
});

describe('hostile input', () => {
  test('a folder is read without following links, and what is not read is said', async () => {
    write('links/one.eml', MAIL(SUBJECT, ID, KCONFIG));
    write('links/binary.eml', Uint8Array.from([0, 1]));
    symlinkSync('.', join(dir, 'links', 'loop'));
    symlinkSync('/etc/passwd', join(dir, 'links', 'out.eml'));
    symlinkSync('nowhere', join(dir, 'links', 'broken.eml'));
    symlinkSync('one.eml', join(dir, 'links', 'same.eml'));
    const { out } = await review('links');
    expect(out.match(/^Not read: .*$/gm)?.map((line) => line.replace(`${dir}/`, ''))).toEqual([
      'Not read: links/broken.eml, a link that leads nowhere.',
      'Not read: links/loop, a link to what is read where it is.',
      'Not read: links/out.eml, a link out of the folder.',
      'Not read: links/same.eml, a link to what is read where it is.',
      'Not read: links/binary.eml, a binary file.',
    ]);
    expect(out).toContain('1 patch read');
  });

  test('names and subjects of mails are shown escaped, and open nothing', async () => {
    const name = '../../etc/\\033[31m<b>passwd</b>';
    const diff = `diff --git "a/${name}" "b/${name}"\n--- "a/${name}"\n+++ "b/${name}"\n@@ -0,0 +1 @@\n+int a;\n`;
    const subject = `${SUBJECT}\u001b]0;x\u0007\u202e`;
    write('hostile.mbox', MAIL(subject, ID, KCONFIG + diff));
    const { status, out } = await review('hostile.mbox');
    expect(status).toBe(1);
    expect(out).toContain('../../etc/\\u001b[31m<b>passwd</b>');
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    const page = (await review('hostile.mbox', '--format', 'html')).out;
    expect(page).toContain('&lt;b&gt;passwd');
    expect(page).not.toContain('<b>passwd');
    expect((await review('hostile.mbox', '--format', 'github')).out).not.toContain('\u001b');
  });
});
