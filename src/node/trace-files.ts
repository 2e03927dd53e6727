/** Files of expected traces. A trace stored as the difference from another is read with its bases, each once. */
import { realpathSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { changesOf } from '../check/changes-of.js';
import { printChanges } from '../check/changes-out.js';
import { InputError } from '../base/errors.js';
import { readSuppressions, type Suppressions } from '../check/suppressions.js';
import { expectationOf, type ExactExpectation, type Expectation } from '../check/expectation.js';
import type { Trace } from '../trace/trace.js';
import { readYaml, type YamlSource } from '../base/yaml-source.js';
import { LIMITS } from '../base/limits.js';
import { RULE_IDS } from '../sanitizer/rules.js';
import { kindOfPath, readText } from './files.js';
import { fromFile, rebased } from './relative-paths.js';
import { schemaOption } from './schema-path.js';

/** Most files in a chain of bases, from a difference to the whole trace at its end. */
export const MAX_BASES = LIMITS.traceBases.most;

/** A canonical path of a file: symbolic links resolved if it exists. */
export function fileKey(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

/** The path of a base; `base` is relative to the folder of `file`. */
export const basePath = (file: string, base: string): string =>
  relative('.', resolve(dirname(file), base));

/** The path of `base` as `file` states it: relative to the folder of `file`, with slashes. */
export const baseName = (file: string, base: string): string =>
  relative(dirname(fileKey(file)), fileKey(base))
    .split(sep)
    .join('/');

/** The text of `file`, which stores a trace as the difference from `base`; both with paths as `file` states them. */
export function changesText(file: string, base: string, from: Trace, trace: Trace): string {
  return printChanges(base, changesOf(from, trace), schemaOption(file, 'changes'));
}

/** Traces by their files; each file is read once. */
export class TraceFiles {
  private readonly known = new Map<string, ExactExpectation>();
  /** Keys of the files whose bases are being read, outermost first. */
  private readonly open: string[] = [];

  /** The expectation of a file that was read or set; undefined: neither. */
  get(file: string): ExactExpectation | undefined {
    return this.known.get(fileKey(file));
  }

  /** Records a file's trace after it was rewritten. */
  set(file: string, trace: Trace, base?: string): void {
    const whole = { expect: 'exact', trace, misfits: [] } as const;
    this.known.set(fileKey(file), base === undefined ? whole : { ...whole, base });
  }

  /** The keys of a file that was read, its base, the base's base and so on. */
  chain(file: string): string[] {
    const keys: string[] = [];
    for (let at: string | undefined = fileKey(file); at !== undefined;) {
      keys.push(at);
      const base: string | undefined = this.known.get(at)?.base;
      at = base === undefined ? undefined : fileKey(basePath(at, base));
    }
    return keys;
  }

  /**
   * The expectation of a file. Throws as expectationOf does; E_BASE for a base that does not exist or is not a trace, and
   * for a cycle; E_APPLY if a base does not fit its own base.
   */
  read(file: string, source: YamlSource = readYaml(file, readText(file))): Expectation {
    const key = fileKey(file);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.open.push(key);
    try {
      const expectation = expectationOf(
        source,
        (base) => this.base(file, base, source),
        RULE_IDS,
        (path) => suppressionsFile(file, path, source),
      );
      if (expectation.expect === 'exact') this.known.set(key, expectation);
      return expectation;
    } finally {
      this.open.pop();
    }
  }

  /**
   * The whole trace of a file; `source`: its text, if that was read already. Throws E_NOT_A_TRACE for a match file, E_APPLY
   * for a difference that does not fit its base.
   */
  trace(file: string, source?: YamlSource): Trace {
    const expectation = source === undefined ? this.read(file) : this.read(file, source);
    if (expectation.expect === 'match') {
      throw new InputError({
        code: 'E_NOT_A_TRACE',
        place: { file },
        reason: 'a file of match expectations is not a trace',
      });
    }
    const [misfit] = expectation.misfits;
    if (misfit !== undefined) throw misfit;
    return expectation.trace;
  }

  /**
   * The trace of the file that `file` names as `base`, with paths as `file` states them. Throws as {@link trace} does.
   */
  baseOf(file: string, base: string): Trace {
    const path = basePath(file, base);
    return rebased(this.trace(path), path, file);
  }

  /** The trace that a file names as its base, with paths as that file states them. */
  private base(file: string, base: string, source: YamlSource): Trace {
    const refuse = (reason: string, found: string, cause?: unknown): InputError =>
      new InputError({ code: 'E_BASE', place: source.place(['base']), reason, found, cause });
    const path = basePath(file, base);
    const circle = this.open.indexOf(fileKey(path));
    if (circle >= 0) {
      const round = [...this.open.slice(circle), fileKey(path)].map((each) => relative('.', each));
      throw refuse('a trace cannot be the difference from itself', round.join(' from '));
    }
    if (this.open.length > MAX_BASES) {
      throw refuse(`a chain of bases has at most ${String(MAX_BASES)} files`, 'more');
    }
    try {
      return this.baseOf(file, base);
    } catch (error) {
      const code = error instanceof InputError ? error.code : '';
      if (!(error instanceof InputError) || !OWN.has(code)) throw error;
      throw refuse(
        code === 'E_READ' ? (error.reason ?? 'cannot be read') : 'the base is not a trace',
        path,
        error,
      );
    }
  }
}

/** The suppressions in a file that a match file names. Throws E_READ at the key for a missing file. */
function suppressionsFile(file: string, path: string, source: YamlSource): Suppressions {
  const there = fromFile(file, path);
  if (kindOfPath(there) === undefined) {
    const place = source.place(['suppress']);
    throw new InputError({ code: 'E_READ', place, reason: 'no such file', found: path });
  }
  return readSuppressions(there, readText(there), RULE_IDS);
}

/** Errors of a base that are reported at the file that names it; errors inside a base are reported at the base. */
const OWN = new Set(['E_READ', 'E_NOT_A_TRACE']);
