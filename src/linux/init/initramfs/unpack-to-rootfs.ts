/** init/initramfs.c: unpacks the archive in memory into the root file system. */
import { va, type Va } from '../../../machine/address.js';
import { unpackTo, type UnpackError } from './unpack.js';
import type { InitrdSource } from './input.js';
import { pageCache } from '../../mm/filemap.js';
import { Rootfs } from '../../fs/ramfs.js';
import { fn, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Returns the first error, or undefined if the archive was unpacked completely. */
    unpack_to_rootfs(k: Kernel, at: Va, length: number): UnpackError | undefined;
  }
}

/** The initrd in memory: read through the CPU, and checked against the bytes that the loader wrote. */
function initrdAt(
  k: Kernel,
  at: Va,
  length: number,
  counted: (access: () => Uint8Array) => Uint8Array,
): InitrdSource {
  return {
    length,
    read: (offset, count) => {
      const bytes = counted(() => k.readBytes(va(at + offset), count));
      k.trace.recorder.consumedPart('initrd', 'unpack_to_rootfs', offset, bytes);
      return bytes;
    },
  };
}

export const unpackToRootfs = bodies({
  unpack_to_rootfs: fn((k: Kernel, at: Va, length: number) => {
    const rootfs = new Rootfs(k.state.rootfs, pageCache(k));
    return k.trace.reading('initrd', at, length, (counted) =>
      unpackTo(rootfs, initrdAt(k, at, length, counted)),
    );
  }),
});
