import { describe, expect, test } from '@jest/globals';
import { parseDiff, type Diff } from '../../src/review/diff-parse.js';
import { compareStat } from '../../src/review/diff-stat.js';

const parse = (text: string): Diff => parseDiff(text.split('\n'));
const reasons = (text: string): [number, string][] =>
  parse(text).problems.map(({ at, reason }) => [at, reason]);

const HEAD = 'diff --git a/a.c b/a.c\nindex 1..2 100644\n--- a/a.c\n+++ b/a.c\n';

describe('files and hunks', () => {
  test('lines have their numbers in both files and in the text', () => {
    const { files, start } = parse(
      `text\n${HEAD}@@ -3,3 +3,3 @@ int f(void)\n a\n-b\n+c\n d\n-- \n2.7\n`,
    );
    expect(start).toBe(1);
    expect(files).toMatchObject([
      {
        path: 'a.c',
        how: 'changed',
        added: 1,
        removed: 1,
        hunks: [
          {
            heading: 'int f(void)',
            at: 5,
            lines: [
              { sign: ' ', text: 'a', old: 3, new: 3, at: 6 },
              { sign: '-', text: 'b', old: 4, new: 0, at: 7 },
              { sign: '+', text: 'c', old: 0, new: 4, at: 8 },
              { sign: ' ', text: 'd', old: 5, new: 5, at: 9 },
            ],
          },
        ],
      },
    ]);
  });

  test.each([
    ['new', 'new file mode 100644\n--- /dev/null\n+++ b/a.c\n@@ -0,0 +1 @@\n+x\n', { how: 'new' }],
    [
      'deleted',
      'deleted file mode 100644\n--- a/a.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
      { how: 'deleted' },
    ],
    ['a mode', 'old mode 100644\nnew mode 100755\n', { how: 'changed', mode: '100755' }],
    ['binary', 'index 1..2\nBinary files a/a.c and b/a.c differ\n', { binary: true }],
    ['an empty new file', 'new file mode 100644\nindex 0..e\n', { how: 'new' }],
  ])('%s', (_name, rest, file) => {
    const { files, problems } = parse(`diff --git a/a.c b/a.c\n${rest}`);
    expect(problems).toEqual([]);
    expect(files).toMatchObject([{ path: 'a.c', ...file }]);
  });

  test.each([
    ['renamed', 'similarity index 100%\nrename from old/a b.c\nrename to new/a b.c\n', 'old/a b.c'],
    ['copied', 'similarity index 90%\ncopy from old/x.c\ncopy to new/a b.c\n', 'old/x.c'],
  ])('%s', (how, rest, oldPath) => {
    expect(parse(`diff --git a/${oldPath} b/new/a b.c\n${rest}`).files).toMatchObject([
      { how, oldPath, path: 'new/a b.c' },
    ]);
  });

  test('names with spaces, quoted names, other prefixes', () => {
    const paths = (text: string): string[] => parse(text).files.map(({ path }) => path);
    expect(paths('diff --git a/a b.c b/a b.c\nnew file mode 1\n')).toEqual(['a b.c']);
    expect(paths('diff --git "a/\\303\\244\\t.c" "b/\\303\\244\\t.c"\nnew file mode 1\n')).toEqual([
      'ä\t.c',
    ]);
    expect(paths('diff --git i/a.c w/a.c\nnew file mode 1\n')).toEqual(['a.c']);
    expect(paths('--- a/a.c\t2016-04-26\n+++ b/a.c\t2016-04-27\n@@ -1 +1 @@\n-a\n+b\n')).toEqual([
      'a.c',
    ]);
    expect(paths('diff --git a/../../etc/passwd b/../../etc/passwd\nnew file mode 1\n')).toEqual([
      '../../etc/passwd',
    ]);
  });

  test('removed lines that look like headers are lines', () => {
    const { files, problems } = parse(
      `${HEAD}@@ -1,2 +1 @@\n--- a comment\n-diff --git a/x b/x\n+++ y\n`,
    );
    expect(problems).toEqual([]);
    expect(files).toMatchObject([{ added: 1, removed: 2 }]);
  });

  test('an empty context line may have lost its space; a mark without line feed is no line', () => {
    const text = `${HEAD}@@ -1,3 +1,3 @@\n a\n\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n`;
    expect(parse(text)).toMatchObject({ problems: [], files: [{ added: 1, removed: 1 }] });
  });

  test('several files, and quoted ones of a reply are none', () => {
    const one = `${HEAD}@@ -1 +1 @@\n-a\n+b\n`;
    expect(parse(one + one.replaceAll('a.c', 'b.c')).files.map(({ path }) => path)).toEqual([
      'a.c',
      'b.c',
    ]);
    expect(parse(one.replace(/^/gm, '> ')).files).toEqual([]);
  });
});

