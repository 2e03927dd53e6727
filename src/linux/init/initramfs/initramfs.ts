/** init/initramfs.c: unpacks the built-in archive and the initrd into the root file system. */
import { va, type Va } from '../../../machine/address.js';
import { initrdHint } from './hint.js';
import type { InitrdSource } from './input.js';
import { pageCache } from '../../mm/filemap.js';
import { S_IFCHR } from '../../include/linux/fs.js';
import { Rootfs } from '../../fs/ramfs.js';
import { fn, bodies } from '../../../kernel/table.js';
import { peek } from '../../../kernel/peek.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    populate_rootfs(k: Kernel): void;
  }
}

/** The device number of the console (Documentation/devices.txt). */
const CONSOLE = { major: 5, minor: 1 } as const;

export const initramfs = bodies({
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
    // CONFIG_BLK_DEV_RAM is not set, as in x86_64_defconfig: an initrd that cannot be unpacked is not tried as a disk image.
    k.fn.printk('Unpacking initramfs...');
    const error = k.fn.unpack_to_rootfs(k.canonical(start), length);
    if (error !== undefined) {
      k.fn.printk(`Initramfs unpacking failed: ${error.message}`);
      const hint = initrdHint(error, peekInitrd(k, k.canonical(start), length));
      if (hint !== undefined) k.trace.emit('read', { what: 'initrd', result: hint });
    }
    // free_initrd()
    if (k.state.params.doRetainInitrd) return;
    k.fn.free_initrd_mem(k.canonical(start), k.canonical(end));
    k.fn.printk(`Freeing initrd memory: ${String(Math.ceil(length / 1024))}K`);
  }),
});

/** The initrd's bytes for the hint, which is the model's own: not read through the CPU, not recorded. */
function peekInitrd(k: Kernel, at: Va, length: number): InitrdSource {
  return { length, read: (offset, count) => peek(k, va(at + offset), count) };
}
