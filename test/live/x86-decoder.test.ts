/**
 * The decoder against iced-x86: over the whole text of two of Debian's kernels, and over sequences that cover each form.
 * The kernels are fetched by scripts/fetch-debian-kernel.mjs. With SME_BOOT_RECORD=encodings it writes the fixture of
 * test/x86/decode/decoder.test.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import type { CodeWidth } from '../../src/x86/decode/instruction.js';
import { fixtureText } from '../fixtures/fixture.js';
import { debianImages } from '../real/images.js';
import { ABSENT, OTHER_NAMES } from '../x86/decode/absent.js';
import { encodings, vexEncodings } from '../x86/decode/encodings.js';
import { comparison, icedDecoder, icedText, ownText } from '../x86/decode/iced.js';

const IP = 0x1000;
const WIDTHS: readonly CodeWidth[] = [64, 32, 16];
const FIXTURE = 'x86/encodings.txt';

/** iced's text of an instruction, and the number of its form. */
function icedDecoding(bytes: Uint8Array, width: CodeWidth): { text: string; code: number } {
  const decoder = icedDecoder(bytes, IP, width);
  const instruction = decoder.decode();
  const result = { text: icedText(instruction, width), code: instruction.code };
  instruction.free();
  decoder.free();
  return result;
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const mnemonicOf = (text: string): string => text.replace(/^lock /, '').split(' ')[0] ?? '';

function differences(all: Iterable<number[]>, width: CodeWidth): string[] {
  const found: string[] = [];
  for (const sequence of all) {
    const bytes = Uint8Array.from(sequence);
    const { text: theirs } = icedDecoding(bytes, width);
    const ours = ownText(bytes, 0, BigInt(IP), width);
    if (ours === theirs) continue;
    const name = mnemonicOf(theirs);
    const known = ours === 'invalid' ? ABSENT.has(name) : OTHER_NAMES.has(name);
    if (!known) found.push(`${hexOf(bytes)}: ${ours}, iced: ${theirs}`);
  }
  return found;
}

describe.each(['cloud', 'generic-6.12'])("the text of Debian's kernel %s", (name) => {
  const record = debianImages().find((image) => image.name === name);
  const file = record?.vmlinuz ?? '';
  const image = readKernelImage(new Uint8Array(readFileSync(file)), { file });
  const at = (symbol: string): number => image.symbols.get(symbol)?.address ?? NaN;

  test('has the same instructions for the decoder and for iced', () => {
    const [start, end] = [at('_text'), at('_etext')];
    const segment = image.segments.find(({ vaddr }) => vaddr === start);
    const result = comparison(
      segment?.bytes.subarray(0, end - start) ?? new Uint8Array(),
      start,
      64,
    );
    expect(result.differences.slice(0, 20)).toEqual([]);
    expect(result.instructions).toBeGreaterThan(5_000_000);
  });
});

describe('each opcode with prefixes and ModRM', () => {
  test.each(WIDTHS)('is the same instruction for iced, in %i-bit code', (width) => {
    expect(differences(encodings(width), width).slice(0, 20)).toEqual([]);
  });

  test('is the same instruction for iced with VEX and EVEX prefixes', () => {
    expect(differences(vexEncodings(), 64).slice(0, 20)).toEqual([]);
  });
});

/** One sequence for each of iced's forms with a register and with memory, and with LOCK: what the fixture holds. */
function recorded(): string {
  const lines = new Map<string, string>();
  for (const width of WIDTHS) {
    const vex = width === 64 ? vexEncodings() : [];
    for (const sequence of [...encodings(width), ...vex]) {
      const bytes = Uint8Array.from(sequence);
      const { text, code } = icedDecoding(bytes, width);
      const name = mnemonicOf(text);
      if (text === 'invalid' || ABSENT.has(name) || OTHER_NAMES.has(name)) continue;
      const key = [width, code, text.includes('['), text.startsWith('lock')].join(' ');
      if (lines.has(key)) continue;
      const length = Number(/\/(\d+)$/.exec(text)?.[1]);
      lines.set(key, `${String(width)} ${hexOf(bytes.subarray(0, length))} ${text}`);
    }
  }
  return `${[...lines.values()].join('\n')}\n`;
}

test('iced decodes the recorded sequences as recorded', () => {
  const now = recorded();
  if (process.env.SME_BOOT_RECORD === 'encodings') writeFileSync(`test/fixtures/${FIXTURE}`, now);
  expect(fixtureText(FIXTURE) === now).toBe(true);
});
