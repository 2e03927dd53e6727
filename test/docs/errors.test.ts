/** docs/errors.md: every code that the program can give has its line, and no other code has one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** Codes that stand in src/ as text of their own. */
const inSource = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => [
    ...readFileSync(join('src', name), 'utf8').matchAll(/(['"`])(E_[A-Z0-9_]+)\1/g),
  ])
  .map(([, , code = '']) => code);

const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| +`(E_\w+)` +\|(.*)\|$/gm)];
const described = rows.map(([, code = '']) => code);

describe('docs/errors.md', () => {
  test('has each code of src/', () => {
    expect(inSource.length).toBeGreaterThan(100);
    expect([...new Set(inSource)].filter((code) => !described.includes(code))).toEqual([]);
  });

  test('has no code that nothing gives', () => {
    expect(described.filter((code) => !inSource.includes(code))).toEqual([]);
  });

  test('has each code once, with what it means and what to do', () => {
    expect(described).toEqual([...new Set(described)]);
    const empty = rows.filter(([, , rest = '']) =>
      rest.split('|').some((cell) => !/\w/.test(cell)),
    );
    expect(empty.map(([, code]) => code)).toEqual([]);
  });
});
