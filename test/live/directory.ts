import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Calls `run` with a new directory that is removed afterwards. */
export function inDirectory<T>(run: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'sme-boot-live-'));
  try {
    return run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
