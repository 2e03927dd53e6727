/**
 * Runs every command of some pages, and compares its output with the quotation, if there is one (form: docs/README.md).
 * SME_BOOT_DOCS=update rewrites outdated quotations; SME_BOOT_PAGE=NAME selects the pages with NAME in their path.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { blocksOf, inlineCommandsOf, quotedOf, shellLinesOf, type Block } from './blocks.js';
import { PackageCopy, type Ran } from './package-copy.js';
import { mismatch, outputLines } from './quoted.js';
import { requote } from './requote.js';
import { Runners } from './runners.js';
import { shellWords } from './shell-words.js';

const UPDATE = process.env.SME_BOOT_DOCS === 'update';
const LIMIT = 600_000;

const textOf = (page: string): string => readFileSync(page, 'utf8');
const placeOf = ({ page, line }: Block, index = -1): string =>
  `${page}:${String(line + 1 + index)}`;
const is = (block: Block, kind: string): boolean =>
  block.info[0] === kind && block.info[1] !== 'no-run';

/** Whether inline code only names a command: `sme-boot matrix`, alone or with one option. */
const isName = (command: string): boolean => /^sme-boot [a-z]+(?: --[a-z]+)?$/.test(command);

/** The command line of `npm start`. */
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
const START = (scripts.start ?? '').replace(/^node dist\/sme-boot\.js/, 'sme-boot');

/** The arguments of a command line that needs no shell and writes no file. */
function plainArguments(command: string): string[] | undefined {
  const line = command.replace(/^npm start( -- |$)/, `${START} `);
  const [program, ...argv] = shellWords(line) ?? [];
  if (program !== 'sme-boot') return undefined;
  const writes = argv.some(
    (word, i) =>
      /^--(keep|update)$/.test(word) ||
      (/^(-o|--out|--output|--trace)$/.test(word) && argv[i + 1] !== '-'),
  );
  return writes ? undefined : argv;
}

