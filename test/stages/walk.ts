/**
 * Nothing of a boot lives outside of its snapshots. A boot is stopped at each label; another boot takes the snapshot,
 * runs one step, and must stand where the first one stands at its next label: by induction the rest is the same.
 */
import { isMap } from '../../src/machine/codec.js';
import type { BootOptions, BootSnapshot } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot } from '../helpers.js';

export interface Walked {
  /** Labels after which the two differ, and where. */
  readonly wrong: readonly string[];
  readonly steps: number;
  /** The traces of the boot that never stopped and of the one that goes on from snapshots. */
  readonly traces: readonly [string, string];
}

/** Runs a boot, and beside it one that takes over its snapshot at each label. */
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

/** The first place where two values differ; pages that two snapshots share are not looked into. */
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
// A property that is undefined is as good as none: bytes have no place for it.
const entriesOf = (value: object): (readonly [unknown, unknown])[] =>
  (isMap(value) ? [...value] : Object.entries(value)).filter(([, v]) => v !== undefined);

/** A snapshot with the last of its recorded steps alone: the others were looked at before. */
function last({ recorder, ...rest }: BootSnapshot): unknown {
  return { ...rest, recorder: { ...recorder, steps: recorder.steps.slice(-1) } };
}
