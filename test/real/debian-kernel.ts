/** Debian's kernel, brought by scripts/fetch-debian-kernel.mjs, and what a boot leaves of its bytes. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKernelImage, type KernelImage } from '../../src/firmware/image/kernel-image.js';
import type { Boot } from '../../src/sequencer/boot.js';

const RECORD = '.cache/debian-kernel/kernel.json';

/** The image. Throws where it was not fetched. */
export function debianKernel(): KernelImage {
  if (!existsSync(RECORD)) {
    throw new Error(
      'There is no real kernel here: run node scripts/fetch-debian-kernel.mjs first.',
    );
  }
  const { vmlinuz } = JSON.parse(readFileSync(RECORD, 'utf8')) as { vmlinuz: string };
  return readKernelImage(new Uint8Array(readFileSync(vmlinuz)), { file: 'vmlinuz' });
}

/** Follows which bytes of the kernel's range a boot writes itself. Make it before the first step. */
export class ImageBytes {
  /** By physical address: 1 where the boot wrote, apart from encrypting what stood there. */
  readonly written: Uint8Array;

  constructor(
    private readonly boot: Boot,
    private readonly image: KernelImage,
  ) {
    const size = image.segments.reduce((end, s) => Math.max(end, s.paddr + s.memsz), 0);
    const written = new Uint8Array(size);
    this.written = written;
    boot.machine.observe({
      access: (kind, _cpu, _va, address, _key, length, origin) => {
        if (kind !== 'write' || address >= size) return;
        if (boot.recorder.nameOf(origin) === '.Lencrypt_start') return;
        written.fill(1, address, address + length);
      },
    });
  }

  /** What differs of the image's own bytes: those outside .bss, the overlay and what the boot wrote. */
  differences(
    read: (address: number, length: number) => Uint8Array,
    wanted: (address: number, file: Uint8Array) => Uint8Array = (_address, file) => file,
  ): string[] {
    const { program, loaded } = this.boot;
    const physical = (link: number): number => link - program.link('_text') + loaded.kernelAt;
    const apart = [
      [physical(program.link('__bss_start')), physical(program.link('__bss_stop'))],
      [physical(program.overlayRange.start), physical(program.overlayRange.end)],
    ] as const;
    const found: string[] = [];
    // What the file has beyond _end is no part of the kernel: the work area lies over it.
    const end = physical(program.link('_end'));
    for (const segment of this.image.segments) {
      const length = Math.floor(Math.min(segment.bytes.length, end - segment.paddr) / 16) * 16;
      const expected = wanted(segment.paddr, segment.bytes.subarray(0, length));
      const got = read(segment.paddr, length);
      for (let i = 0; i < length && found.length < 5; i++) {
        if (got[i] === expected[i]) continue;
        const at = segment.paddr + i;
        if (apart.some(([from, to]) => at >= from && at < to)) continue;
        // A written byte changes its whole block of ciphertext.
        const block = at - (at % 16);
        if (this.written.subarray(block, block + 16).includes(1)) continue;
        found.push(at.toString(16));
      }
    }
    return found;
  }

  /** The differences to what a separate program computes, with what the engine says of itself. */
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
