/** init/initramfs.c: unpacks the initrd from memory into the root file system. */
import { alignUp, PAGE_SIZE, va, type Va } from '../../../machine/address.js';
import { REQUESTER_PLATFORM } from '../../../machine/requester.js';
import { unpackTo, type UnpackError } from './unpack.js';
import { initrdHint } from './hint.js';
import type { InitrdSource } from './input.js';
import { pageCache } from '../../mm/filemap.js';
import { freshRootfs } from '../../include/linux/fs.js';
import { S_IFCHR } from '../../include/linux/fs.js';
import { Rootfs } from '../../fs/ramfs.js';
import { fn, inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import type { Variable } from '../../../kernel/variables.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    populate_rootfs(k: Kernel): void;
    /** The initrd's pages are poisoned and free from now on (arch/x86/mm/init.c). */
    free_initrd_mem(k: Kernel, start: Va, end: Va): void;
    /** The first error, or undefined when all was unpacked. */
    unpack_to_rootfs(k: Kernel, at: Va, length: number): UnpackError | undefined;
    /** init_rootfs() of init/do_mounts.c: which file system the root is, and how much it may hold. */
    init_rootfs(k: Kernel): void;
  }
}

/** include/linux/poison.h */
const POISON_FREE_INITMEM = 0xcc;
/** The device number of the console (Documentation/devices.txt). */
const CONSOLE = { major: 5, minor: 1 } as const;

/** The initrd in memory: reads go through the CPU, and are compared with what the loader put there. */
function initrdAt(k: Kernel, at: Va, length: number): InitrdSource {
  return {
    length,
    read: (offset, count) => {
      const bytes = k.readBytes(va(at + offset), count);
      k.trace.recorder.consumedPart('initrd', 'unpack_to_rootfs', offset, bytes);
      return bytes;
    },
  };
}

export const initramfs = bodies({
  init_rootfs: inline((k: Kernel) => {
    const { zones } = k.state.pages;
    const totalram = zones.reduce((sum, { managed }) => sum + managed, 0);
    const { savedRootName, rootFsNames } = k.state.init;
    const named = rootFsNames === null || rootFsNames.includes('tmpfs');
    const isTmpfs = savedRootName === '' && named;
    k.state.rootfs = freshRootfs();
    if (!isTmpfs) return; // ramfs takes all that the page allocator gives
    // mm/shmem.c: shmem_default_max_blocks, shmem_default_max_inodes.
    k.state.rootfs.maxBlocks = Math.floor(totalram / 2);
    k.state.rootfs.maxInodes = Math.floor(totalram / 2);
  }),

  populate_rootfs: fn((k: Kernel) => {
    k.fn.init_rootfs();
    // The archive that is linked into every kernel (scripts/gen_initramfs_list.sh, default_initramfs).
    const fs = new Rootfs(k.state.rootfs, pageCache(k));
    fs.mkdir('/dev', 0o755);
    fs.mknod('/dev/console', S_IFCHR | 0o600, CONSOLE);
    fs.mkdir('/root', 0o700);

    const start = k.readU64(k.sym('initrd_start'));
    const end = k.readU64(k.sym('initrd_end'));
    if (start === 0n) return;
    const length = Number(BigInt.asIntN(64, end - start));
    // CONFIG_BLK_DEV_RAM is not set, as in x86_64_defconfig: what cannot be unpacked is no disk either.
    k.trace.console('Unpacking initramfs...');
    const error = k.fn.unpack_to_rootfs(k.canonical(start), length);
    if (error !== undefined) {
      k.trace.console(`Initramfs unpacking failed: ${error.message}`);
      const hint = initrdHint(error, initrdAtRest(k, k.canonical(start), length));
      if (hint !== undefined) k.trace.emit('read', { what: 'initrd', result: hint });
    }
    // free_initrd()
    if (k.state.params.doRetainInitrd) return;
    k.fn.free_initrd_mem(k.canonical(start), k.canonical(end));
    k.trace.console(`Freeing initrd memory: ${String(Math.ceil(length / 1024))}K`);
  }),

  free_initrd_mem: fn((k: Kernel, start: Va, end: Va) => {
    const length = alignUp(end, PAGE_SIZE) - start;
    k.memset(start, POISON_FREE_INITMEM, length);
    k.fn.free_bootmem_late(k.__pa(start), length);
  }),

  unpack_to_rootfs: fn((k: Kernel, at: Va, length: number) => {
    k.trace.read('initrd', at, length);
    return unpackTo(new Rootfs(k.state.rootfs, pageCache(k)), initrdAt(k, at, length));
  }),
});

/** The initrd for the hint, which is not the kernel's: not read through the CPU, not recorded. */
function initrdAtRest(k: Kernel, at: Va, length: number): InitrdSource {
  return {
    length,
    read: (offset, count) => {
      const out = new Uint8Array(count);
      const probed = k.cpu.translate(va(at + offset));
      if (!('vector' in probed)) {
        k.machine.cache.peekCoherent(REQUESTER_PLATFORM, probed.pa, probed.key, out, 0, count);
      }
      return out;
    },
  };
}

export const initramfsVariables: readonly Variable[] = [
  { name: 'initrd_start', size: 8, align: 8, section: '.bss', file: 'init/do_mounts_initrd.c' },
  { name: 'initrd_end', size: 8, align: 8, section: '.bss', file: 'init/do_mounts_initrd.c' },
];
