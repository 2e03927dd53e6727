/** Debian's kernels, with different compressions and symbol tables, boot as the built-in image does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { detectFormat } from '../../src/decompress/decompress.js';
import { SETUP_HEADER } from '../../src/firmware/image/bzimage.js';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import { ascii } from '../firmware/image/build.js';
import { buildPe } from '../firmware/image/build-pe.js';
import { intact, stateOf } from '../helpers.js';
import { boot, debianImages, Measurements } from './images.js';

const TIME = 120_000;
/** Far above what a boot takes (0.3 GiB), far below what a leak would. */
const LARGEST_PEAK = 800 * 2 ** 20;
const images = debianImages();
const measurements = new Measurements();
const read = (vmlinuz: string): Uint8Array => new Uint8Array(readFileSync(vmlinuz));

afterAll(() => {
  measurements.print();
});

test('at least six images were fetched, with three compressions', () => {
  expect(images.length).toBeGreaterThanOrEqual(6);
  const formats = images.map(({ vmlinuz }) => {
    const bytes = read(vmlinuz);
    const view = new DataView(bytes.buffer);
    const code = (view.getUint8(SETUP_HEADER.setup_sects) + 1) * 512;
    return detectFormat(bytes, code + view.getUint32(SETUP_HEADER.payload_offset, true));
  });
  expect(new Set(formats)).toEqual(new Set(['LZ4', 'XZ', 'ZSTD']));
});

describe.each(images)('$name, $package', ({ name, package: from, vmlinuz }) => {
  test('has symbols in the order of its sections', () => {
    const { symbols, version } = readKernelImage(read(vmlinuz), { file: 'vmlinuz' });
    if (from.startsWith('linux-image-')) expect(version).toContain(from.slice(12));
    expect(symbols.size).toBeGreaterThan(80_000);
    const at = (symbol: string): number => symbols.get(symbol)?.address ?? NaN;
    expect(at('_text')).toBe(-0x8000_0000 + 0x100_0000);
    const inOrder = ['_text', '_etext', '_sdata', '__init_begin', '__bss_start', '_end'];
    expect([...inOrder].sort((a, b) => at(a) - at(b))).toEqual(inOrder);
  });

  test.each([17, 18])(
    'boots at stage %i as the built-in kernel does',
    (stage) => {
      const measured = boot(['bios-minimal', '--stage', `${stage}`, '--kernel', vmlinuz]);
      measurements.add(`${name} (${from}), stage ${stage}`, measured);
      const builtIn = boot(['bios-minimal', '--stage', `${stage}`]);
      const { trace, peak } = measured;
      expect(trace.outcome).toEqual(builtIn.trace.outcome);
      expect(trace.outcome.kind).toBe('booted');
      expect(trace.consumed).toEqual(builtIn.trace.consumed);
      for (const consumed of ['boot params', 'command line', 'initrd']) {
        expect([consumed, intact(trace, consumed)]).toEqual([consumed, true]);
      }
      expect(stateOf(trace, 'kernel text')).toBe(stage === 18 ? 'ciphertext' : 'plaintext');
      expect(peak).toBeLessThan(LARGEST_PEAK);
    },
    TIME,
  );
});

describe('a UKI of the first image', () => {
  test(
    'boots with its command line, and the summary lists the sections that are used',
    () => {
      const [first] = images;
      const dir = mkdtempSync(join(tmpdir(), 'sme-boot-uki-'));
      try {
        const kernel = join(dir, 'linux.efi');
        const uki = buildPe({
          sections: [
            ['.osrel', ascii('PRETTY_NAME="Debian GNU/Linux"\n')],
            ['.cmdline', ascii('root=/dev/sda2 mem_encrypt=on\n')],
            ['.linux', read(first?.vmlinuz ?? '')],
            ['.sbat', ascii('sbat,1')],
          ],
        });
        writeFileSync(kernel, uki);
        const measured = boot(['bios-minimal', '--kernel', kernel]);
        measurements.add(`${first?.name ?? ''} in a UKI, stage 18`, measured);
        expect(measured.trace.outcome.kind).toBe('booted');
        expect(measured.summary).toContain(
          'a UKI of Debian GNU/Linux: .linux, .cmdline used; not used: .sbat; its stub is not run\n' +
            'command line: root=/dev/sda2 mem_encrypt=on\n',
        );
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
    TIME,
  );
});
