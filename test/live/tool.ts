/** External programs with which the project's readers and writers are compared. */
import { spawnSync } from 'node:child_process';

/** Debian packages of tools whose name differs from the package's. */
const PACKAGES: Readonly<Record<string, string>> = { dtc: 'device-tree-compiler', xz: 'xz-utils' };

/** The stdout of a tool. Throws if the tool is missing or fails. */
export function tool(
  name: string,
  args: readonly string[],
  input: Uint8Array | string = '',
  cwd?: string,
): Uint8Array {
  const options = { input, maxBuffer: 2 ** 28, ...(cwd !== undefined && { cwd }) };
  const { status, stdout, stderr, error } = spawnSync(name, args, options);
  if (error !== undefined) {
    throw new Error(`${name} did not run (Debian package ${PACKAGES[name] ?? name})`, {
      cause: error,
    });
  }
  if (status !== 0) throw new Error(`${name}: exit status ${String(status)}: ${String(stderr)}`);
  return new Uint8Array(stdout);
}

/** The same as text. */
export function toolText(...args: Parameters<typeof tool>): string {
  return new TextDecoder().decode(tool(...args));
}
