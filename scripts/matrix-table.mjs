// Writes the table of docs/matrix.md from traces/without/; with --check it only reports whether it is up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/matrix.md');
const without = join(root, 'traces/without');
const MARKS = ['<!-- matrix -->', '<!-- /matrix -->'];

const escape = (text) => text.replace(/[\\`*[\]<>|]/g, '\\$&');

const rows = readdirSync(without)
  .sort()
  .map((file) => {
    const text = readFileSync(join(without, file), 'utf8');
    const { run, outcome } = parse(text);
    // The second line of a golden row gives the cause.
    const why = /^# (.*)\.$/.exec(text.split('\n')[1])?.[1] ?? '';
    const how = run.stub ? '°' : '';
    return `| ${escape(run.without[0])}${how} | ${outcome.kind} | ${escape(why)} |`;
  });
const table = ['| without | ends | why |', '| --- | --- | --- |', ...rows].join('\n');

const before = readFileSync(page, 'utf8');
const [head, rest] = before.split(MARKS[0]);
const tail = rest?.split(MARKS[1])[1];
if (tail === undefined) throw new Error(`docs/matrix.md has no ${MARKS.join(' … ')}`);
const config = await resolveConfig(page);
const after = await format(`${head}${MARKS[0]}\n\n${table}\n\n${MARKS[1]}${tail}`, {
  ...config,
  filepath: page,
});
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error(
      'the table in docs/matrix.md is not that of traces/without/: node scripts/matrix-table.mjs',
    );
    process.exitCode = 1;
  }
} else writeFileSync(page, after);
