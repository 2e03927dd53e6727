/** Programs from outside that the project's readers and writers are compared with. */
import { spawnSync } from 'node:child_process';

/** Debian packages of the tools that a new machine may lack. */
const PACKAGES: Readonly<Record<string, string>> = { dtc: 'device-tree-compiler', xz: 'xz-utils' };

/** What a tool wrote on stdout. A tool that is missing, or fails, fails the test. */
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
