/** Debian's kernel and busybox, fetched by scripts/fetch-debian-kernel.mjs, and the comparison of its bytes with memory after a boot. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKernelImage, type KernelImage } from '../../src/firmware/image/kernel-image.js';
import type { Boot } from '../../src/sequencer/boot.js';

const RECORD = '.cache/debian-kernel/kernel.json';
const BUSYBOX = '.cache/debian-kernel/busybox.json';

/** The path of the image. Throws if it was not fetched. */
export function debianKernelFile(): string {
  if (!existsSync(RECORD)) {
    throw new Error(
      'There is no real kernel here: run node scripts/fetch-debian-kernel.mjs first.',
    );
  }
  const { vmlinuz } = JSON.parse(readFileSync(RECORD, 'utf8')) as { vmlinuz: string };
  return vmlinuz;
}

/** The image. Throws if it was not fetched. */
export const debianKernel = (): KernelImage =>
  readKernelImage(new Uint8Array(readFileSync(debianKernelFile())), { file: 'vmlinuz' });

/** Debian's static busybox. Throws if it was not fetched. */
export function busybox(): Uint8Array {
  if (!existsSync(BUSYBOX)) {
    throw new Error('There is no busybox here: run node scripts/fetch-debian-kernel.mjs first.');
  }
  const { file } = JSON.parse(readFileSync(BUSYBOX, 'utf8')) as { file: string };
  return new Uint8Array(readFileSync(file));
}

/** Records which bytes of the kernel's range a boot writes. To be constructed before the first step. */
export class ImageBytes {
  /** By physical address: 1 if the boot wrote the byte, other than by encrypting it in place. */
  readonly written: Uint8Array;

  constructor(
    private readonly boot: Boot,
    private readonly image: KernelImage,
  ) {
    const size = image.segments.reduce((end, s) => Math.max(end, s.paddr + s.memsz), 0);
    const written = new Uint8Array(size);
    this.written = written;
    boot.machine.probes.accessed.listen((kind, _cpu, _va, address, _key, _type, length, origin) => {
      if (kind !== 'write' || address >= size) return;
      if (boot.recorder.nameOf(origin) === '.Lencrypt_start') return;
      written.fill(1, address, address + length);
    });
  }

  /** Addresses of differing bytes, at most 5, outside .bss, the overlay and the bytes that the boot wrote. */
  differences(
    read: (address: number, length: number) => Uint8Array,
    expectedAt: (address: number, file: Uint8Array) => Uint8Array = (_address, file) => file,
  ): string[] {
    const { program, loaded } = this.boot;
    const physical = (link: number): number => link - program.link('_text') + loaded.kernelAt;
    const excluded = [
      [physical(program.link('__bss_start')), physical(program.link('__bss_stop'))],
      [physical(program.overlayRange.start), physical(program.overlayRange.end)],
    ] as const;
    const found: string[] = [];
    // Bytes of the file beyond _end are not part of the kernel: the work area overwrites them.
    const end = physical(program.link('_end'));
    for (const segment of this.image.segments) {
      const length = Math.floor(Math.min(segment.bytes.length, end - segment.paddr) / 16) * 16;
      const expected = expectedAt(segment.paddr, segment.bytes.subarray(0, length));
      const got = read(segment.paddr, length);
      for (let i = 0; i < length && found.length < 5; i++) {
        if (got[i] === expected[i]) continue;
        const at = segment.paddr + i;
        if (excluded.some(([from, to]) => at >= from && at < to)) continue;
        // A written byte changes its whole block of ciphertext.
        const block = at - (at % 16);
        if (this.written.subarray(block, block + 16).includes(1)) continue;
        found.push(at.toString(16));
      }
    }
    return found;
  }

  /** The differences from the ciphertext that a separate program computes from the engine's description. */
  differencesToCiphertext(read: (address: number, length: number) => Uint8Array): string[] {
    const dir = mkdtempSync(join(tmpdir(), 'sme-boot-engine-'));
    try {
      const engine = join(dir, 'engine.json');
      writeFileSync(engine, JSON.stringify(this.boot.machine.engine.describe()));
      return this.differences(read, (address, plaintext) => {
        const plain = join(dir, 'plain');
        writeFileSync(plain, plaintext);
        const program = ['test/real/recompute.mjs', engine, String(address), plain];
        const ran = spawnSync(process.execPath, program, { maxBuffer: 1 << 28 });
        if (ran.status !== 0) throw new Error(ran.stderr.toString());
        return new Uint8Array(ran.stdout);
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
}
