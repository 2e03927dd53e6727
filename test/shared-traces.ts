/**
 * Traces of boots that several suites need: each is made once and cached in .cache/test-traces/, under the digest of all
 * sources and that of its scenario and hunk selection. SME_BOOT_TEST_CACHE=off disables the cache.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from '../src/machine/codec.js';
import type { BootOptions } from '../src/sequencer/boot.js';
import type { Trace } from '../src/trace/trace.js';
import { boot, scenario, sha256 } from './helpers.js';

export const FOLDER = join('.cache', 'test-traces');
/** The options of a shared boot: plain data, which the digest covers. */
export type Shared = Partial<
  Pick<BootOptions, 'scenario' | 'stage' | 'activate' | 'without' | 'with'>
>;

/** Milliseconds: a source that changed later may not be the one that this process has loaded, so nothing is cached. */
const SETTLED = 120_000;
const isOff = (): boolean => process.env.SME_BOOT_TEST_CACHE === 'off';

interface Sources {
  readonly digest: string;
  /** Time of the last change of one of them, in milliseconds since 1970. */
  readonly changed: number;
}

/** Everything but its options that determines a boot. */
function readSources(): Sources {
  const files = [
    ...readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => join('src', name)),
    join('test', 'helpers.ts'),
    join('test', 'shared-traces.ts'),
    'package-lock.json',
  ];
  const parts = files.map((file) => `${file} ${sha256(readFileSync(file))}\n`);
  return {
    digest: sha256(new TextEncoder().encode(process.version + parts.join(''))),
    changed: Math.max(...files.map((file) => statSync(file).mtimeMs)),
  };
}

const sources = isOff() ? undefined : readSources();

/** Path of the cached trace of a boot. */
export function fileOf(options: Shared, digest = sources?.digest ?? ''): string {
  const { scenario: data = scenario(), stage = 18, activate = false, ...hunks } = options;
  const text = JSON.stringify([data, stage, activate, hunks.without ?? [], hunks.with ?? []]);
  return join(FOLDER, digest, sha256(new TextEncoder().encode(text)));
}

/** The trace of a whole boot on the machine of `boot()`. */
export function traceOf(options: Shared = {}): Trace {
  if (sources === undefined) return boot(options).run();
  const file = fileOf(options);
  const found = read(file);
  if (found !== undefined) return found;
  const trace = boot(options).run();
  if (Date.now() - sources.changed > SETTLED) write(file, trace);
  return trace;
}

function read(file: string): Trace | undefined {
  try {
    return deserialize(readFileSync(file)) as Trace;
  } catch {
    return undefined;
  }
}

/** Writes the file atomically, since other processes may write it too; removes traces of other sources. */
function write(file: string, trace: Trace): void {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.${String(process.pid)}.part`;
  writeFileSync(part, serialize(trace));
  renameSync(part, file);
  for (const name of readdirSync(FOLDER)) {
    if (name !== sources?.digest) rmSync(join(FOLDER, name), { recursive: true, force: true });
  }
}
