/**
 * A real distribution's kernel image and an initrd made by the cpio tool go through the whole boot. Brought by
 * scripts/fetch-debian-kernel.mjs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import { KEY_HOST, pa } from '../../src/machine/address.js';
import type { Observer } from '../../src/machine/types.js';
import { boot, intact, stateOf } from '../helpers.js';

const CACHE = '.cache/debian-kernel';
const record = JSON.parse(readFileSync(join(CACHE, 'kernel.json'), 'utf8')) as {
  vmlinuz: string;
};
const vmlinuz = new Uint8Array(readFileSync(record.vmlinuz));

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

const image = readKernelImage(vmlinuz, { file: 'vmlinuz' });
const subject = boot({ image, initrd: makeInitrd() });
/** Pages of the kernel's range that the boot wrote bytes of, apart from encrypting them: byte by byte. */
const size = image.segments.reduce((end, s) => Math.max(end, s.paddr + s.memsz), 0);
const written = new Uint8Array(size);
const observer: Observer = {
  access: (kind, _cpu, _va, address, _key, length, origin) => {
    if (kind !== 'write' || address >= size) return;
    if (subject.recorder.nameOf(origin) === '.Lencrypt_start') return;
    written.fill(1, address, address + length);
  },
};
subject.machine.observe(observer);
const trace = subject.run();

/** What differs of the image's own bytes: those outside .bss, the overlay and what the boot wrote. */
function differences(
  read: (address: number, length: number) => Uint8Array,
  wanted: (address: number, file: Uint8Array) => Uint8Array,
): string[] {
  const { program } = subject;
  const physical = (link: number): number => link - program.link('_text') + subject.loaded.kernelAt;
  const apart = [
    [physical(program.link('__bss_start')), physical(program.link('__bss_stop'))],
    [physical(program.overlayRange.start), physical(program.overlayRange.end)],
  ] as const;
  const found: string[] = [];
  // What the file has beyond _end is no part of the kernel: the work area lies over it.
  const end = physical(program.link('_end'));
  for (const segment of image.segments) {
    const length = Math.floor(Math.min(segment.bytes.length, end - segment.paddr) / 16) * 16;
    const expected = wanted(segment.paddr, segment.bytes.subarray(0, length));
    const got = read(segment.paddr, length);
    for (let i = 0; i < length && found.length < 5; i++) {
      const at = segment.paddr + i;
      if (apart.some(([from, to]) => at >= from && at < to)) continue;
      // A written byte changes its whole block of ciphertext.
      const block = at - (at % 16);
      if (written.subarray(block, block + 16).includes(1)) continue;
      if (got[i] !== expected[i]) found.push(at.toString(16));
    }
  }
  return found;
}

describe("Debian's cloud kernel", () => {
  test('boots to /init with everything intact that the series takes care of', () => {
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

  test('gives its symbols through its kallsyms', () => {
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
      differences(
        (address, length) => subject.machine.dmaRead(pa(address), length, KEY_HOST),
        (_address, file) => file,
      ),
    ).toEqual([]);
  });

  test("and is in DRAM as the ciphertext that node:crypto computes from the engine's description", () => {
    const dir = mkdtempSync(join(tmpdir(), 'sme-boot-engine-'));
    try {
      const engine = join(dir, 'engine.json');
      writeFileSync(engine, JSON.stringify(subject.machine.engine.describe()));
      const recompute = (address: number, plaintext: Uint8Array): Uint8Array => {
        const plain = join(dir, 'plain');
        writeFileSync(plain, plaintext);
        const program = ['test/real/recompute.mjs', engine, String(address), plain];
        const ran = spawnSync(process.execPath, program, { maxBuffer: 1 << 28 });
        if (ran.status !== 0) throw new Error(ran.stderr.toString());
        return new Uint8Array(ran.stdout);
      };
      expect(
        differences((address, length) => subject.machine.dram.peek(pa(address), length), recompute),
      ).toEqual([]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('most of the image was not written by the boot itself, so the comparison says something', () => {
    const text = written.subarray(
      subject.loaded.kernelAt,
      subject.loaded.kernelAt + 0x1e0_1ef2 - 0x100_0000,
    );
    expect(text.includes(1)).toBe(false);
    expect(written.reduce((sum, byte) => sum + byte, 0)).toBeLessThan(size / 2);
  });
});
