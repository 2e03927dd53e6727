/**
 * A real distribution's kernel image and an initrd made by the cpio tool go through the whole boot. Fetched by
 * scripts/fetch-debian-kernel.mjs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa } from '../../src/machine/address.js';
import { boot, intact, stateOf } from '../helpers.js';
import { debianKernel, ImageBytes } from './debian-kernel.js';

/** An initrd with /init, by the cpio tool, gzipped. */
function makeInitrd(): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'sme-boot-initrd-'));
  try {
    writeFileSync(join(dir, 'init'), '#!/bin/sh\necho up\n', { mode: 0o755 });
    writeFileSync(join(dir, 'data'), Buffer.alloc(200_000, 'initrd '));
    const made = spawnSync('cpio', ['-o', '-H', 'newc', '--quiet'], {
      cwd: dir,
      input: 'init\ndata\n',
    });
    if (made.status !== 0) throw new Error(made.stderr.toString());
    return new Uint8Array(gzipSync(made.stdout));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const image = debianKernel();
const subject = boot({ image, initrd: makeInitrd() });
const bytes = new ImageBytes(subject, image);
const trace = subject.run();

describe("Debian's cloud kernel", () => {
  test('boots to /init and reads everything intact that the series handles', () => {
    expect(trace.outcome.kind).toBe('booted');
    for (const name of [
      'boot params',
      'command line',
      'initrd',
      'user file page',
      'user private page',
    ]) {
      expect([name, intact(trace, name)]).toEqual([name, true]);
    }
    expect(stateOf(trace, 'kernel text')).toBe('ciphertext');
  });

  test('has its symbols in its kallsyms', () => {
    expect(image.symbols.size).toBeGreaterThan(80_000);
    const at = (name: string): number => image.symbols.get(name)?.address ?? NaN;
    expect(at('_text')).toBe(-0x8000_0000 + 0x100_0000);
    expect(at('startup_64')).toBe(at('_text'));
    const inOrder = [
      '_text',
      '_etext',
      '_sdata',
      '__init_begin',
      '__bss_start',
      '__bss_stop',
      '_end',
    ];
    expect([...inOrder].sort((a, b) => at(a) - at(b))).toEqual(inOrder);
  });

  test('every byte of the image that the boot did not write reads as the file through C=1', () => {
    expect(
      bytes.differences((address, length) =>
        subject.machine.dmaRead(pa(address), length, KEY_HOST),
      ),
    ).toEqual([]);
  });

  test("every such byte is in DRAM as the ciphertext that node:crypto computes from the engine's description", () => {
    expect(
      bytes.differencesToCiphertext((address, length) =>
        subject.machine.dram.peek(pa(address), length),
      ),
    ).toEqual([]);
  });

  test('most of the image, and all of its text, was not written by the boot', () => {
    const { written } = bytes;
    const text = written.subarray(
      subject.loaded.kernelAt,
      subject.loaded.kernelAt + 0x1e0_1ef2 - 0x100_0000,
    );
    expect(text.includes(1)).toBe(false);
    expect(written.reduce((sum, byte) => sum + byte, 0)).toBeLessThan(written.length / 2);
  });
});

describe('a RAM disk of 20,100,000 zero bytes, more than 4906 pages', () => {
  test('has the same outcome at stage 18 as at stage 17', () => {
    const initrd = new Uint8Array(20_100_000);
    const [plain, encrypted] = [17, 18].map(
      (stage) => boot({ image, initrd, stage }).run().outcome,
    );
    expect(encrypted).toEqual(plain);
    expect(plain).toMatchObject({ kind: 'panic', message: expect.stringContaining('VFS: Unable') });
  }, 120_000);
});
