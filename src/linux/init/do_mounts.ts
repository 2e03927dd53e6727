/**
 * init/do_mounts.c: creates the root file system, and mounts a root device if the initrd has no program to run. The
 * model has no block devices and no file system on one, so that mounting always fails (our choice); the messages are
 * those of 4.6.
 */
import { freshRootfs } from '../include/linux/fs.js';
import { ENXIO } from '../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Creates the root file system, with the limits of blocks and inodes of its type. */
    init_rootfs(k: Kernel): void;
    prepare_namespace(k: Kernel): never;
    /** The device number of `root=`; 0:0 if no device has that name. */
    name_to_dev_t(k: Kernel, name: string): { major: number; minor: number };
  }
}

/** new_decode_dev() (include/linux/kdev_t.h): major and minor number of an encoded device number. */
const decode = (dev: number): { major: number; minor: number } => ({
  major: (dev >>> 8) & 0xfff,
  minor: ((dev & 0xff) | ((dev >>> 12) & 0xf_ff00)) >>> 0,
});
const NONE = { major: 0, minor: 0 } as const;
/** Root_RAM0 (include/linux/root_dev.h). */
const ROOT_RAM0 = { major: 1, minor: 0 } as const;

export const doMounts = bodies({
  init_rootfs: inline((k: Kernel) => {
    const { zones } = k.state.pages;
    const totalram = zones.reduce((sum, { managed }) => sum + managed, 0);
    const { savedRootName, rootFsNames } = k.state.init;
    const named = rootFsNames === null || rootFsNames.includes('tmpfs');
    const isTmpfs = savedRootName === '' && named;
    k.state.rootfs = freshRootfs();
    if (!isTmpfs) return; // ramfs has no limits
    // mm/shmem.c: shmem_default_max_blocks, shmem_default_max_inodes.
    k.state.rootfs.maxBlocks = Math.floor(totalram / 2);
    k.state.rootfs.maxInodes = Math.floor(totalram / 2);
  }),

  name_to_dev_t: inline((_k: Kernel, name: string) => {
    if (name.startsWith('/dev/')) return name === '/dev/ram' ? ROOT_RAM0 : NONE;
    const [, major, minor] = /^(\d+):(\d+)$/.exec(name) ?? [];
    if (major !== undefined)
      return { major: Number(major) & 0xfff, minor: Number(minor) & 0xf_ffff };
    return /^[0-9a-fA-F]{1,8}$/.test(name) ? decode(parseInt(name, 16)) : NONE;
  }),

  prepare_namespace: inline((k: Kernel): never => {
    const { savedRootName: root } = k.state.init;
    const { major, minor } = k.fn.name_to_dev_t(root);
    const device = `unknown-block(${String(major)},${String(minor)})`;
    // The text that printk() prints for a null pointer.
    const name = root === '' ? '(null)' : root.replace(/^\/dev\//, '');
    // mount_block_root()
    k.fn.printk(`VFS: Cannot open root device "${name}" or ${device}: error ${String(-ENXIO)}`);
    k.fn.printk('Please append a correct "root=" boot option; here are the available partitions:');
    return k.fn.panic(`VFS: Unable to mount root fs on ${device}`);
  }),
});