describe('what is no correct diff is said', () => {
  test.each<[string, string, [number, string][]]>([
    [
      'cut',
      `${HEAD}@@ -1,3 +1,3 @@\n a\n-b`,
      [[4, 'the hunk has 2 old and 1 new lines, its header says 3 and 3']],
    ],
    [
      'cut by the next file',
      `${HEAD}@@ -1,3 +1,3 @@\n a\ndiff --git a/b.c b/b.c\nnew file mode 1\n`,
      [[4, 'the hunk has 1 old and 1 new lines, its header says 3 and 3']],
    ],
    [
      'too long',
      `${HEAD}@@ -1 +1 @@\n-a\n+b\n+c\n`,
      [[4, 'the hunk goes on after the lines that its header counts']],
    ],
    [
      'wrapped',
      `${HEAD}@@ -1,2 +1,2 @@\n-a\n+a long line that was\nwrapped\n b\n`,
      [[4, 'the hunk has 1 old and 1 new lines, its header says 2 and 2']],
    ],
    ['without a file', '@@ -1 +1 @@\n-a\n+b\n', [[0, 'a hunk without a file']]],
    [
      'a bad header',
      `${HEAD}@@ -1,x +1 @@\n`,
      [
        [4, 'a line @@ without the lines of a hunk'],
        [0, 'the diff of a.c has no hunk'],
      ],
    ],
    ['no hunk', HEAD, [[0, 'the diff of a.c has no hunk']]],
    ['combined', 'diff --cc a.c\n@@@ -1,1 -1,1 +1,1 @@@\n', [[0, 'a combined diff is not read']]],
    [
      'overlapping',
      `${HEAD}@@ -1,2 +1,2 @@\n a\n b\n@@ -2 +2 @@\n-c\n+d\n`,
      [[7, 'the hunk begins before the end of the one before it']],
    ],
    [
      'another file',
      'diff --git a/a.c b/a.c\n--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-a\n+b\n',
      [
        [1, 'the diff of a.c has the lines of b.c'],
        [0, 'the diff of a.c has no hunk'],
      ],
    ],
    [
      'paths that cannot be told apart',
      'diff --git a/a b c b/d\nnew file mode 1\n',
      [[0, 'the paths of this line cannot be read']],
    ],
  ])('%s', (_name, text, expected) => {
    expect(reasons(text)).toEqual(expected);
  });

  test('lines that are too long to be read for names', () => {
    expect(reasons(`${HEAD}@@ -0,0 +1,2 @@\n+a\n+${'f('.repeat(600)}\n`)).toEqual([
      [6, 'lines of more than 1000 characters are not read'],
    ]);
  });

  test('a hunk that counts a billion lines takes no memory', () => {
    expect(reasons(`${HEAD}@@ -1,999999999 +1,999999999 @@\n a`)).toHaveLength(1);
  });
});

describe('the diffstat of a mail', () => {
  const DIFF = `${HEAD}@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n`;
  const compare = (stat: string): string[] => {
    const lines = `---\n${stat}\n${DIFF}`.split('\n');
    return compareStat(lines, parseDiff(lines)).map(
      ({ what, expected, found }) => `${what}: ${expected}; ${found}`,
    );
  };
  test.each([
    [' a.c |    3 ++-\n 1 file changed, 2 insertions(+), 1 deletion(-)\n', []],
    [
      ' .../a.c |    3 ++-\n',
      ['.../a.c: 3 lines; no such file', 'a.c: no such file; a file of the diff'],
    ],
    [' ...a.c |    3 ++-\n', []],
    ['', []],
    ['a | table | 3\n', []],
    [' a.c |    4 ++--\n', ['a.c: 4 lines; 3 lines']],
    [' a.c | 3 ++-\n b.c | 1 +\n', ['b.c: 1 lines; no such file']],
    [' a.c | Bin 0 -> 12 bytes\n', ['a.c: a binary file; 3 lines']],
    [
      ' {x => }/a.c | 3 ++-\n',
      ['/a.c: 3 lines; no such file', 'a.c: no such file; a file of the diff'],
    ],
    [' b.c => a.c | 3 ++-\n', []],
    [
      ' a.c | 3 ++-\n 1 file changed, 3 insertions(+), 1 deletion(-)\n',
      ['all files: 1 files, +3 -1; 1 files, +2 -1'],
    ],
    [
      ' 2 files changed, 2 insertions(+), 1 deletion(-)\n',
      ['all files: 2 files, +2 -1; 1 files, +2 -1'],
    ],
  ])('%j', (stat, differences) => {
    expect(compare(stat)).toEqual(differences);
  });
});
