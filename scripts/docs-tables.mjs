// Writes the tables of docs/scenarios.md (from schemas/scenario.schema.json) and docs/trace-format.md (from
// schemas/trace.schema.json and src/trace/vocabulary.ts) and docs/limits.md (from src/base/limits.ts) and docs/findings.md
// (from findings/) and docs/sanitizer.md (from src/sanitizer/rules.ts); with --check it only reports whether they are up to date.
// A table is between `<!-- keys PATH -->` or `<!-- events -->` or `<!-- fields PATH -->` and `<!-- /… -->`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const schemaOf = (name) =>
  JSON.parse(readFileSync(join(root, `schemas/${name}.schema.json`), 'utf8'));

const escape = (text) => text.replace(/[|<>*]/g, '\\$&').replace(/(?<=\S)_(?=\s|$)/g, '\\_');
const code = (value) => `\`${value}\``;
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The part of a schema at a path such as `machine.devices`; for a list, that of its items. */
function at(schema, path) {
  let part = schema;
  for (const key of path === '' ? [] : path.split('.')) {
    part = part?.properties?.[key];
    if (part?.items !== undefined) part = part.items;
  }
  if (part?.properties === undefined) throw new Error(`the schema has no keys at ${path}`);
  return part;
}

const SIZES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
function sizeText(bytes) {
  const [unit, size] = Object.entries(SIZES).findLast(([, each]) => bytes % each === 0) ?? ['', 1];
  return bytes === 0 ? '0' : `${bytes / size}${unit}`;
}

const isSize = ({ anyOf }) => anyOf?.some(({ pattern }) => pattern?.includes('KiB')) ?? false;

/** The type of a value, as text. */
function typeText(part) {
  if (isSize(part)) return /address/i.test(part.description) ? 'address' : 'size';
  if (part.anyOf !== undefined) return [...new Set(part.anyOf.map(typeText))].join(' or ');
  if (Array.isArray(part.type)) {
    return part.type.map((type) => (type === 'null' ? '`null`' : typeText({ type }))).join(' or ');
  }
  if (part.const !== undefined) return code(part.const);
  if (part.enum !== undefined) return part.enum.map(code).join(', ');
  switch (part.type) {
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
      return (part.maximum ?? Infinity) < Number.MAX_SAFE_INTEGER
        ? `${part.minimum} to ${part.maximum}`
        : `number from ${part.minimum}`;
    case 'array':
      if (part.maxItems === 0) return 'empty list';
      return typeText(part.items) === 'keys below' ? 'list' : `list of ${typeText(part.items)}`;
    case 'object':
      return part.properties === undefined ? 'mapping' : 'keys below';
    case 'string':
      return part.pattern === undefined ? 'text' : 'name';
    default:
      throw new Error(`no words for ${JSON.stringify(part)}`);
  }
}

function defaultText(part, required) {
  if (required) return 'required';
  if (part.default === undefined) return '';
  if (isSize(part) || part.anyOf?.some(isSize)) return code(sizeText(part.default));
  const text = typeof part.default === 'string' ? part.default : JSON.stringify(part.default);
  return text === '{}' ? '' : code(text);
}

/** Keys of a mapping in a hand-written file. */
function keysTable(schema, path) {
  const { properties, required = [] } = at(schema, path);
  const rows = Object.entries(properties).map(([key, part]) => [
    code(key),
    typeText(part),
    defaultText(part, required.includes(key)),
    escape(part.description),
  ]);
  return table(['key', 'value', 'default', 'meaning'], rows);
}

/** Keys of a mapping in a generated file. */
function fieldsTable(schema, path) {
  const { properties, required = [] } = at(schema, path);
  const rows = Object.entries(properties).map(([key, part]) => [
    code(key),
    `${typeText(part)}${required.includes(key) ? '' : ', may be absent'}`,
    escape(part.description),
  ]);
  return table(['key', 'value', 'meaning'], rows);
}

/** A module of src/ that imports no package. */
async function moduleOf(file) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'warning',
  });
  const text = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${text}`);
}

/** Every kind of event with its fields: a heading and a table each. */
async function eventsTables(schema) {
  const { KINDS, COMMON_FIELDS, ORIGIN_FIELDS } = await moduleOf('src/trace/vocabulary.ts');
  const shared = [...COMMON_FIELDS, ...ORIGIN_FIELDS];
  const kinds = schema.properties.steps.items.properties.events.items.anyOf;
  const parts = Object.entries(KINDS).map(([kind, { fields, merging }]) => {
    const { description, properties } = kinds.find(({ required }) => required[0] === kind);
    const rows = fields.map((field, i) => {
      const key = i === 0 ? kind : field;
      return [code(key), escape(properties[key].description)];
    });
    const head = `### \`${kind}\`\n\n${escape(description)} Merges: ${merging}.`;
    return `${head}\n\n${table(['key', 'meaning'], rows)}`;
  });
  const [{ properties }] = kinds;
  const all = shared.map((key) => [code(key), escape(properties[key].description)]);
  return [...parts, `### Every kind\n\n${table(['key', 'meaning'], all)}`].join('\n\n');
}

