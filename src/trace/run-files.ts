/** The files of a boot that a trace's header records: the user's scenario, kernel image, initrd and so on. */
import * as z from 'zod';

/** The roles of the files, in the order they are written. */
export const RUN_FILE_ROLES = ['scenario', 'kernel', 'systemMap', 'initrd', 'dtb'] as const;

export type RunFileRole = (typeof RUN_FILE_ROLES)[number];

/** The words that name them in messages. */
export const RUN_FILES = {
  scenario: 'scenario',
  kernel: 'kernel image',
  systemMap: 'System.map',
  initrd: 'initrd',
  dtb: 'device tree',
} as const satisfies Record<RunFileRole, string>;

const fileSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .describe('Its path, relative to the folder of this file; absent: it was read from a pipe.'),
  digest: z
    .string()
    .optional()
    .describe(
      "SHA-256 of its bytes; absent for a scenario and a kernel, which scenarioDigest and image's digest are of.",
    ),
});

/** Schema of the files, by their role. */
export const runFilesSchema = z.partialRecord(z.enum(RUN_FILE_ROLES), fileSchema);

export type RunFiles = z.infer<typeof runFilesSchema>;

/** Schema of the own hunks, by their modules. */
export const ownHunksSchema = z
  .array(
    z.strictObject({
      path: z
        .string()
        .min(1)
        .optional()
        .describe('The module, relative to the folder of this file; absent: a program gave them.'),
      digest: z.string().optional().describe('SHA-256 of the bytes of the module.'),
      imports: z
        .array(
          z.strictObject({
            path: z.string().min(1).describe('Its path, relative to the folder of this file.'),
            digest: z.string().describe('SHA-256 of its bytes.'),
          }),
        )
        .min(1)
        .optional()
        .describe('Files that it imports by a relative path, and those that they import.'),
      hunks: z.array(z.string()).min(1).describe('The hunks, by id.'),
    }),
  )
  .min(1);

export type OwnHunks = z.infer<typeof ownHunksSchema>;

/** The modules with keys in the order they are written. */
export function canonicalOwnHunks(modules: OwnHunks): OwnHunks {
  return modules.map(({ path, digest, imports, hunks }) => ({
    ...(path !== undefined && { path }),
    ...(digest !== undefined && { digest }),
    ...(imports !== undefined && {
      imports: imports.map((each) => ({ path: each.path, digest: each.digest })),
    }),
    hunks,
  }));
}

/** The files with keys in the order they are written. */
export function canonicalFiles(files: RunFiles): RunFiles {
  return Object.fromEntries(
    RUN_FILE_ROLES.flatMap((role) => {
      const file = files[role];
      if (file === undefined) return [];
      const { path: at, digest: sha } = file;
      const fields = {
        ...(at !== undefined && { path: at }),
        ...(sha !== undefined && { digest: sha }),
      };
      return [[role, fields]];
    }),
  );
}

/** The role of a file, for paths of a header: one of `files`, or a module of own hunks and what it imports. */
export type PathRole = RunFileRole | 'ownHunks';

/** A header with each path of its files replaced by the result of `map`; the same header if it has none. */
export function withPaths<
  H extends { readonly files?: RunFiles | undefined; readonly ownHunks?: OwnHunks | undefined },
>(header: H, map: (path: string, role: PathRole) => string): H {
  const { files, ownHunks } = header;
  if (files === undefined && ownHunks === undefined) return header;
  return {
    ...header,
    ...(files !== undefined && { files: filesWithPaths(files, map) }),
    ...(ownHunks !== undefined && { ownHunks: modulesWithPaths(ownHunks, map) }),
  };
}

type MapPath = (path: string, role: PathRole) => string;

function filesWithPaths(files: RunFiles, map: MapPath): RunFiles {
  return Object.fromEntries(
    RUN_FILE_ROLES.flatMap((role) => {
      const file = files[role];
      if (file === undefined) return [];
      return [[role, file.path === undefined ? file : { ...file, path: map(file.path, role) }]];
    }),
  );
}

function modulesWithPaths(modules: OwnHunks, map: MapPath): OwnHunks {
  return modules.map((module) => ({
    ...module,
    ...(module.path !== undefined && { path: map(module.path, 'ownHunks') }),
    ...(module.imports !== undefined && {
      imports: module.imports.map((each) => ({ ...each, path: map(each.path, 'ownHunks') })),
    }),
  }));
}
