/**
 * Only the series knows which hunks there are. The machine, the kernel, the firmware, the trace, the sequencer and the
 * rooms of the patches never ask which are applied, so that the effect of leaving a hunk out is the machine's doing.
 * The command line and the analysis are free: they name hunks to users and choose rows by them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** Rooms that may compare ids, each with its reason. */
const MAY_ASK: Readonly<Record<string, string>> = {
  series: 'it puts hunks together, leaves them out and knows who needs whom',
  analysis: 'rows are about hunks, and are found, ordered and coloured by their ids',
  cli: 'users name hunks and patches, and rows are chosen by those names',
  node: 'threads and files; it has no kernel',
};

/** Places that look like a question and are none: the file, and the text that is allowed there. */
const NO_QUESTION: readonly (readonly [file: string, text: string, why: string])[] = [
  ['kernel/kernel.ts', 'if (entry.hunk !== undefined) this.uses?.add(entry);', 'notes who ran'],
  [
    'kernel/kernel.ts',
    'if (entry.hunk === undefined) return entry.body(this, ...args);',
    'notes who acts',
  ],
  [
    'trace/render.ts',
    'if (origin.patch !== undefined) out.patch = origin.patch;',
    'prints who acts',
  ],
  ['trace/render.ts', 'if (origin.hunk !== undefined) out.hunk = origin.hunk;', 'prints who acts'],
  [
    'trace/coalesce.ts',
    'return a.fn === b.fn && a.file === b.file && a.patch === b.patch && a.hunk === b.hunk;',
    'joins events of one place',
  ],
];

/** What a question looks like. */
const QUESTIONS: readonly (readonly [name: string, pattern: RegExp])[] = [
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
  ['the series', /\b(?:allHunks|hunksOf|patchOf|leavable)\b/],
];

/** A text without its comments; lines stay where they are. */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (found) => (/^\/[/*]/.test(found) ? found.replace(/[^\n]/g, ' ') : found),
  );
}

/** The questions that a file asks, as `file:line: question: text`. */
function questions(file: string, text: string): string[] {
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => {
      const code = line.trim();
      // A room says what its own hunk is called, and whose place it takes; nothing else of a line with an id is a name.
      const named = code.replace(/^(?:id|instead): '\d\d\/[\w.-]+',/, '');
      if (NO_QUESTION.some(([where, allowed]) => where === file && allowed === code)) return [];
      return QUESTIONS.filter(([, pattern]) => pattern.test(named)).map(
        ([name]) => `${file}:${String(index + 1)}: ${name}: ${code}`,
      );
    });
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !Object.hasOwn(MAY_ASK, file.split('/')[0] ?? ''))
  .sort();

describe('no question which hunks or patches are applied', () => {
  test('is looked for in every room that may not ask', () => {
    const rooms = new Set(files.map((file) => file.split('/')[0]));
    for (const room of ['kernel', 'machine', 'firmware', 'trace', 'sequencer', 'initrd', 'kvm']) {
      expect(rooms).toContain(room);
    }
    for (const room of Object.keys(MAY_ASK)) expect(rooms).not.toContain(room);
  });

  test('is asked', () => {
    const found = files.flatMap((file) => questions(file, readFileSync(join('src', file), 'utf8')));
    expect(found).toEqual([]);
  });

  test('is missed at the end of any file', () => {
    const missed = files.filter((file) => {
      const text = `${readFileSync(join('src', file), 'utf8')}\nif (entry.hunk === id) return;\n`;
      return questions(file, text).length !== 1;
    });
    expect(missed).toEqual([]);
  });

  test('is allowed that nobody asks any more', () => {
    for (const [file, text] of NO_QUESTION) {
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
  ])('is missed: %s', (line) => {
    expect(questions('kernel/kernel.ts', `const a = 1;\n${line}\n`)).toContainEqual(
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
  ])('is seen where there is none: %s', (line) => {
    expect(questions('kernel/kernel.ts', line)).toEqual([]);
  });

  test('is allowed anywhere else than where it is', () => {
    const [[, text = ''] = []] = NO_QUESTION;
    expect(questions('kernel/kernel.ts', text)).toEqual([]);
    expect(questions('machine/cpu.ts', text)).toHaveLength(1);
  });
});
