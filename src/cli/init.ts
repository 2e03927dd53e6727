/** `sme-boot init`: writes a project of one's own: scenario, expected traces, series, call script, CI workflow, schemas. */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { commandLine } from '../base/shell-words.js';
import { allOrNothing, makeFile } from '../node/all-or-nothing.js';
import { kindOfPath, readText } from '../node/files.js';
import { forFile } from '../node/relative-paths.js';
import { schemaOption } from '../node/schema-path.js';
import { printTrace } from '../trace/yaml-out.js';
import {
  PACKAGE,
  PROJECT_FILES,
  SCENARIO,
  SCHEMA_KINDS,
  TRACE,
  type ProjectFile,
} from './init-files.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { schemaText } from './list.js';
import { openResult } from './output.js';
import { prepareBoot } from './run-options.js';

interface Flags {
  force?: boolean;
}

/** What npm and git make in a folder before there is a project in it: such a folder counts as empty. */
const BEFORE: ReadonlySet<string> = new Set([
  '.git',
  'node_modules',
  'package.json',
  'package-lock.json',
]);

const EXAMPLES = `
Writes a scenario, an exact trace of it (from a boot), two match files, a series, a call script, a workflow for GitHub
Actions, the JSON Schemas for editors, .gitignore, a README, and package.json if there is none. DIR must be empty but
for what git and npm put there (${[...BEFORE].join(', ')}).

Examples:
  sme-boot init my-machine
  sme-boot init . --force                     also in a folder with files; names those that it replaces
${exitHelp()}`;

export function initCommand(io: Io): Command {
  return new Command('init')
    .description('write a project of your own: scenario, expected traces, CI workflow')
    .argument('<DIR>', 'the folder, which is made if it does not exist')
    .option('--force', 'write to a folder that is not empty; files of the same names are replaced')
    .addHelpText('after', EXAMPLES)
    .action((dir: string, flags: Flags) => {
      allOrNothing(() => {
        init(io, dir, flags.force === true);
      });
    });
}

function init(io: Io, dir: string, force: boolean): void {
  const out = openResult(io, undefined);
  const print = out.print.bind(out);
  const known: ProjectFile[] = [
    ...PROJECT_FILES,
    ...SCHEMA_KINDS.map((kind) => ({
      path: `schemas/${kind}.schema.json`,
      text: schemaText(kind),
    })),
  ];
  checkFolder(dir, [...known.map(({ path }) => path), TRACE, PACKAGE.path], force);
  for (const file of known) write(print, dir, file);
  // npm's own file, which is no part of the project.
  if (present(join(dir, PACKAGE.path))) print(`left ${join(dir, PACKAGE.path)}\n`);
  else write(print, dir, PACKAGE);
  write(print, dir, { path: TRACE, text: traceText(dir) });
  const enter = relative('.', dir) === '' ? '' : `${commandLine(['cd', toPath(dir)])} && `;
  print(`\nNext:\n  ${enter}sme-boot check\n  sme-boot run ${SCENARIO}\n`);
  out.end();
}

/** The exact trace of the project's scenario, from a boot. */
function traceText(dir: string): string {
  const file = join(dir, TRACE);
  const trace = prepareBoot(toPath(join(dir, SCENARIO)), {}).run();
  return printTrace(forFile(trace, file), schemaOption(file, 'trace'));
}

/** A path that cannot be taken for an option. */
const toPath = (path: string): string => (path.startsWith('-') ? `./${path}` : path);

const present = (file: string): boolean => kindOfPath(file) !== undefined;

/** Throws E_INIT for a folder that is not empty, unless `force`, and for what is there in place of a file or folder. */
function checkFolder(dir: string, paths: readonly string[], force: boolean): void {
  const refuse = (file: string, expected: string, found: string): InputError =>
    new InputError({ code: 'E_INIT', place: { file }, expected, found });
  const folder = kindOfPath(dir);
  if (folder === undefined) return;
  if (folder !== 'folder') throw refuse(dir, 'a folder', 'a file');
  for (const path of paths) {
    const parts = path.split('/');
    parts.forEach((_part, i) => {
      const at = join(dir, ...parts.slice(0, i + 1));
      const wanted = i === parts.length - 1 ? 'file' : 'folder';
      const there = kindOfPath(at);
      if (there === undefined || there === wanted) return;
      throw refuse(
        at,
        `a ${wanted}, or nothing`,
        there === 'other' ? 'neither file nor folder' : `a ${there}`,
      );
    });
  }
  const entries = readdirSync(dir).filter((name) => !BEFORE.has(name));
  if (entries.length === 0 || force) return;
  const replaced = paths.filter((path) => path !== PACKAGE.path && present(join(dir, path)));
  const effect =
    replaced.length === 0
      ? 'which would replace no file'
      : `which would replace ${replaced.join(', ')}`;
  throw refuse(dir, `an empty folder, or --force, ${effect}`, entries.sort().join(', '));
}

/** Writes one file, and says whether it is new, replaces another or was there already. */
function write(print: (text: string) => void, dir: string, { path, text }: ProjectFile): void {
  const file = join(dir, path);
  const before = present(file) ? readText(file) : undefined;
  if (before !== text) makeFile(file, text);
  const did = before === undefined ? 'wrote' : before === text ? 'unchanged' : 'replaced';
  print(`${did} ${file}\n`);
}
