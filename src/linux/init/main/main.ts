/** init/main.c: from start_kernel to /init. */
import { ENOENT } from '../../include/uapi/asm-generic/errno-base.js';
import { stateSlice } from '../../../kernel/state.js';
import { inline, bodies, label } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

/** Programs that are tried, in this order, if /init cannot run and init= is not given. */
const INITS = ['/sbin/init', '/etc/init', '/bin/init', '/bin/sh'] as const;

/** Options of the command line for the first process and its root file system (init/main.c, init/do_mounts.c). */
export interface InitState {
  /** rdinit= and init=; null if they are not given. */
  ramdiskExecuteCommand: string | null;
  executeCommand: string | null;
  /** root=; empty if it is not given. */
  savedRootName: string;
  /** rootfstype=; null if it is not given. */
  rootFsNames: string | null;
}

declare module '../../../kernel/table.js' {
  interface Entries {
    'start_kernel:trap_init'(k: Kernel): void;
    /** mm_init() as modelled: pci_iommu_alloc() and the page allocator (arch/x86/mm/init_64.c: mem_init). */
    'start_kernel:mm_init'(k: Kernel): void;
    /** Right after locking_selftest(). */
    'start_kernel:after-locking_selftest'(k: Kernel): void;
    /** Selects the program of the first process and runs it. */
    'kernel_init:run_init'(k: Kernel): void;
    /** 0 or a negative errno. */
    run_init_process(k: Kernel, path: string): number;
    try_to_run_init_process(k: Kernel, path: string): number;
    /** Runs the first program that failed because the archive is incomplete; false if there is none. */
    'kernel_init:incomplete'(k: Kernel): boolean;
  }
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    init: InitState;
  }
}
export const mainState = stateSlice(() => ({
  init: {
    ramdiskExecuteCommand: null,
    executeCommand: null,
    savedRootName: '',
    rootFsNames: null,
  },
}));

export const main = bodies({
  // trap_init(): gates of the final handlers; the model writes only the page fault's (early_idt_handler_array).
  'start_kernel:trap_init': label((k: Kernel) => {
    k.fn['start_kernel:parse_args']();
    k.fn.set_intr_gate(14, k.sym('page_fault'));
    k.state.traps.final = true;
    k.cpu.lidt(k.sym('idt_table'), 256 * 16 - 1);
  }),
  'start_kernel:mm_init': label((k: Kernel) => {
    k.fn.pci_iommu_alloc();
    k.fn.free_all_bootmem();
  }),
  'start_kernel:after-locking_selftest': label(() => undefined),

  'kernel_init:run_init': label((k: Kernel) => {
    const { state } = k;
    // kernel_init_freeable()
    if (k.fn.sys_access('/dev/console') < 0) {
      k.fn.printk('Warning: unable to open an initial console.');
    }
    state.init.ramdiskExecuteCommand ??= '/init';
    if (k.fn.sys_access(state.init.ramdiskExecuteCommand) !== 0) {
      state.init.ramdiskExecuteCommand = null;
      k.fn.prepare_namespace();
    }
    // kernel_init()
    const { ramdiskExecuteCommand: first, executeCommand } = state.init;
    if (first !== null) {
      const error = k.fn.run_init_process(first);
      if (error === 0) return;
      k.fn.printk(`Failed to execute ${first} (error ${String(error)})`);
    }
    if (executeCommand !== null) {
      const error = k.fn.run_init_process(executeCommand);
      if (error === 0) return;
      if (!k.fn['kernel_init:incomplete']()) {
        k.fn.panic(`Requested init ${executeCommand} failed (error ${String(error)}).`);
      }
      return;
    }
    if (INITS.some((path) => k.fn.try_to_run_init_process(path) === 0)) return;
    if (k.fn['kernel_init:incomplete']()) return;
    k.fn.panic(
      'No working init found.  Try passing init= option to kernel. See Linux Documentation/init.txt for guidance.',
    );
  }),

  // Our choice: an archive made for a test often has an /init without its shell or without an x bit, where the kernel
  // panics. User space is not run here anyway: the first such program gets its pages, and the trace names what is missing.
  'kernel_init:incomplete': inline((k: Kernel) => {
    const { incomplete } = k.state.rootfs;
    if (incomplete === null) return false;
    const { why, path } = incomplete;
    k.trace.emit('read', {
      what: path,
      result: `${why}: Linux panics here (No working init found), the model continues`,
    });
    k.state.rootfs.executable = incomplete.ino;
    k.fn.printk(`Run ${path} as init process`);
    k.fn.map_user_pages(path);
    return true;
  }),

  run_init_process: inline((k: Kernel, path: string) => {
    const error = k.fn.do_execve(path);
    if (error !== 0) return error;
    // 4.6 prints nothing here; later kernels print this line.
    k.fn.printk(`Run ${path} as init process`);
    k.fn.map_user_pages(path);
    return 0;
  }),

  try_to_run_init_process: inline((k: Kernel, path: string) => {
    const error = k.fn.run_init_process(path);
    if (error !== 0 && error !== -ENOENT) {
      k.fn.printk(`Starting init: ${path} exists but couldn't execute it (error ${String(error)})`);
    }
    return error;
  }),
});
