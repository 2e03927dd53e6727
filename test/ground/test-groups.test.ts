/** scripts/test-groups.mjs: which test files each script runs, and the last line of its output. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { GROUPS, groupOf, leftTo, SCRIPTS, testFiles } from '../../scripts/test-groups.mjs';
import { firstOf } from '../cases.js';

/** Without the report directory of this run of jest. */
const env = { ...process.env, JEST_REPORTS: '' };

describe('each test file', () => {
  test.each([
    ['machine/cache/cache.test.ts', 'quick'],
    ['series/link.test.ts', 'quick'],
    ['series/alternatives.test.ts', 'exhaustive'],
    ['firmware/loader.test.ts', 'rest'],
    ['machine/memory/watch-lines.exhaustive.test.ts', 'exhaustive'],
    ['series/alternatives.exhaustive.test.ts', 'exhaustive'],
    ['linux/mm/memblock.test.ts', 'rest'],
    ['stages/resume.test.ts', 'exhaustive'],
    ['stages/invariants-efi.test.ts', 'exhaustive'],
    ['stages/invariants.test.ts', 'rest'],
    ['real/images.test.ts', 'real'],
    ['browser/matrix-page.test.ts', 'browser'],
    ['live/archives.test.ts', 'live'],
  ])('%s is in the group %s', (path, group) => {
    expect(groupOf(path)).toBe(group);
  });

  test('is run by one of the scripts', () => {
    const run = new Set(Object.values(SCRIPTS).flatMap((runs) => runs.flatMap((r) => r.groups)));
    expect([...run].sort()).toEqual(Object.keys(GROUPS).sort());
    expect(testFiles().length).toBeGreaterThan(100);
  });
});

describe('the scripts of package.json', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: Record<string, string>;
  };

  test.each(Object.keys(SCRIPTS))('have %s, which passes its name to scripts/jest.mjs', (name) => {
    expect(scripts[name]).toBe(`node scripts/jest.mjs ${name}`);
  });

  test.each(
    firstOf(2, [
      [['test:quick'], 'machine/cache/cache.test.ts', 'sequencer/boot.test.ts'],
      [['test'], 'sequencer/boot.test.ts', 'stages/resume.test.ts'],
      [['test:exhaustive'], 'stages/resume.test.ts', 'sequencer/boot.test.ts'],
      [['test:live'], 'live/archives.test.ts', 'machine/cache/cache.test.ts'],
      // Paths select from all groups that a new machine can run.
      [['test', 'test/stages', 'test/real'], 'stages/resume.test.ts', 'real/images.test.ts'],
    ]),
  )('%j run %s and not %s', (argv, one, other) => {
    const ran = spawnSync(process.execPath, ['scripts/jest.mjs', ...argv, '--listTests'], {
      encoding: 'utf8',
      env,
    });
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain(`/test/${one}\n`);
    expect(ran.stdout).not.toContain(`/test/${other}\n`);
  });
});

describe('the last line of a script', () => {
  const files = ['trace/a', 'linux/b', 'linux/c.exhaustive', 'real/d', 'real/e'].map(
    (name) => `${name}.test.ts`,
  );

  test.each([
    ['test:quick', 'left to npm run test (1 file), test:all (1 file), test:real (2 files)'],
    ['test', 'left to npm run test:all (1 file), test:real (2 files)'],
    ['test:all', 'left to npm run test:real (2 files)'],
    ['test:real', 'left to npm run test (2 files), test:all (1 file)'],
  ])('of %s: %s', (script, line) => {
    expect(leftTo(script, { files })).toBe(line);
  });

  test('is empty if no test file is left to another script', () => {
    expect(leftTo('test', { files: ['trace/a.test.ts'] })).toBe('');
  });

  test('counts the cases that test/cases.ts leaves to test:all', () => {
    expect(leftTo('test', { files, cases: 7 })).toBe(
      'left to npm run test:all (1 file, 7 cases), test:real (2 files)',
    );
    expect(leftTo('test', { files: ['trace/a.test.ts'], cases: 1 })).toBe(
      'left to npm run test:all (1 case)',
    );
  });

  test('counts the tests that ran', () => {
    const argv = ['scripts/jest.mjs', 'test/base/optional.test.ts', '-i'];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
    expect(status).toBe(0);
    expect(stderr).toMatch(/Ran all test suites.*\n[1-9]\d* passed, 0 failed\n$/);
  });
});
