/** The user's files of a run, for the header of its trace, and the run that such a header records. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { sha256 } from '../node/sha256.js';
import { fromFile } from '../node/relative-paths.js';
import { pathOf, scenarioFile } from '../node/scenario-file.js';
import { RUN_FILES, RUN_FILE_ROLES, type RunFiles } from '../trace/run-files.js';
import type { TraceHeader } from '../trace/trace.js';
import { packageRoot } from './paths.js';

/** What a run read besides the package's own files. */
export interface FilesRead {
  /** The scenario by name or file. */
  readonly scenario: string;
  readonly kernel?: string | undefined;
  readonly systemMap?: string | undefined;
  readonly initrd?: string | undefined;
  readonly dtb?: string | undefined;
}

/** The files with their digests; undefined if there are none. `bytes`: the content of those that were read. */
export function filesRead(
  { scenario, kernel, systemMap, initrd, dtb }: FilesRead,
  bytes: { systemMap?: string; initrd?: Uint8Array | ByteSource; dtb?: Uint8Array },
): RunFiles | undefined {
  const file = <T extends Uint8Array | string | ByteSource>(
    name: string | undefined,
    content: T | undefined,
  ): { path?: string; digest: string } | undefined =>
    name === undefined || content === undefined
      ? undefined
      : { ...pathOf(name), digest: sha256(content) };
  const files = optional({
    scenario: scenarioFile(scenario),
    kernel: kernel === undefined ? undefined : pathOf(kernel),
    systemMap: file(systemMap, bytes.systemMap),
    initrd: file(initrd, bytes.initrd),
    dtb: file(dtb, bytes.dtb),
  });
  return Object.keys(files).length === 0 ? undefined : files;
}

/** The files of a run as its options name them. */
export interface NamedFiles {
  readonly scenario: string;
  readonly kernel?: string;
  readonly systemMap?: string;
  readonly initrd?: string;
  readonly dtb?: string;
  readonly hunks?: string[];
}

/** The files that a header records; `file` is the trace's file: paths are relative to its folder. */
export function namedFiles(header: TraceHeader, file: string): NamedFiles {
  const at = (role: keyof RunFiles): string | undefined => {
    const path = header.files?.[role]?.path;
    return path === undefined ? undefined : fromFile(file, path);
  };
  return {
    scenario: at('scenario') ?? header.scenario,
    ...optional({
      kernel: at('kernel'),
      systemMap: at('systemMap'),
      initrd: at('initrd'),
      dtb: at('dtb'),
      hunks: header.ownHunks?.flatMap(({ path }) =>
        path === undefined ? [] : [fromFile(file, path)],
      ),
    }),
  };
}

/** The recorded SHA-256 of a file. */
const recorded = (header: TraceHeader, role: keyof RunFiles): string =>
  role === 'scenario'
    ? header.scenarioDigest
    : role === 'kernel'
      ? header.image.digest
      : (header.files?.[role]?.digest ?? '');

/**
 * Checks that the boot of a header can be run again. Throws E_RUN_FILE, at the key of the header, for a file of the user
 * that the header does not name or that is not there. `rerun`: the command with which the user can do it.
 */
export function checkRunFiles(header: TraceHeader, file: string, rerun: string): void {
  const refuse = (key: string, reason: string, digest: string, how = `: ${rerun}`): InputError =>
    new InputError({
      code: 'E_RUN_FILE',
      place: { file, path: `header.${key}` },
      reason: `${reason}; record the trace again${how}`,
      expected: `SHA-256 ${digest}`,
    });
  for (const role of RUN_FILE_ROLES) {
    const entry = header.files?.[role];
    if (entry === undefined) continue;
    const what = RUN_FILES[role];
    const digest = recorded(header, role);
    if (entry.path === undefined) {
      throw refuse(
        `files.${role}`,
        `the ${what} was read from a pipe, so that it cannot be read again`,
        digest,
        ' from a file',
      );
    }
    const path = fromFile(file, entry.path);
    if (existsSync(path)) continue;
    throw refuse(`files.${role}.path`, `no such file: the ${what} ${path}`, digest);
  }
  for (const [index, { path, digest, hunks }] of (header.ownHunks ?? []).entries()) {
    const key = `ownHunks.${String(index)}`;
    if (path === undefined) {
      throw new InputError({
        code: 'E_RUN_FILE',
        place: { file, path: `header.${key}` },
        reason: `the own hunks ${hunks.join(', ')} were given by a program, not read from a module, so that they cannot be applied again`,
      });
    }
    const module = fromFile(file, path);
    if (existsSync(module)) continue;
    throw refuse(`${key}.path`, `no such file: the module of own hunks ${module}`, digest ?? '');
  }
  if (header.image.name !== 'built-in' && header.files?.kernel === undefined) {
    throw refuse(
      'image.name',
      `the header does not have the path of the kernel image ${header.image.name}`,
      header.image.digest,
    );
  }
  const shipped = existsSync(join(packageRoot(), 'scenarios', `${header.scenario}.yaml`));
  if (header.files?.scenario === undefined && !shipped) {
    throw refuse(
      'scenario',
      `${header.scenario} is not a scenario of sme-boot, and the header does not have the path of its file`,
      header.scenarioDigest,
    );
  }
}

/** A line for each file of the user whose content is not what the trace was recorded with; `key`: where the header has it. */
export function changedFiles(
  expected: TraceHeader,
  found: TraceHeader,
  file: string,
): { key: (string | number)[]; text: string }[] {
  const line = (what: string, path: string, was: string, is: string): string =>
    `the ${what} ${fromFile(file, path)} is not the one of the trace: SHA-256 recorded ${was}, now ${is}`;
  const files = RUN_FILE_ROLES.flatMap((role) => {
    const path = expected.files?.[role]?.path;
    if (path === undefined) return [];
    const [was, is] = [recorded(expected, role), recorded(found, role)];
    if (was === is) return [];
    return [{ key: ['files', role], text: line(RUN_FILES[role], path, was, is) }];
  });
  const modules = (expected.ownHunks ?? []).flatMap(({ path, digest, imports = [] }, index) => {
    const now = found.ownHunks?.[index];
    const ofModule = { path, digest, is: now?.digest, what: 'module of own hunks' };
    const imported = imports.map((each) => ({
      ...each,
      is: now?.imports?.find((other) => other.path === each.path)?.digest,
      what: 'file that own hunks import',
    }));
    return [ofModule, ...imported].flatMap(({ path: at, digest: was, is, what }) =>
      at === undefined || was === is
        ? []
        : [{ key: ['ownHunks', index], text: line(what, at, was ?? 'none', is ?? 'none') }],
    );
  });
  return [...files, ...modules];
}
