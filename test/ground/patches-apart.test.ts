/**
 * Only the series has the list of hunks. The machine, the kernel, the firmware, the trace, the sequencer and the rooms
 * of the patches never test which are applied, so that the effect of leaving out a hunk results from the machine alone.
 * The command line and the analysis may: they print hunk ids and select rows by them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** Rooms that may compare hunk ids, each with its reason. */
const MAY_TEST: Readonly<Record<string, string>> = {
  series: 'it selects and links hunks, and checks their needs',
  analysis: 'rows are about hunks, and are searched, ordered and coloured by their ids',
  cli: 'users name hunks and patches, and rows are selected by those names',
  lib: 'programs name hunks and patches, as users of the command line do',
  node: 'threads and files; it has no kernel',
  view: 'its page has a box for each hunk, by its id',
  review: 'records and diffs are of patches; it has no kernel',
};

/** Exceptions: lines that match a pattern and are allowed, each with its file and reason. */
const ALLOWED: readonly (readonly [file: string, text: string, why: string])[] = [
  [
    'kernel/kernel.ts',
    'if (entry.hunk !== undefined) this.uses?.add(entry);',
    'records hunks that ran',
  ],
  [
    'kernel/kernel.ts',
    'if (entry.hunk === undefined) return entry.body(this, ...args);',
    'records the origin of events',
  ],
  [
    'trace/render.ts',
    'if (origin.patch !== undefined) out.patch = origin.patch;',
    'prints the origin',
  ],
  [
    'trace/render.ts',
    'if (origin.hunk !== undefined) out.hunk = origin.hunk;',
    'prints the origin',
  ],
  [
    'trace/coalesce.ts',
    'return a.fn === b.fn && a.file === b.file && a.patch === b.patch && a.hunk === b.hunk;',
    'merges events of one origin',
  ],
  [
    'check/match-out.ts',
    'return (event.hunk !== undefined || TELLING.has(kind)) && first(event);',
    'writes the events of hunks',
  ],
  [
    'check/match-out.ts',
    'const seen = patches.filter((patch) => listed.has(patch));',
    'lists the patches of the events in the file',
  ],
  [
    'check/match-out.ts',
    'const unseen = patches.filter((patch) => !listed.has(patch));',
    'lists the other patches',
  ],
];

/** Patterns of code that tests which hunks or patches are applied. */
const TESTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a comparison of a hunk or patch', /\b(?:hunks?|patch|stage)\b\)?\s*(?:[=!]==?|[<>]=?)(?!>)/],
  [
    'a comparison with a hunk or patch',
    /(?:[=!]==|(?<!=)[<>]=?)\s*(?:\w+\??\.)*(?:hunk|patch|stage)\b/,
  ],
  [
    'a search among hunks',
    /\b(?:hunks?|patches|without|uses|applied)\??\.(?:includes|has|some|find|every|filter|indexOf)\(/,
  ],
  ['the id of a hunk', /['"`](?:0[1-9]|1[0-8])\/[a-z_]/i],
  ['a choice by hunk or patch', /\bswitch\s*\([^)]*\b(?:hunk|patch|stage)\b/],
  ['the series', /\b(?:allHunks|hunksOf|patchOf|removableHunks)\b/],
];

/** A text without its comments; line numbers do not change. */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (found) => (/^\/[/*]/.test(found) ? found.replace(/[^\n]/g, ' ') : found),
  );
}

/** The lines of a file that match a pattern, as `file:line: pattern: text`. */
function testsIn(file: string, text: string): string[] {
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => {
      const code = line.trim();
      // A room names its own hunk, and the hunk that it replaces; any other id in a line counts.
      const named = code.replace(/^(?:id|instead): '\d\d\/[\w.-]+',/, '');
      if (ALLOWED.some(([where, allowed]) => where === file && allowed === code)) return [];
      return TESTS.filter(([, pattern]) => pattern.test(named)).map(
        ([name]) => `${file}:${String(index + 1)}: ${name}: ${code}`,
      );
    });
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !Object.hasOwn(MAY_TEST, file.split('/')[0] ?? ''))
  .sort();

describe('the check that no room tests which hunks are applied', () => {
  test('reads every room that must not', () => {
    const rooms = new Set(files.map((file) => file.split('/')[0]));
    for (const room of ['kernel', 'machine', 'firmware', 'trace', 'sequencer', 'initrd', 'kvm']) {
      expect(rooms).toContain(room);
    }
    for (const room of Object.keys(MAY_TEST)) expect(rooms).not.toContain(room);
  });

  test('finds no such code in src/', () => {
    const found = files.flatMap((file) => testsIn(file, readFileSync(join('src', file), 'utf8')));
    expect(found).toEqual([]);
  });

  test('finds such code when it is appended to any file', () => {
    const missed = files.filter((file) => {
      const text = `${readFileSync(join('src', file), 'utf8')}\nif (entry.hunk === id) return;\n`;
      return testsIn(file, text).length !== 1;
    });
    expect(missed).toEqual([]);
  });

  test('has no exception for a line that no longer exists', () => {
    for (const [file, text] of ALLOWED) {
      const lines = readFileSync(join('src', file), 'utf8').split('\n');
      expect([file, lines.some((line) => line.trim() === text)]).toEqual([file, true]);
    }
  });

  test.each([
    ["if (entry.hunk === '09/initrd') return;"],
    ["if ('x' !== entry?.hunk) return;"],
    ['const late = by.patch >= 9;'],
    ['if (9 < origin.patch) k.halt();'],
    ['return this.options.stage > 17;'],
    ['if (entry.hunks?.includes(id)) return;'],
    ['if (hunks.some((hunk) => bad(hunk))) return;'],
    ["const bad = new Set(['13/swiotlb']);"],
    ['const bad = `06/espfix`;'],
    ['switch (entry.hunk) {'],
    ['if (this.without.includes(name)) return;'],
    ['for (const hunk of allHunks()) use(hunk);'],
    ["id: '09/initrd', what: first ? '09/initrd' : '',"],
    ["/* why */ if (hunk === found) return; // '"],
    ["const text = 'it // is'; if (hunk === found) return;"],
    ['const text = `it // is`; if (hunk === found) return;'],
  ])('finds: %s', (line) => {
    expect(testsIn('kernel/kernel.ts', `const a = 1;\n${line}\n`)).toContainEqual(
      expect.stringMatching(/^kernel\/kernel\.ts:2: /),
    );
  });

  test.each([
    ['// if (hunk === "09/initrd") it would be wrong'],
    ['/** `09/initrd`: what hunk.patch === 9 is. */'],
    ["id: '09/initrd',"],
    ["instead: '09/initrd',"],
    ['replaces: { a: (previous) => (k) => previous(k) },'],
    ['const patch = entry.patch;'],
    ['hunks.map((hunk) => hunk.id);'],
  ])('accepts: %s', (line) => {
    expect(testsIn('kernel/kernel.ts', line)).toEqual([]);
  });

  test('accepts an exception only in its file', () => {
    const [[, text = ''] = []] = ALLOWED;
    expect(testsIn('kernel/kernel.ts', text)).toEqual([]);
    expect(testsIn('machine/cpu.ts', text)).toHaveLength(1);
  });
});
