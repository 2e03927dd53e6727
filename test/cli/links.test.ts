/** `--links`: templates of links, their checks, and what is put into them. */
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LINKS, linkOf, linkTemplates } from '../../src/cli/links.js';

describe('the templates', () => {
  test('are those of the archive and the cross-reference if none is given', () => {
    expect(linkTemplates([])).toEqual(DEFAULT_LINKS);
  });

  test('replace them one by one; a comma ends one only before a name', () => {
    const lore = 'https://example.org/?id={messageId},x&y=1';
    expect(linkTemplates([`lore=${lore},ident=`])).toEqual({ ...DEFAULT_LINKS, lore, ident: '' });
    expect(linkTemplates([`lore=${lore}`, 'lore='])).toEqual({ ...DEFAULT_LINKS, lore: '' });
  });

  test.each([
    ['', 'E_LINKS: --links: expected lore=URL,source=URL,ident=URL, found ""'],
    ['lore', 'E_LINKS: --links: expected lore=URL,source=URL,ident=URL, found "lore"'],
    ['sorce=https://a/{file}', 'did you mean source?'],
    ['__proto__=https://a/{file}', 'found "__proto__=https://a/{file}"'],
    ['lore=https://a/{messageID}', 'found {messageID}; did you mean messageId?'],
    ['lore=https://a/{file}', 'lore has no such placeholder; expected {messageId}, found {file}'],
    ['source=https://a/{release}', 'source would be the same for all; expected {file} in it'],
    ['source=https://a/b {file}', 'source is no address of the web'],
    ['source=javascript:alert({file})', 'source is no address of the web'],
    ['source=https://a/\u001b{file}', 'source is no address of the web'],
    ['source=https://a/\u202e{file}', 'source is no address of the web'],
    ['source=https://a/"><script>{file}', 'source is no address of the web'],
  ])('%j is refused: %s', (given, message) => {
    expect(() => linkTemplates([given])).toThrow(message);
  });
});

test('a link has each placeholder replaced, and only what a path cannot have escaped', () => {
  const templates = linkTemplates(['source=https://example.org/{release}/{file}#{release}']);
  expect(linkOf(templates, 'source', { release: 'v4.6', file: 'arch/x86/a b?#.c' })).toBe(
    'https://example.org/v4.6/arch/x86/a%20b%3F%23.c#v4.6',
  );
  expect(linkOf(templates, 'lore', { messageId: '1.2.stgit@host' })).toBe(
    'https://lore.kernel.org/r/1.2.stgit@host',
  );
  expect(linkOf(linkTemplates(['ident=']), 'ident', { function: 'f' })).toBeUndefined();
});
