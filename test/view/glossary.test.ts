/** The glossary of the viewer's page. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { glossaryOf } from '../../src/view/glossary.js';

test('takes a term and its meaning from a list item, without marks', () => {
  const text = [
    '# Terms',
    '',
    '- **C-bit**. The bit of an `entry`',
    '  that selects *encryption*.',
    '- **SYSCFG[23]**, MemEncryptionModEn. The MSR bit.',
    '- an item without a term',
    '',
    'A paragraph.',
    '',
  ].join('\n');
  expect(glossaryOf(text)).toEqual([
    ['C-bit', 'The bit of an entry that selects *encryption*.'],
    ['SYSCFG[23]', 'MemEncryptionModEn. The MSR bit.'],
  ]);
});

test('has every term of docs/glossary.md', () => {
  const markdown = readFileSync('docs/glossary.md', 'utf8');
  const terms = [...markdown.matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, term]) => term);
  expect(terms.length).toBeGreaterThan(20);
  const entries = glossaryOf(markdown);
  expect(entries.map(([term]) => term)).toEqual(terms.map((term) => term?.replaceAll('`', '')));
  for (const [, meaning] of entries) expect(meaning.length).toBeGreaterThan(10);
});
