/**
 * A snapshot has the whole state of a boot. A boot is stopped at each label; another boot restores the snapshot, runs
 * one step, and must have the state of the first one at its next label: by induction the rest is the same.
 */
import { isMap } from '../../src/machine/codec.js';
import type { BootOptions, BootSnapshot } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot } from '../helpers.js';

export interface Walked {
  /** Labels after which the two differ, with the path of the first difference. */
  readonly wrong: readonly string[];
  readonly steps: number;
  /** The traces of the uninterrupted boot and of the one resumed from snapshots. */
  readonly traces: readonly [string, string];
}

/** Runs a boot, and another that restores its snapshot at each label. */
export function walk(options: Partial<BootOptions>): Walked {
  const subject = boot(options);
  const other = boot(options);
  const wrong: string[] = [];
  let steps = 0;
  let before = subject.snapshot();
  while (subject.outcome === null) {
    const label = subject.ahead[0] ?? '';
    subject.step();
    const after = subject.snapshot();
    other.restore(before);
    other.step();
    const found = difference(last(after), last(other.snapshot()));
    if (found !== undefined) wrong.push(`after ${label}: ${found}`);
    before = after;
    steps++;
  }
  return { wrong, steps, traces: [printTrace(subject.finish()), printTrace(other.finish())] };
}

/** Path of the first difference of two values; undefined if equal. Objects that both share are not compared. */
export function difference(a: unknown, b: unknown, at = ''): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return at;
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    return Buffer.compare(bytesOf(a), bytesOf(b)) === 0 ? undefined : at;
  }
  const [left, right] = [entriesOf(a), entriesOf(b)];
  if (left.length !== right.length) return `${at}: ${String(left.length)}, ${String(right.length)}`;
  const others = new Map(right);
  for (const [key, value] of left) {
    const found = difference(value, others.get(key), `${at}.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
// A property that is undefined counts as absent: the serialized form does not have it.
const entriesOf = (value: object): (readonly [unknown, unknown])[] =>
  (isMap(value) ? [...value] : Object.entries(value)).filter(([, v]) => v !== undefined);

/** A snapshot with only the last of its recorded steps: the others were compared before. */
function last({ recorder, ...rest }: BootSnapshot): unknown {
  return { ...rest, recorder: { ...recorder, steps: recorder.steps.slice(-1) } };
}
