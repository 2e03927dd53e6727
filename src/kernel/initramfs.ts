/** init/initramfs.c: unpacks the initrd from memory into the root file system. */
import { alignUp, PAGE_SIZE, type Va } from '../machine/address.js';
import { unpackCpio } from './cpio-unpack.js';
import { GFP } from './page-alloc.js';
import { fn, inline, kernelFile } from './table.js';
import type { Kernel } from './kernel.js';
import type { Variable } from './variables.js';

declare module './table.js' {
  interface Entries {
    populate_rootfs(k: Kernel): void;
    /** The initrd's pages are poisoned and free from now on (arch/x86/mm/init.c). */
    free_initrd_mem(k: Kernel, start: Va, end: Va): void;
    /** Returns the error message, or undefined when all was unpacked. */
    unpack_to_rootfs(k: Kernel, at: Va, length: number): string | undefined;
    /** Writes a file's bytes to pages of its own and remembers where; false where there is no memory. */
    'unpack_to_rootfs:xwrite'(k: Kernel, path: string, mode: number, bytes: Uint8Array): boolean;
    /** Bytes of a file of the root file system, read through the direct map; undefined where there is none. */
    'rootfs:read'(k: Kernel, path: string): Uint8Array | undefined;
  }
}

/** include/linux/poison.h */
const POISON_FREE_INITMEM = 0xcc;
/** Bytes of a user page that /init reads. */
export const TOUCHED = 256;

/** Whether a path of an archive is the program that runs first. */
export function isInit(path: string): boolean {
  return path.replace(/^\.?\//, '') === 'init';
}

export const initramfs = kernelFile('init/initramfs.c', {
  populate_rootfs: fn((k: Kernel) => {
    const start = k.readU64(k.sym('initrd_start'));
    const end = k.readU64(k.sym('initrd_end'));
    if (start === 0n) return;
    const length = Number(BigInt.asIntN(64, end - start));
    k.say.console('Unpacking initramfs...');
    const error = k.fn.unpack_to_rootfs(k.canonical(start), length);
    k.fn.free_initrd_mem(k.canonical(start), k.canonical(end));
    k.say.console(
      error === undefined
        ? `Freeing initrd memory: ${String(Math.ceil(length / 1024))}K`
        : `rootfs image is not initramfs (${error}); looks like an initrd`,
    );
  }),

  free_initrd_mem: fn((k: Kernel, start: Va, end: Va) => {
    const length = alignUp(end, PAGE_SIZE) - start;
    k.memset(start, POISON_FREE_INITMEM, length);
    k.fn.free_bootmem_late(k.__pa(start), length);
  }),

  unpack_to_rootfs: fn((k: Kernel, at: Va, length: number) => {
    const bytes = k.readBytes(at, length);
    k.say.read('initrd', at, length);
    k.say.recorder.consumed('initrd', 'unpack_to_rootfs', bytes);
    const { files, message } = unpackCpio(bytes);
    for (const { path, mode, body } of files) {
      if (!k.fn['unpack_to_rootfs:xwrite'](path, mode, body)) return 'write error';
    }
    return message;
  }),

  // The page cache is memory like any other: written through the direct map, whatever that maps it as.
  'unpack_to_rootfs:xwrite': inline((k: Kernel, path: string, mode: number, bytes: Uint8Array) => {
    const size = alignUp(bytes.length, PAGE_SIZE);
    let pa = 0;
    if (size > 0) {
      pa = k.fn.alloc_pages_exact(GFP.KERNEL, size);
      if (pa === 0) return false;
      // The rest of the last page is zeroed, as the page cache does.
      const pages = new Uint8Array(size);
      pages.set(bytes);
      k.writeBytes(k.__va(pa), pages);
      if (isInit(path)) k.say.recorder.produced('user file page', pages.slice(0, TOUCHED));
    }
    k.state.rootfs.push({ path, mode, size: bytes.length, pa });
    return true;
  }),

  'rootfs:read': inline((k: Kernel, path: string) => {
    const wanted = path.replace(/^\//, '');
    const file = k.state.rootfs.find((f) => f.path.replace(/^\.?\//, '') === wanted);
    return file === undefined ? undefined : k.readBytes(k.__va(file.pa), file.size);
  }),
});

export const initramfsVariables: readonly Variable[] = [
  { name: 'initrd_start', size: 8, align: 8, section: '.bss', file: 'init/do_mounts_initrd.c' },
  { name: 'initrd_end', size: 8, align: 8, section: '.bss', file: 'init/do_mounts_initrd.c' },
];
