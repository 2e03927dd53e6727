import { describe, expect, test } from '@jest/globals';
import { likeness, readSubject, type PatchSubject } from '../../src/review/mail-subject.js';

describe('the prefix of a patch', () => {
  test.each<[string, Partial<PatchSubject>]>([
    ['[RFC PATCH v1 01/18] x86: a b', { version: 1, number: 1, count: 18, title: 'x86: a b' }],
    ['[PATCH RFC 1/18] x', { number: 1, count: 18, title: 'x' }],
    ['[RFC v2 3/4] x', { version: 2, number: 3, count: 4 }],
    ['[PATCHv3 03/04] x', { version: 3, number: 3, count: 4 }],
    ['[PATCH-v3] x', { version: 3 }],
    ['[patch V4 3/4] x', { version: 4, number: 3 }],
    ['[RFC][PATCH 2/3] x', { number: 2, count: 3 }],
    ['[RESEND PATCH v2 2/3] x', { version: 2, number: 2, resend: true }],
    ['[PATCH RESEND, v2, 2/3] x', { version: 2, number: 2, resend: true }],
    ['[linux-mm] [PATCH 00/10] cover', { number: 0, count: 10, title: 'cover' }],
    ['[PATCH]  a\t b ', { title: 'a b' }],
    ['[PATCH 1/2] array[3] of [things]', { number: 1, title: 'array[3] of [things]' }],
  ])('%s', (subject, parts) => {
    expect(readSubject(subject)).toMatchObject({ isPatch: true, isReply: false, ...parts });
  });

  test.each([
    ['Re: [PATCH 1/2] x', true],
    ['RE: Re: [PATCH 1/2] x', true],
    ['AW: [PATCH 1/2] x', true],
    ['Re[2]: [PATCH 1/2] x', true],
    ['[list] Re: [PATCH 1/2] x', true],
    ['Fwd: [PATCH 1/2] x', true],
    ['[PATCH 1/2] re: x', true],
    ['[PATCH 1/2] x86: reset', false],
  ])('%s is a reply: %s', (subject, isReply) => {
    expect(readSubject(subject).isReply).toBe(isReply);
  });

  test.each(['hello', '[ANNOUNCE] 4.6', '', '[', '[PATCH', '[[PATCH 1/2]] x'])(
    'no patch: "%s"',
    (subject) => {
      expect(readSubject(subject)).toMatchObject({ isPatch: false });
    },
  );

  test('numbers of absurd length are no numbers', () => {
    expect(readSubject('[PATCH 00001/99999] x')).not.toHaveProperty('count');
  });

  test('a hostile subject is read in bounded time', () => {
    const parts = readSubject('['.repeat(100_000) + 'Re: '.repeat(100_000));
    expect(parts.isPatch).toBe(false);
  });
});

test('titles are alike by their words', () => {
  expect(likeness('x86: Add the cpu feature', 'x86: add the CPU feature')).toBe(1);
  expect(likeness('x86: Add the cpu feature', 'x86: Add a cpu feature')).toBeGreaterThan(0.7);
  expect(likeness('x86: Add the cpu feature', 'mm: fix it')).toBe(0);
  expect(likeness('', '')).toBe(0);
});
