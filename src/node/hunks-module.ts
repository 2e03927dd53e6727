/**
 * Modules of own hunks (`--hunks FILE`): ES modules, loaded at once and in every thread again. Their code runs with the
 * rights of the user who starts sme-boot, as any program does.
 */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { createRequire } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { InputError, type InputErrorDetails } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { ownOf } from '../base/own.js';
import { describeThrown, partsOf } from '../base/thrown.js';
import { hunksOf, joined, type OwnHunks } from '../lib/own-hunks.js';
import { kindOfPath, readBytes, readText } from './files.js';
import { STDIN } from './stdin.js';
import { sha256 } from './sha256.js';

const CODE = 'E_OWN_HUNK';
/** Specifiers of relative imports, also where a comment or a text has one: a file that is not there is none. */
const RELATIVE = /\b(?:from|import)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g;

const refuse = (file: string, details: Omit<InputErrorDetails, 'code'>): InputError =>
  new InputError({ ...details, code: CODE, place: { file, ...details.place } });

/**
 * Loads an ES module at once (Node 20.19: require() of ES modules). The loader is that of the process: a test runner has
 * another one, and its own `process`, in the realm of this module.
 */
function load(file: string): unknown {
  const node = new Script("process.getBuiltinModule('node:module')").runInThisContext() as {
    createRequire: typeof createRequire;
  };
  return node.createRequire(import.meta.url)(resolve(file)) as unknown;
}

/** The exit status of bad input. */
const REFUSED = 2;

/** Calls `body`, the code of a module; if that ends the process, there is a message and a status of an error. */
function guarded<T>(file: string, body: () => T): T {
  // As for load(): the process of the modules.
  const { on, off } = new Script(
    '({ on: (f) => process.on("exit", f), off: (f) => process.removeListener("exit", f) })',
  ).runInThisContext() as Record<'on' | 'off', (listener: () => void) => void>;
  const refused = (): void => {
    const error = refuse(file, { reason: 'it ended the process when it was loaded' });
    writeSync(process.stderr.fd, `sme-boot: ${error.message}\n`);
    process.exitCode = REFUSED;
  };
  on(refused);
  try {
    return body();
  } finally {
    off(refused);
  }
}

const slashed = (path: string): string => relative('.', resolve(path)).split(sep).join('/');

/** The files that a module imports by a relative path, and those that they import, once each. */
function importsOf(file: string): string[] {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const [, , specifier = ''] of readText(from, LIMITS.hunksFile).matchAll(RELATIVE)) {
      const path = resolve(dirname(from), specifier);
      if (path === resolve(file) || found.has(path) || kindOfPath(path) !== 'file') continue;
      found.add(path);
      visit(path);
    }
  };
  visit(file);
  return [...found];
}

/** The line of a syntax error, which Node's loader does not tell to programs: `node --check` prints it. */
function syntaxLine(file: string): number | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', resolve(file)], { encoding: 'utf8' });
  const [, line] = /:(\d+)\n/.exec(stderr) ?? [];
  return line === undefined ? undefined : Number(line);
}

/** The place in a file at which something was thrown; empty if its stack does not have the file. */
function thrownAt(file: string, thrown: unknown): { line?: number; column?: number } {
  const url = pathToFileURL(resolve(file)).href;
  const { stack } = partsOf(thrown);
  const at = stack.indexOf(`${url}:`);
  const [, line, column] = at < 0 ? [] : (/^:(\d+):(\d+)/.exec(stack.slice(at + url.length)) ?? []);
  return line === undefined ? {} : { line: Number(line), column: Number(column) };
}

/** The error for what loading a module, or calling its function, threw. */
function loadError(file: string, thrown: unknown): unknown {
  const { name, code, message } = partsOf(thrown);
  if (thrown instanceof InputError || code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') return thrown;
  if (code === 'ERR_REQUIRE_ASYNC_MODULE') {
    return refuse(file, {
      reason: 'the module has an await at its top level',
      expected: 'a module that is loaded at once',
      cause: thrown,
    });
  }
  if (name === 'SyntaxError') {
    const line = /does not provide an export/.test(message) ? undefined : syntaxLine(file);
    return refuse(file, {
      ...(line !== undefined && { place: { line } }),
      reason: `not a module of JavaScript: ${message}`,
      cause: thrown,
    });
  }
  return refuse(file, {
    place: thrownAt(file, thrown),
    reason: `it threw when it was loaded: ${describeThrown(thrown)}`,
    cause: thrown,
  });
}

/** The exported hunks of a module and the name of the export. */
function exported(
  file: string,
  module: unknown,
): { readonly value: unknown; readonly name: string } {
  const names = typeof module === 'object' && module !== null ? Object.keys(module) : [];
  const found = ['hunks', 'default'].filter((name) => names.includes(name));
  const [name] = found;
  const others = names.filter((each) => each !== '__esModule');
  if (name === undefined || found.length > 1) {
    throw refuse(file, {
      expected: 'one export: "export const hunks = [ … ]" or "export default [ … ]"',
      found: found.length > 1 ? 'both' : others.length === 0 ? 'no export' : others.join(', '),
    });
  }
  return { value: ownOf(module, name), name };
}

/** Digests of the modules that this process has loaded: it can load each only once. */
const LOADED = new Map<string, string>();

/** The own hunks of one module. Throws E_READ, E_OWN_HUNK, and the limit's error. */
function loadModule(file: string): OwnHunks {
  if (file === STDIN || kindOfPath(file) === 'other') {
    throw refuse(file, {
      reason: 'a module is loaded by its path, in each thread again',
      expected: 'a regular file',
    });
  }
  const bytes = readBytes(file, LIMITS.hunksFile);
  if (!/\.m?js$/.test(file)) {
    throw refuse(file, {
      expected: 'a module of JavaScript, whose name ends in .mjs or .js',
      found: file,
    });
  }
  const imports = importsOf(file).map((path) => ({
    path: slashed(path),
    digest: sha256(readBytes(path, LIMITS.hunksFile)),
  }));
  const digest = sha256(bytes);
  const all = [digest, ...imports.map((each) => each.digest)].join();
  const before = LOADED.get(resolve(file));
  if (before !== undefined && before !== all) {
    throw refuse(file, {
      reason: 'the module was changed after it was loaded, and a process loads a module once',
      expected: 'a new process',
    });
  }
  LOADED.set(resolve(file), all);
  let hunks: OwnHunks['hunks'];
  try {
    hunks = guarded(file, () => {
      const { value, name } = exported(file, load(file));
      return hunksOf(value, { file }, name);
    });
  } catch (error) {
    throw loadError(file, error);
  }
  const ids = hunks.map(({ id }) => id);
  return {
    hunks,
    modules: [{ path: slashed(file), digest, ...(imports.length > 0 && { imports }), hunks: ids }],
  };
}

/** The own hunks of modules, in their order. Throws E_READ, E_OWN_HUNK, and the limit's error. */
export function loadHunks(...files: readonly string[]): OwnHunks {
  const twice = files.find(
    (file, index) => files.findIndex((each) => resolve(each) === resolve(file)) < index,
  );
  if (twice !== undefined) throw refuse(twice, { reason: 'the module is given twice' });
  return joined(files.map(loadModule));
}
