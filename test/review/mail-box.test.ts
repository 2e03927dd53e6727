import { describe, expect, test } from '@jest/globals';
import { isMailbox, splitMails } from '../../src/review/mail-box.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const split = (text: string): [number, string][] =>
  splitMails(bytes(text)).map((mail) => [mail.line, new TextDecoder().decode(mail.bytes)]);

const MAIL = 'Subject: one\n\nbody\n';

describe('mails of a mailbox', () => {
  test.each([
    ['b4', 'From mboxrd@z Thu Jan  1 00:00:00 1970'],
    ['git format-patch', 'From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001'],
    ['a mail program', 'From a@example.org Tue Apr 26 17:56:04 2016'],
    ['with a zone', 'From a@example.org Tue Apr 26 17:56:04 -0500 2016'],
    ['with a zone after the year', 'From a@example.org Tue Apr 26 17:56:04 2016 -0500'],
  ])('separated as %s writes them', (_name, from) => {
    expect(split(`${from}\n${MAIL}\n${from}\nSubject: two\n\nmore\n`)).toEqual([
      [2, `${MAIL}\n`],
      [7, 'Subject: two\n\nmore\n'],
    ]);
  });

  test('lines may end with CR LF', () => {
    const text = 'From a@b Thu Jan  1 00:00:00 1970\r\nSubject: a\r\n\r\nx\r\n'.repeat(2);
    expect(split(text).map(([line]) => line)).toEqual([2, 6]);
  });

  test('a sentence that begins with From separates nothing', () => {
    const body = 'Subject: a\n\nFrom here on it works.\nFrom then Thu Jan  1 00:00:00 1970\n- x\n';
    const text = `From a@b Thu Jan  1 00:00:00 1970\n${body}`;
    expect(split(text)).toEqual([[2, body]]);
  });

  test('a quoted From loses one quote', () => {
    const text =
      'From a@b Thu Jan  1 00:00:00 1970\nSubject: a\n\n>From here\n>>From there\n> From\n>Fro\n';
    expect(split(text)).toEqual([[2, 'Subject: a\n\nFrom here\n>From there\n> From\n>Fro\n']]);
  });

  test('a file without a separator is one mail, an empty one none', () => {
    expect(split(MAIL)).toEqual([[1, MAIL]]);
    expect(split('')).toEqual([]);
    expect(isMailbox(bytes(MAIL))).toBe(false);
  });

  test('a separator at the end begins no mail', () => {
    expect(split('From a@b Thu Jan  1 00:00:00 1970\n')).toEqual([
      [1, 'From a@b Thu Jan  1 00:00:00 1970\n'],
    ]);
  });

  test('a mailbox of many lines is split in linear time', () => {
    const many = 'From a@b Thu Jan  1 00:00:00 1970\nSubject: a\n\nx\n'.repeat(20_000);
    expect(splitMails(bytes(many))).toHaveLength(20_000);
  });
});