/** The bounds of input. */
async function limitsTable() {
  const { LIMITS } = await moduleOf('src/base/limits.ts');
  const amount = (most, unit) =>
    unit === 'bytes' && most % 1024 === 0 ? sizeText(most) : `${most.toLocaleString('en')} ${unit}`;
  const rows = Object.values(LIMITS).map(({ most, unit, what, why, code: error }) => [
    what,
    amount(most, unit),
    error === '' ? '' : code(error),
    why,
  ]);
  return table(['bounded', 'at most', 'error', 'reason'], rows);
}

/** Every rule of the sanitizer: a table, then a heading each, to which the results of SARIF link. */
async function rulesTables() {
  const { RULES } = await moduleOf('src/sanitizer/rules.ts');
  const rows = RULES.map(({ id, title }) => [`[${code(id)}](#${id})`, escape(title)]);
  const parts = RULES.map(({ id, what, watches, needs }) => {
    const needed = needs === undefined ? '' : ` Needs of the kernel model: ${needs.join(', ')}.`;
    const watched = watches.length === 0 ? 'no event of the machine' : watches.map(code).join(', ');
    return `### ${code(id)}\n\n${escape(what)}\n\nWatches: ${watched}.${needed}`;
  });
  return [table(['rule', 'what is wrong'], rows), ...parts].join('\n\n');
}

/** The findings by revision. */
async function findingsTable() {
  const { markdownTable } = await moduleOf('src/cli/findings-table.ts');
  const folder = join(root, 'findings');
  const all = readdirSync(folder).sort();
  return markdownTable(
    all.map((name) => parse(readFileSync(join(folder, name), 'utf8'))),
    true,
  ).trimEnd();
}

/** The paths of all mappings with fixed keys. */
function pathsOf(part, path = '') {
  const inner = part.items ?? part;
  if (inner.properties === undefined) return [];
  const join = (key) => (path === '' ? key : `${path}.${key}`);
  return [
    path,
    ...Object.entries(inner.properties).flatMap(([key, each]) => pathsOf(each, join(key))),
  ];
}

const scenario = schemaOf('scenario');
const trace = schemaOf('trace');
const PAGES = {
  'docs/findings.md': { needed: ['findings'], findings: findingsTable },
  'docs/limits.md': { needed: ['limits'], limits: limitsTable },
  'docs/sanitizer.md': { needed: ['rules'], rules: rulesTables },
  'docs/scenarios.md': {
    needed: pathsOf(scenario).map((path) => `keys ${path}`.trim()),
    keys: (path) => keysTable(scenario, path),
  },
  'docs/trace-format.md': {
    needed: [
      'events',
      ...pathsOf(trace)
        .filter((path) => !path.startsWith('steps.events'))
        .map((path) => `fields ${path}`.trim()),
    ],
    fields: (path) => fieldsTable(trace, path),
    events: () => eventsTables(trace),
  },
};

const stale = [];
for (const [page, makers] of Object.entries(PAGES)) {
  const file = join(root, page);
  const before = readFileSync(file, 'utf8');
  const parts = before.split(/^(<!-- \/?[a-z]+(?: [\w.]+)? -->)$/m);
  const found = [];
  for (let i = 1; i < parts.length; i += 2) {
    const [, name, path = ''] = /^<!-- ([a-z]+)(?: ([\w.]+))? -->$/.exec(parts[i]) ?? [];
    if (makers[name] === undefined) continue;
    found.push(`${name} ${path}`.trim());
    if (!parts[i + 2]?.startsWith(`<!-- /${name}`)) {
      throw new Error(`${page}: ${parts[i]} has no end`);
    }
    parts[i + 1] = `\n\n${await makers[name](path)}\n\n`;
  }
  const missing = makers.needed.filter((each) => !found.includes(each));
  if (missing.length > 0) throw new Error(`${page} has no table of ${missing.join('; ')}`);
  const config = await resolveConfig(file);
  const after = await format(parts.join(''), { ...config, filepath: file });
  if (after === before) continue;
  if (process.argv.includes('--check')) stale.push(page);
  else writeFileSync(file, after);
}
if (stale.length > 0) {
  console.error(`tables out of date in ${stale.join(', ')}: node scripts/docs-tables.mjs`);
  process.exitCode = 1;
}
