/** docs/errors.md: every error code of the program has a line, and no other code has one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** Codes that are string literals in src/. */
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

  test('has no code that src/ does not use', () => {
    expect(described.filter((code) => !inSource.includes(code))).toEqual([]);
  });

  test('has each code once, with its meaning and the remedy', () => {
    expect(described).toEqual([...new Set(described)]);
    const empty = rows.filter(([, , rest = '']) =>
      rest.split('|').some((cell) => !/\w/.test(cell)),
    );
    expect(empty.map(([, code]) => code)).toEqual([]);
  });
});