/** Registers the tests of some pages. */
export function testCommands(among: readonly string[]): void {
  const pages = among.filter((page) => page.includes(process.env.SME_BOOT_PAGE ?? ''));
  if (pages.length === 0) {
    // A suite must have a test; the page belongs to another suite.
    test('SME_BOOT_PAGE selects no page of this suite', () => {
      expect(process.env.SME_BOOT_PAGE).toMatch(/./);
    });
    return;
  }
  const blocks = pages.flatMap((page) => blocksOf(page, textOf(page)));
  let where: PackageCopy;
  let runners: Runners;

  /** Runs the commands of a block: up to the first that needs a shell in any order, that one and the rest in order. */
  async function runAll(commands: readonly string[]): Promise<Ran[]> {
    const shellFrom = commands.findIndex((command) => plainArguments(command) === undefined);
    const plain = commands.slice(0, shellFrom < 0 ? undefined : shellFrom);
    const ran = await Promise.all(
      plain.map((command) => runners.run(plainArguments(command) ?? [])),
    );
    for (const command of commands.slice(plain.length)) ran.push(await where.shell(command));
    return ran;
  }

  const all = {
    console: new Map<Block, Promise<Ran[]>>(),
    sh: new Map<Block, Promise<Ran[]>>(),
    inline: new Map<string, Promise<Ran>>(),
  };

  beforeAll(() => {
    where = new PackageCopy();
    const named = new Map<string, Block>();
    for (const block of blocks) {
      const name = block.info[1];
      if (!['yaml', 'js'].includes(block.info[0] ?? '') || name === undefined) continue;
      const other = named.get(name);
      if (other) throw new Error(`${placeOf(block)}: ${placeOf(other)} has a ${name} too`);
      named.set(name, block);
      where.write(name, `${block.lines.join('\n')}\n`);
    }
    runners = new Runners(where);
    // All are started at once, so that no process waits for the next test.
    for (const block of blocks) {
      if (is(block, 'console')) {
        const commands = quotedOf(block).filter(({ command }) => command !== 'echo $?');
        all.console.set(block, runAll(commands.map(({ command }) => command)));
      }
      if (is(block, 'sh')) all.sh.set(block, runAll(shellLinesOf(block)));
    }
    for (const page of pages) {
      for (const command of inlineCommandsOf(textOf(page))) {
        const line = isName(command) ? `${command} --help` : command;
        const argv = plainArguments(line);
        all.inline.set(`${page}: ${command}`, argv ? runners.run(argv) : where.shell(line));
      }
    }
  }, LIMIT);

  afterAll(() => {
    runners.stop();
    where.remove();
  });

  /** The errors of a console block; SME_BOOT_DOCS=update rewrites it. */
  async function quotationErrors(block: Block): Promise<string[]> {
    const ran = [...((await all.console.get(block)) ?? [])];
    const errors: string[] = [];
    const lines = [...block.lines];
    let status = 0;
    // From the end, so that a rewritten quotation does not move the ones before it.
    const results = quotedOf(block).map((quoted) => {
      if (quoted.command === 'echo $?') return { quoted, output: [String(status)] };
      const { status: ended, output } = ran.shift() ?? { status: 70, output: 'not run' };
      status = ended;
      return { quoted, output: outputLines(output), ended };
    });
    results.forEach(({ quoted, ended = 0 }, i) => {
      const shown = results[i + 1]?.quoted.command === 'echo $?';
      if (ended > 1 && !shown)
        errors.push(`${placeOf(block, quoted.from + 1)}: exit status ${String(ended)}`);
    });
    for (const { quoted, output } of results.toReversed()) {
      const wrong = mismatch(quoted.output, output);
      if (wrong === undefined) continue;
      const first = quoted.to - quoted.output.length;
      const text = quoted.output[wrong.at];
      errors.unshift(
        [
          `${placeOf(block, first + wrong.at + 1)}: ${quoted.command}`,
          text === undefined ? '  more output follows' : `  quoted: ${text}`,
          ...wrong.nearest.map((line) => `  nearest: ${line}`),
        ].join('\n'),
      );
      lines.splice(first, quoted.output.length, ...requote(quoted.output, output));
    }
    if (UPDATE && lines.join('\n') !== block.lines.join('\n')) {
      const text = textOf(block.page);
      writeFileSync(
        block.page,
        text.replace(block.lines.join('\n'), () => lines.join('\n')),
      );
    }
    return errors;
  }

  /** The lines of a `sh` block with an unexpected exit status: other than 0, or than 1 with the comment "exit 1". */
  async function statusErrors(block: Block): Promise<string[]> {
    const ran = (await all.sh.get(block)) ?? [];
    return shellLinesOf(block).flatMap((line, i) => {
      const { status, output } = ran[i] ?? { status: 70, output: 'not run' };
      const expected = /#.*\bexit 1\b/.test(line) ? 1 : 0;
      if (status === expected) return [];
      return [`${placeOf(block)}: ${line}\n  exit status ${String(status)}: ${output.slice(-300)}`];
    });
  }

  describe.each(pages)('the commands of %s', (page) => {
    const own = blocks.filter((block) => block.page === page);

    test('are in blocks with a known info string', () => {
      const known = ['console', 'sh', 'yaml', 'js', 'ts', 'text', 'json'];
      const others = own.filter(
        (block) =>
          !known.includes(block.info[0] ?? '') ||
          (block.info[0] === 'text' && block.lines.some((line) => /^(\$ |sme-boot )/.test(line))),
      );
      expect(others.map((block) => `${placeOf(block)}: ${block.info.join(' ')}`)).toEqual([]);
    });

    test(
      'print the quoted output',
      async () => {
        const errors: string[] = [];
        for (const block of own)
          if (is(block, 'console')) errors.push(...(await quotationErrors(block)));
        expect(errors.join('\n')).toBe('');
      },
      LIMIT,
    );

    test(
      'exit with the expected status where no output is quoted',
      async () => {
        const errors: string[] = [];
        for (const block of own) if (is(block, 'sh')) errors.push(...(await statusErrors(block)));
        expect(errors.join('\n')).toBe('');
      },
      LIMIT,
    );

    test(
      'in running text do not fail',
      async () => {
        const errors: string[] = [];
        for (const [name, ran] of all.inline) {
          if (!name.startsWith(`${page}: `)) continue;
          const { status, output } = await ran;
          if (status > 1)
            errors.push(`${name}: exit status ${String(status)}\n  ${output.slice(-300)}`);
        }
        expect(errors.join('\n')).toBe('');
      },
      LIMIT,
    );

    test('read YAML files that parse', () => {
      const errors = own
        .filter((block) => block.info[0] === 'yaml')
        .flatMap((block) =>
          parseAllDocuments(block.lines.join('\n')).flatMap(({ errors: found }) =>
            found.map(({ message }) => `${placeOf(block)}: ${message}`),
          ),
        );
      expect(errors).toEqual([]);
    });
  });
}
