/** docs/expectations.md and the JSON Schema of expectations against the reader and the evaluation of match files. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { InputError } from '../../src/base/errors.js';
import { expectationJsonSchema, readExpectation } from '../../src/check/expectation.js';

const PAGE = 'docs/expectations.md';
const text = readFileSync(PAGE, 'utf8');
/** The files of the page, and the commands that check them with their quoted output. */
const files = [...text.matchAll(/^```yaml (\S+\.yaml)\n([\s\S]*?)^```$/gm)].map(
  ([, name = '', yaml = '']) => ({ name, yaml }),
);
const checks = [...text.matchAll(/^\$ sme-boot check (\S+\.yaml)\n((?:(?!\$ |```).*\n)*)/gm)].map(
  ([, name = '', output = '']) => ({ name, output }),
);

const schema = z.fromJSONSchema(expectationJsonSchema());

/** The error code with which a text is refused; undefined if it is accepted. */
function refusal(yaml: string): string | undefined {
  try {
    readExpectation('a.yaml', yaml);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
}

describe('docs/expectations.md', () => {
  test('checks each of its files, and quotes the result', () => {
    expect(files.length).toBeGreaterThan(8);
    const checked = new Set(checks.filter(({ output }) => output !== '').map(({ name }) => name));
    // Suppressions are a part of the file that names them.
    const unchecked = files.map(({ name }) => name).filter((name) => !checked.has(name));
    expect(unchecked).toEqual(['suppress.yaml']);
  });

  test.each(['expect', 'next', 'not', 'any-order', 'count'])(
    'has an example of %s that holds and one that fails',
    (kind) => {
      const quoted = checks.flatMap(({ output }) => output.split('\n'));
      const own = quoted.filter((line) =>
        new RegExp(`^ +(?:\\S+:\\d+:\\d+: )?match\\[\\d+\\] ${kind} `).test(line),
      );
      const holds = (line: string): boolean =>
        /: (?:found|counted|absent, as required)$/.test(line);
      expect(own.some(holds)).toBe(true);
      expect(own.some((line) => !holds(line))).toBe(true);
    },
  );

  test.each(files)('$name is accepted, or refused if the page documents that', ({ name, yaml }) => {
    const refused = checks.some((each) => each.name === name && /E_\w+/.test(each.output));
    expect(refusal(yaml) !== undefined).toBe(refused);
  });
});

const RUN = 'expect: match\nrun: { scenario: bios-minimal }\n';

describe('the JSON Schema of expectations', () => {
  test.each(files.filter(({ yaml }) => refusal(yaml) === undefined))(
    'accepts $name, as the reader does',
    ({ yaml }) => {
      expect(schema.safeParse(parse(yaml)).success).toBe(true);
    },
  );

  // Errors that an editor can mark; only the reader refuses captures, ranges and files that expect nothing.
  test.each([
    ['an unknown key', `${RUN}speed: 9\nmatch: [{ expect: { cr: CR3 } }]`],
    ['an unknown key of run', 'expect: match\nrun: { scenario: a, speed: 9 }\noutcome: {}'],
    ['no run', 'expect: match\noutcome: { kind: booted }'],
    ['an unknown directive', `${RUN}match: [{ after: { cr: CR3 } }]`],
    ['two directives in one', `${RUN}match: [{ expect: { cr: CR3 }, next: { cr: CR3 } }]`],
    ['a pattern without a kind', `${RUN}match: [{ expect: { C: 1 } }]`],
    ['a pattern of two kinds', `${RUN}match: [{ expect: { cr: CR3, map: 0x0 } }]`],
    ['a field of another kind', `${RUN}match: [{ expect: { cr: CR3, phys: 0x0 } }]`],
    ['a kind that is absent', `${RUN}match: [{ expect: { cr: null } }]`],
    ['one pattern in any-order', `${RUN}match: [{ any-order: [{ cr: CR3 }] }]`],
    ['a count without times', `${RUN}match: [{ count: { cr: CR3 } }]`],
    ['a negative count', `${RUN}match: [{ count: { cr: CR3 }, times: -1 }]`],
    ['an empty list', `${RUN}match: []`],
    ['an unknown outcome', `${RUN}outcome: { kind: fine }`],
    ['an unknown state', `${RUN}final: { initrd: { state: encrypted } }`],
    ['an unknown key of a consumed entry', `${RUN}consumed: { initrd: { ok: true } }`],
  ])('refuses %s, as the reader does', (_what, yaml) => {
    expect(refusal(yaml)).toBe('E_EXPECTATION');
    expect(schema.safeParse(parse(yaml)).success).toBe(false);
  });
});
