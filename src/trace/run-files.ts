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

/** A header with each path of its files replaced by the result of `map`; the same header if it has none. */
export function withPaths<H extends { readonly files?: RunFiles | undefined }>(
  header: H,
  map: (path: string, role: RunFileRole) => string,
): H {
  const { files } = header;
  if (files === undefined) return header;
  const mapped = Object.fromEntries(
    RUN_FILE_ROLES.flatMap((role) => {
      const file = files[role];
      if (file === undefined) return [];
      return [[role, file.path === undefined ? file : { ...file, path: map(file.path, role) }]];
    }),
  ) as RunFiles;
  return { ...header, files: mapped };
}
