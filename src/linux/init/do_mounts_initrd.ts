/** init/main.c, init/do_mounts.c, init/do_mounts_initrd.c and init/initramfs.c: what runs first, and from where. */
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
  // initrd_load() alone asks for it, once no program of an initramfs was found: an archive is unpacked all the same.
  __setup(
    'noinitrd',
    always(1, (k) => (k.state.params.mountInitrd = false)),
  ),
  // Anything behind the word makes it another one.
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
