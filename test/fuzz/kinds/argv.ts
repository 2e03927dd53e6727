/** Command lines of sme-boot. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import { runCli } from '../../../src/cli/main.js';
import { EXIT } from '../../../src/cli/exit-codes.js';
import type { Io } from '../../../src/cli/io.js';
import { isPrintable } from '../../../src/base/printable.js';
import { verify, type Kind } from '../kind.js';
import { HOSTILE } from '../text.js';

/** Command lines that end soon: they list, print or refuse. */
const QUICK: readonly (readonly string[])[] = [
  ['--version'],
  ['--help'],
  ['run', '--help'],
  ['check', '--help'],
  ['inspect', '--help'],
  ['help', 'diff'],
  ['matrix', '--help'],
  ['list', 'scenarios'],
  ['list', 'stages'],
  ['list', 'series'],
  ['list', 'alternatives'],
  ['list', 'labels'],
  ['list', 'hunks'],
  ['list', 'hunks', '09'],
  ['patches'],
  ['patches', '9'],
  ['findings'],
  ['findings', 'vmcb'],
  ['findings', '--patch', '9'],
  ['schema', 'scenario'],
  ['schema', 'trace'],
  ['completion', 'bash'],
  ['completion', 'zsh'],
  ['completion', 'fish'],
  ['man'],
  ['__complete', 'run', ''],
  ['__complete', 'list', 's'],
];
/** Boots, each with a word that is refused before it begins. */
const REFUSED: readonly (readonly string[])[] = [
  ['run', 'no-such'],
  ['run', '--stage', '19'],
  ['run', '--set', 'a=b'],
  ['run', '--set', 'machine.ram=1'],
  ['run', '--without', '99/none'],
  ['run', '--with', 'none'],
  ['run', '--series', 'none'],
  ['run', '--kernel', 'none'],
  ['run', '--initrd', 'none'],
  ['run', '--dtb', 'none'],
  ['diff', '--stage', '17', '--stage', 'x'],
  ['inspect', '--at', 'nowhere'],
  ['bisect', 'none'],
  ['effects', '0'],
  ['probe', 'none'],
  ['check', 'none'],
  ['matrix', '--scenario', 'none'],
  ['trace', 'none'],
  ['scenario', 'from-dmesg', 'none'],
  ['check', '--shard', '2/1'],
];
const FLAGS = [
  '--color',
  'always',
  'never',
  '--verbose',
  '--help',
  '--format',
  'json',
  'yaml',
  'text',
  '--stage',
  '3',
  '--set',
  'machine.cpus=2',
  '--without',
  '09/initrd',
  '--jobs',
  '2',
  '--filter',
  'x',
  '-',
  '--',
  '-x',
  '--stub',
  '--cmdline',
  '--events',
  '--output',
];

/** Commands that boot. */
const BOOTS = new Set([
  'run',
  'check',
  'diff',
  'trace',
  'bisect',
  'matrix',
  'effects',
  'inspect',
  'probe',
]);

/** The lines of QUICK as they are. */
const PLAIN = new Set(QUICK.map((words) => JSON.stringify(words)));

/** A word without a path in it: the commands that write are given names in a folder of their own. */
const harmless = (word: string): string => word.replaceAll('/', '\u2215').replaceAll('\\', '_');

const edit = fc.record({
  op: fc.nat(4),
  at: fc.nat(99),
  word: fc.constantFrom(...HOSTILE.map(harmless), ...FLAGS),
});

const argv = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...QUICK) },
      { weight: 1, arbitrary: fc.constantFrom(...REFUSED) },
    ),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant([]) },
      { weight: 5, arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }) },
    ),
  )
  .map(([base, edits]) => {
    const words = [...base];
    for (const { op, at, word } of edits) {
      const place = at % (words.length + 1);
      if (op === 0) words.splice(place, 1);
      else if (op === 1) words.splice(place, 1, word);
      else if (op === 2) words[place] = `${words[place] ?? ''}${word}`;
      else words.splice(place, 0, word);
    }
    return new TextEncoder().encode(`${JSON.stringify(words)}\n`);
  });

/** Words of an input; none for an input that is no list of words. */
function wordsOf(bytes: Uint8Array): string[] | undefined {
  const list: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return Array.isArray(list) ? list.map(String) : undefined;
}

const LONGEST_OUTPUT = 2 ** 20;
let folder: string | undefined;

/** A folder in which commands run, made at the first one. */
function scratch(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), 'sme-boot-fuzz-'));
  process.on('exit', () => {
    rmSync(made, { recursive: true, force: true });
  });
  folder = made;
  return made;
}

export const argvKind: Kind = {
  name: 'argv',
  what: 'command lines of sme-boot',
  ext: 'json',
  inputs: 500,
  share: 1,
  placeless: true,
  arbitrary: argv,
  async read(bytes) {
    const words = wordsOf(bytes);
    if (words === undefined) return false;
    // A boot takes a second: words at the end make sure that none begins. One may be the value of an option.
    const boots = words.some((word) => BOOTS.has(word)) && !PLAIN.has(JSON.stringify(words));
    const all = boots ? [...words, '--no-such-option', '--no-such-option'] : words;
    let length = 0;
    let errors = '';
    const output = (keep: boolean): Io['stdout'] => ({
      write(text) {
        length += text.length;
        if (keep) errors += text;
      },
      isTTY: false,
      columns: undefined,
    });
    const io: Io = {
      stdout: output(false),
      stderr: output(true),
      paint: new Chalk({ level: 0 }),
      env: {},
      exitCode: 0,
    };
    // A worker has the folder of its process, which main.ts has set.
    const here = process.cwd();
    if (isMainThread) process.chdir(scratch());
    let status: number;
    try {
      status = await runCli(all, io);
    } finally {
      if (isMainThread) process.chdir(here);
    }
    verify(length <= LONGEST_OUTPUT, `${length} characters of output`);
    verify(status !== EXIT.fault, `a fault: ${errors}`);
    // A tab is one of the user's words as it is; all else is escaped.
    const shown = errors.replaceAll('\n', '').replaceAll('\t', '');
    verify(isPrintable(shown), `control characters in ${JSON.stringify(errors)}`);
    verify(status === 0 || errors !== '', `status ${status} without a message`);
    return status === EXIT.ok || status === EXIT.mismatch;
  },
};
