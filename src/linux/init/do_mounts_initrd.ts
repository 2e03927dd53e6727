/** init/{main,do_mounts,do_mounts_initrd,initramfs}.c: options for the first program and the initrd. */
import { always, __setup, type ObsKernelParam } from '../include/linux/init.js';
import type { Variable } from '../../kernel/variables.js';

/** Bytes of saved_root_name[] (init/do_mounts.c). */
const SAVED_ROOT_NAME = 64;

export const initrdParams: readonly ObsKernelParam[] = [
  // init_setup(), rdinit_setup(): earlier arguments for init are dropped.
  __setup('init=', (k, str) => {
    k.state.init.executeCommand = str;
    k.state.params.argvInit.length = 1;
    return 1;
  }),
  __setup('rdinit=', (k, str) => {
    k.state.init.ramdiskExecuteCommand = str;
    k.state.params.argvInit.length = 1;
    return 1;
  }),
  // root_dev_setup(), fs_names_setup()
  __setup('root=', (k, str) =>
    always(1, ({ state }) => (state.init.savedRootName = str.slice(0, SAVED_ROOT_NAME - 1)))(k),
  ),
  __setup('rootfstype=', (k, str) => always(1, ({ state }) => (state.init.rootFsNames = str))(k)),
  // Only initrd_load() reads it, if the initramfs has no program to run: an archive is unpacked regardless.
  __setup(
    'noinitrd',
    always(1, (k) => (k.state.params.mountInitrd = false)),
  ),
  // With text after the word it is not this option.
  __setup('retain_initrd', (k, str) => {
    if (str !== '') return 0;
    k.state.params.doRetainInitrd = true;
    return 1;
  }),
];

const FILE = 'init/do_mounts_initrd.c';
export const initrdVariables: readonly Variable[] = [
  { name: 'initrd_start', size: 8, align: 8, section: '.bss', file: FILE },
  { name: 'initrd_end', size: 8, align: 8, section: '.bss', file: FILE },
];
