import { describe, expect, test } from '@jest/globals';
import { readYaml } from '../../src/base/yaml-source.js';
import { lineFailure, linesOf, matchLines } from '../../src/check/lines.js';

const LINES = ['booted: /init', '  CPU 1 up', '  CPU 2 up', 'bytes aa bb', 'bytes aa bb'];

/** The directives of a YAML list. */
function parsed(yaml: string, bound = new Set<string>()) {
  const source = readYaml('q.yaml', `output:\n${yaml}`);
  const { output } = source.value as { output: unknown[] };
  return linesOf('E_QUESTION', source, ['output'], output, bound);
}

/** The headlines of the directives that fail. */
function failed(yaml: string, lines: readonly string[] = LINES, captures = new Map()): string[] {
  const { results } = matchLines(parsed(yaml), lines, captures);
  return results.flatMap((result) => lineFailure(result, lines)?.headline ?? []);
}

describe('directives about lines', () => {
  test.each([
    ['a whole line, without the spaces around it', "  - 'CPU 1 up'\n"],
    ['a part by a regular expression', "  - '/CPU \\d/'\n"],
    ['lines in their order', "  - '/booted/'\n  - '/CPU 2/'\n"],
    ['the line after the last match', "  - 'CPU 1 up'\n  - next: 'CPU 2 up'\n"],
    ['the absence of a line', "  - '/booted/'\n  - not: '/panic/'\n"],
    ['a number of lines', "  - { count: '/^CPU/', times: 2 }\n"],
    ['equal parts of two lines', "  - '/bytes (?<b>.*)/'\n  - '/bytes (?<b>.*)/'\n"],
  ])('match %s', (_what, yaml) => {
    expect(failed(yaml)).toEqual([]);
  });

  test.each([
    ["  - 'CPU 3 up'\n", 'expect CPU 3 up: no such line'],
    ["  - 'CPU'\n", 'expect CPU: no such line'],
    ["  - '/CPU 2/'\n  - '/CPU 1/'\n", 'expect /CPU 1/: no such line after "CPU 2 up"'],
    ["  - '/booted/'\n  - next: 'CPU 2 up'\n", 'next CPU 2 up: no such line after "booted: /init"'],
    ["  - not: '/CPU/'\n", 'not /CPU/: found, but forbidden'],
    ["  - { count: '/CPU/', times: { min: 3 } }\n", 'count /CPU/: expected 3 or more, found 2'],
    [
      "  - '/CPU (?<n>.)/'\n  - '/bytes (?<n>.)/'\n",
      'expect /bytes (?<n>.)/: no such line after "CPU 1 up"',
    ],
  ])('fail: %j', (yaml, headline) => {
    expect(failed(yaml)).toEqual([headline]);
  });

  test('share the captures of an earlier output', () => {
    const first = matchLines(parsed("  - '/bytes (?<b>.*)/'\n"), LINES, new Map());
    expect(failed("  - '/same (?<b>.*)/'\n", ['same aa bb'], new Map(first.captures))).toEqual([]);
    expect(failed("  - '/same (?<b>.*)/'\n", ['same cc'], new Map(first.captures))).toHaveLength(1);
  });

  test.each([
    [
      "  - next: 'x'\n",
      'E_QUESTION: q.yaml:2:11, output[0].next: next needs a directive before it',
    ],
    [
      "  - nxt: 'x'\n",
      /output\[0\]: expected a line in quotes, or one of .* found nxt; did you mean next/,
    ],
    ["  - { count: '/x/' }\n", /output\[0\]\.times/],
    ["  - { count: '/x/', times: { min: 2, max: 1 } }\n", /min is above max/],
    ["  - '/(/'\n", /output\[0\]: .*RE2 syntax/],
    ["  - { not: '/(?<b>x)/' }\n", /the capture \$b is not bound before this not/],
  ])('are refused: %j', (yaml, message) => {
    expect(() => parsed(yaml)).toThrow(message);
  });
});
