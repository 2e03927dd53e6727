/** The view of `sme-boot inspect` of bytes of memory. */
import { writeWhole } from '../node/files.js';
import { hex } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { Fact } from '../inspect/difference.js';
import { bytesOf, type MemoryView, type PhysicalRange } from '../inspect/memory.js';
import { parsePlace, physicalRanges } from '../inspect/place.js';
import { InputError } from '../base/errors.js';
import { checkLimit, LIMITS } from '../base/limits.js';
import { printable } from '../base/printable.js';
import type { View } from './inspect-view.js';
import type { Io } from './io.js';
import { writeBytes } from './output.js';

const MEM = /^(.+):(0x[0-9a-fA-F]+|\d+)$/;

/** A place and a number of bytes, `PLACE:LEN`; undefined for a text without a length. */
export function splitLength(text: string): { where: string; length: number } | undefined {
  const [, where, size] = MEM.exec(text) ?? [];
  return where === undefined ? undefined : { where, length: Number(size) };
}

/** Parses the value of `--mem`. Throws E_MEM, and the limit's error. */
export function parseMem(
  text: string,
  save: string | undefined,
): { where: string; length: number } {
  const { where, length } = splitLength(text) ?? { length: 0 };
  if (where === undefined || !(length > 0)) {
    throw new InputError({
      code: 'E_MEM',
      place: { path: '--mem' },
      expected: 'PLACE:LEN, LEN in bytes',
      found: JSON.stringify(text),
    });
  }
  checkLimit(save === undefined ? LIMITS.printedMemory : LIMITS.savedMemory, length, {
    path: '--mem',
  });
  return { where, length };
}

interface MemoryFlags {
  readonly as: MemoryView;
  readonly save?: string;
}

/** The heading of the bytes of a place. */
export const memoryHeading = (text: string, as: MemoryView): string => `${printable(text)}, ${as}`;

interface SavedFlags {
  readonly mem?: readonly string[];
  readonly at?: readonly string[];
  readonly save?: string;
}

/** Throws E_USAGE for a file that the bytes of several places, or labels, would be written to. */
export function refuseSeveral({ mem = [], at = [], save }: SavedFlags): void {
  if (save === undefined) return;
  const [option, given] = mem.length > 1 ? ['--mem', mem] : ['--at', at];
  if (given.length < 2) return;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: 'inspect' },
    reason: `--save takes the bytes of one ${option}`,
    expected: `one ${option}`,
    found: given.join(' and '),
  });
}

/** Bytes of a row of a comparison. */
const ROW = 16;

const asciiOf = (row: readonly number[]): string =>
  row.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');

const hexOf = (row: readonly number[]): string[] =>
  row.map((byte) => byte.toString(16).padStart(2, '0'));

/** Bytes in rows by their offset. */
function rowsOf(bytes: Uint8Array): Fact[] {
  return Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, i) => {
    const row = [...bytes.subarray(i * ROW, (i + 1) * ROW)];
    return { name: `+${hex(i * ROW)}`, value: `${hexOf(row).join(' ')}  |${asciiOf(row)}|` };
  });
}

const rangeText = ({ base, size }: PhysicalRange): string =>
  `${hex(base)}..${hex(base + size - 1)}`;

/** The bytes of a place, which are saved too if that is asked. Throws E_NOT_MAPPED, E_WRITE. */
export function memory(
  io: Io,
  boot: InspectedBoot,
  cpu: Cpu,
  text: string,
  { as, save }: MemoryFlags,
): View {
  const { where, length } = parseMem(text, save);
  const ranges = physicalRanges(boot, parsePlace(boot, where, 'pa'), length, where, cpu);
  const bytes = bytesOf(boot.machine, ranges, as);
  if (save === '-') writeBytes(io, bytes);
  else if (save !== undefined) writeWhole(save, bytes);
  const [first] = ranges;
  return {
    name: 'mem',
    heading: memoryHeading(text, as),
    data: {
      place: where,
      pa: hex(first?.base ?? 0),
      ...(ranges.length > 1 && {
        ranges: ranges.map(({ base, size }) => ({ pa: hex(base), bytes: size })),
      }),
      as,
      bytes: Buffer.from(bytes).toString('hex'),
    },
    compared: () => ({
      facts: [{ name: 'physical', value: ranges.map(rangeText).join(', ') }, ...rowsOf(bytes)],
    }),
    text: (columns) => {
      if (save !== undefined) {
        return `${String(length)} bytes to ${save === '-' ? 'stdout' : printable(save)}\n`;
      }
      let done = 0;
      return ranges
        .map(({ base, size }) => {
          const part = bytes.subarray(done, done + size);
          done += size;
          return hexdump(base, part, columns);
        })
        .join('');
    },
  };
}

/** Columns of a line of 16 bytes: address, two groups of eight bytes, characters. */
const WIDE_LINE = 12 + 2 + 23 + 2 + 23 + 2 + 18;

/** In the format of `hexdump -C`, narrow ones with eight bytes a line: repeated lines are replaced by one star. */
function hexdump(address: number, bytes: Uint8Array, columns = WIDE_LINE): string {
  const step = columns < WIDE_LINE ? 8 : 16;
  const lines: string[] = [];
  let before = '';
  for (let at = 0; at < bytes.length; at += step) {
    const row = [...bytes.subarray(at, at + step)];
    const cells = hexOf(row);
    const halves = step === 8 ? [cells] : [cells.slice(0, 8), cells.slice(8)];
    const shown = halves.map((half) => half.join(' ').padEnd(23)).join('  ');
    const ascii = asciiOf(row);
    if (shown === before) {
      if (lines[lines.length - 1] !== '*') lines.push('*');
    } else {
      lines.push(`${(address + at).toString(16).padStart(12, '0')}  ${shown}  |${ascii}|`);
    }
    before = shown;
  }
  return `${lines.join('\n')}\n`;
}
