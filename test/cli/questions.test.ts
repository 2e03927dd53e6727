/** `sme-boot questions`, and questions in `sme-boot check`. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readQuestion } from '../../src/check/question.js';
import { readText } from '../../src/node/files.js';
import { setStdin } from '../../src/node/stdin.js';
import { firstOf } from '../cases.js';
import { sme } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-questions-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const files = readdirSync('questions').sort();
const shipped = files.map((name) => {
  const file = join('questions', name);
  return { id: String(Number(name.slice(0, 2))), file, ...readQuestion(file, readText(file)) };
});
const withCommands = shipped.filter(({ commands }) => commands.length > 0);

const HEAD = 'question: Does it boot?\nasked: { by: reader, about: RFC v1, messageId: null }\n';
/** A question of one command: labels, for it boots nothing. */
const LABELS = `${HEAD}answer: Yes.
commands:
  - run: sme-boot list labels
    output: ['startup_64', { next: 'startup_64:fixup' }]
`;

/** Writes a question and returns its path. */
function written(name: string, text: string): string {
  const file = join(dir, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

describe('the questions of sme-boot', () => {
  test('are numbered from 1 to 35, at least 18 of them with commands, the others with what is missing', () => {
    expect(files).toEqual(
      Array.from({ length: 35 }, (_, i) => `${String(i + 1).padStart(2, '0')}.yaml`),
    );
    expect(withCommands.length).toBeGreaterThanOrEqual(18);
    expect(shipped.filter(({ state, missing }) => state !== 'answered' && !missing)).toEqual([]);
  });

  test('have no words of workplace or person: a role, a posting, and a Message-ID or null', () => {
    for (const { asked } of shipped) {
      expect(asked.by).toMatch(/^[\w/ ]+(?:maintainer|developer|user|reader|author)|^[a-z ]+$/i);
      expect(asked.about).toMatch(/^(?:SEV )?(?:RFC )?v\d+ \d\d\/\d\d/);
    }
  });

  test.each(firstOf(2, withCommands))('$file is answered as it says', async ({ file }) => {
    const { status, out } = await sme(['questions', file, '--run']);
    expect(out).toMatch(/1 passed, 0 failed/);
    expect(status).toBe(0);
  });
});

describe('sme-boot questions', () => {
  test('lists all, with what is missing, in 76 columns, and counts', async () => {
    const { status, out } = await sme(['questions']);
    expect(status).toBe(0);
    expect(out).toMatch(/^ 1 {2}answered {2}Does swapping/m);
    expect(out).toMatch(/^ 2 {2}no {8}How does a hypervisor[^]*? {14}missing: SEV: a guest/m);
    expect(out).toMatch(/^ 4 {2}in part {3}Are cache lines/m);
    const [, whole, part] = /\n(\d+) of 35 answered, (\d+) in part\n$/.exec(out) ?? [];
    expect(Number(whole) + Number(part)).toBe(withCommands.length);
    expect(out.split('\n').filter((line) => line.length > 76)).toEqual([]);
  });

  test('shows one: question, role, link, answer, commands', async () => {
    const { status, out } = await sme(['questions', '14']);
    expect(status).toBe(0);
    expect(out).toMatch(/^question 14: answered\n {4}What happens if the initrd/);
    expect(out).toMatch(/^asked by: x86 maintainer, on RFC v2 10\/20$/m);
    expect(out).toMatch(/^ {4}Link: https:\/\/lore\.kernel\.org\/r\/20160909155305\./m);
    expect(out).toMatch(/^answer:\n {4}In v1/m);
    expect(out).toMatch(/^commands:\n {4}sme-boot run bios-minimal /m);
    expect(out.split('\n').filter((line) => line.length > 76)).toEqual([]);
  });

  test('prints JSON, with the results if the commands were run', async () => {
    const file = written('json', LABELS);
    const rows = async (...argv: string[]) =>
      JSON.parse((await sme(['questions', file, '--format', 'json', ...argv])).out) as unknown;
    const row = {
      id: 'json',
      state: 'answered',
      question: 'Does it boot?',
      commands: [{ run: 'sme-boot list labels', status: 0 }],
    };
    expect(await rows()).toMatchObject([row]);
    expect(await rows('--run')).toMatchObject([{ ...row, result: { status: 'ok', failures: [] } }]);
  });

  test('takes numbers with and without zero, names, files and directories', async () => {
    const one = await sme(['questions', '1']);
    expect((await sme(['questions', '01'])).out).toBe(one.out);
    expect((await sme(['questions', 'questions/01.yaml'])).out).toBe(one.out);
    expect((await sme(['questions', '1', '01'])).out).toBe(one.out);
    const all = await sme(['questions', 'questions', '--format', 'json']);
    expect(JSON.parse(all.out)).toHaveLength(35);
  });

  test('reads one from stdin, and says which folder it takes only without arguments', async () => {
    setStdin(new TextEncoder().encode(LABELS));
    try {
      const { status, out, err } = await sme(['questions', '-', '--run']);
      expect([status, err]).toEqual([0, '']);
      expect(out).toMatch(/Does it boot\?[^]*1 passed, 0 failed/);
    } finally {
      setStdin(undefined);
    }
    expect((await sme(['questions', '14'])).err).toBe('');
    expect((await sme(['questions'])).err).toMatch(/^no paths given: /);
  });

  test.each([
    [['99'], /^sme-boot: E_QUESTION_UNKNOWN: questions: .*a number or name that.*found 99/],
    [[''], /E_QUESTION_UNKNOWN: .*found ""/],
    [['scenarios/kexec.yaml'], /E_QUESTION: .*expected a question, found a scenario.*sme-boot run/],
    [['nowhere.yaml'], /E_READ/],
    [['--runn'], /unknown option --runn; did you mean --run\?/],
  ])('refuses %j', async (argv, message) => {
    const { status, out, err } = await sme(['questions', ...argv]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('escapes control characters of a file', async () => {
    const text = LABELS.replace('Does it boot?', '"Does \\e[31mit\\u0007 boot?"');
    const { out } = await sme(['questions', written('escape', text)]);
    expect(out).toContain('\\u001b[31m');
    expect([...out].some((c) => c < ' ' && c !== '\n')).toBe(false);
  });
});

describe('a question whose answer has changed', () => {
  test.each([
    [
      "['startup_64', { next: 'setup_arch' }]",
      /:6:\d+: sme-boot list labels: next setup_arch: no such/,
    ],
    ["['startup_65']", /expect startup_65: no such line\n {4}the output:\n {6}\| loader\n/],
    ["[{ count: '/^startup_64/', times: 2 }]", /count \/\^startup_64\/: expected 2, found \d/],
    ["[{ not: '/setup_arch/' }]", /not \/setup_arch\/: found, but forbidden/],
  ])('fails with its place and the output: %s', async (output, message) => {
    const file = written('changed', LABELS.replace(/output: .*/, `output: ${output}`));
    for (const argv of [
      ['questions', file, '--run'],
      ['check', file],
    ]) {
      const { status, out } = await sme(argv);
      expect(status).toBe(1);
      expect(out).toMatch(message);
      expect(out).toContain('rerun: sme-boot questions ');
    }
  });

  test('fails if the exit status is another one, and shows the last line', async () => {
    const text = LABELS.replace('list labels', 'list label').replace(
      /\n {4}output.*/,
      '\n    status: 0\n    output: [x]',
    );
    const { status, out } = await sme(['questions', written('status', text), '--run']);
    expect(status).toBe(1);
    expect(out.replace(/\n +/g, ' ')).toMatch(
      /exit status: expected 0, found 2 \| sme-boot: E_USAGE/,
    );
  });
});

describe('sme-boot check', () => {
  test('runs the commands of questions, and skips those without an answer', async () => {
    const folder = join(dir, 'own');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.yaml'), LABELS);
    writeFileSync(join(folder, 'b.yaml'), `${HEAD}missing: A disk.\n`);
    const { status, out } = await sme(['check', folder]);
    expect(status).toBe(0);
    expect(out).toMatch(/^ok .*a\.yaml\nskipped .*b\.yaml: not answered: A disk\.$/m);
    expect(out).toContain('1 passed, 0 failed, 1 not run');
    const list = await sme(['check', folder, '--list']);
    expect(list.out).toMatch(/a\.yaml {2}question {2}questions answered\n.*b\.yaml {2}question /);
  });

  test('reports an invalid question as an invalid file', async () => {
    const { status, out } = await sme(['check', written('invalid', HEAD)]);
    expect(status).toBe(2);
    expect(out).toMatch(/E_QUESTION: .*it has neither commands nor what is missing/);
  });

  test('has a report of questions in every format', async () => {
    const file = written('report', LABELS);
    expect((await sme(['check', file, '--format', 'junit'])).out).toContain(
      'classname="sme-boot.questions',
    );
    expect((await sme(['check', file, '--format', 'ktap'])).out).toMatch(/ok 1 .*report\.yaml/);
  });
});
