/**
 * Files with the state of an executed boot. The first line is JSON: what the state belongs to, and the length and SHA-256
 * of the rest, which is the state as V8's structured clone writes it.
 */
import { deserialize, serialize } from 'node:v8';
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { ownOf } from '../base/own.js';
import type { ExecutedBootSnapshot } from '../sequencer/executed-boot.js';
import { readBytes } from './files.js';
import { sha256 } from './sha256.js';
import { writeWhole } from './write-file.js';

const FORMAT = 1;
const NEWLINE = 0x0a;
/** Most bytes of the first line (our choice). */
const HEAD = 1 << 20;

const headSchema = z.object({
  'sme-boot snapshot': z.literal(FORMAT),
  /** What must be the same for a boot that goes on, by its name. */
  of: z.record(z.string(), z.unknown()),
  instructions: z.number(),
  bytes: z.number(),
  sha256: z.string(),
});

/** What a state belongs to: values by their names, which go through JSON unchanged. */
export type SnapshotOf = Readonly<Record<string, unknown>>;

/** Writes a state. Throws E_WRITE. */
export function writeSnapshot(
  file: string,
  of: SnapshotOf,
  instructions: number,
  state: ExecutedBootSnapshot,
): void {
  const bytes = serialize(state);
  const head = {
    'sme-boot snapshot': FORMAT,
    of,
    instructions,
    bytes: bytes.length,
    sha256: sha256(bytes),
  };
  writeWhole(file, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes]));
}

/**
 * Reads a state. Throws E_READ, and E_BOOT_SNAPSHOT for a file that is none, that is damaged, or whose state belongs to
 * something else than `of`.
 */
export function readSnapshot(file: string, of: SnapshotOf): ExecutedBootSnapshot {
  const bytes = readBytes(file);
  const end = bytes.subarray(0, HEAD).indexOf(NEWLINE);
  const head = headSchema.safeParse(jsonOf(bytes.subarray(0, Math.max(end, 0))));
  const wrong = (reason: string, expected?: string, found?: string): InputError =>
    new InputError({
      code: 'E_BOOT_SNAPSHOT',
      place: { file },
      reason,
      ...optional({ expected, found }),
    });
  if (!head.success) {
    throw wrong('no snapshot of a boot, or of another version', 'a file of --snapshot');
  }
  for (const [name, value] of Object.entries(of)) {
    const [here, there] = [value, ownOf(head.data.of, name)].map((each) => textOf(each));
    if (here === there) continue;
    throw wrong(`the snapshot is of a boot with another ${name}`, there, here);
  }
  const state = bytes.subarray(end + 1);
  if (state.length !== head.data.bytes || sha256(state) !== head.data.sha256) {
    throw wrong('the snapshot is damaged: its length or SHA-256 is wrong');
  }
  return deserialize(state) as ExecutedBootSnapshot;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));
