/** Files of expected traces. A trace that is written as its difference from another is read with its bases, each once. */
import { realpathSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { changesOf } from '../check/changes-of.js';
import { printChanges } from '../check/changes-out.js';
import { InputError } from '../base/errors.js';
import { expectationOf, type ExactExpectation, type Expectation } from '../check/expectation.js';
import type { Trace } from '../trace/trace.js';
import { readYaml, type YamlSource } from '../base/yaml-source.js';
import { readText } from './files.js';

/** The most files from one to the whole trace at the end of its bases (our choice). */
export const MAX_BASES = 500;

/** A file by one name, however it is reached. */
export function fileKey(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

/** The path of a base, which is named from the folder of its file. */
export const basePath = (file: string, base: string): string =>
  relative('.', resolve(dirname(file), base));

/** How `file` names `base`: from its folder, with slashes. */
export const baseName = (file: string, base: string): string =>
  relative(dirname(fileKey(file)), fileKey(base))
    .split(sep)
    .join('/');

/** The text of a file that holds a trace as its difference from `base`. */
export function changesText(base: string, from: Trace, trace: Trace): string {
  return printChanges(base, changesOf(from, trace), {
    schema: '../../schemas/changes.schema.json',
  });
}

/** Traces by their files; what was read once is not read again. */
export class TraceFiles {
  private readonly known = new Map<string, ExactExpectation>();
  /** Files whose bases are being read, the first asked for first. */
  private readonly open: string[] = [];

  /** What a file was read to hold, if it was. */
  get(file: string): ExactExpectation | undefined {
    return this.known.get(fileKey(file));
  }

  /** Says what a file holds from now on. */
  set(file: string, trace: Trace, base?: string): void {
    const whole = { expect: 'exact', trace, misfits: [] } as const;
    this.known.set(fileKey(file), base === undefined ? whole : { ...whole, base });
  }

  /** A file that was read, its base, the base's base and so on, each by its key. */
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
   * What a file expects. Throws as expectationOf does; E_BASE for a base that is not there or none, and for a circle;
   * E_APPLY where a base itself does not fit its own.
   */
  read(file: string, source: YamlSource = readYaml(file, readText(file))): Expectation {
    const key = fileKey(file);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.open.push(key);
    try {
      const expectation = expectationOf(source, (base) => this.base(file, base, source));
      if (expectation.expect === 'exact') this.known.set(key, expectation);
      return expectation;
    } finally {
      this.open.pop();
    }
  }

  /** The whole trace of a file. Throws E_NOT_A_TRACE for a match file, E_APPLY for a difference that does not fit. */
  trace(file: string): Trace {
    const expectation = this.read(file);
    if (expectation.expect === 'match') {
      throw new InputError({
        code: 'E_NOT_A_TRACE',
        place: { file },
        reason: 'match expectations are not a whole trace',
      });
    }
    const [misfit] = expectation.misfits;
    if (misfit !== undefined) throw misfit;
    return expectation.trace;
  }

  /** The trace that a file names as its base. */
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
      throw refuse(`a trace has at most ${String(MAX_BASES)} bases one from another`, 'more');
    }
    try {
      return this.trace(path);
    } catch (error) {
      const code = error instanceof InputError ? error.code : '';
      if (!(error instanceof InputError) || !OWN.has(code)) throw error;
      throw refuse(
        code === 'E_READ' ? (error.reason ?? 'it cannot be read') : 'the base is no whole trace',
        path,
        error,
      );
    }
  }
}

/** Errors of a base that are told of the file that names it; what is wrong inside a base is told of the base. */
const OWN = new Set(['E_READ', 'E_NOT_A_TRACE']);
