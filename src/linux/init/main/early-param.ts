/** init/main.c: early parameters of the command line (parse_early_param), and the others (parse_args). */
import { acpiParams } from '../../arch/x86/kernel/acpi/boot/params.js';
import { amdIommuParams } from '../../drivers/iommu/amd_iommu_init/params.js';
import { apicParams } from '../../arch/x86/kernel/apic/apic/params.js';
import { COMMAND_LINE_SIZE } from '../../../kernel/constants.js';
import { e820Params } from '../../arch/x86/kernel/e820/params.js';
import { efiParams } from '../../arch/x86/platform/efi/efi/params.js';
import { initrdParams } from '../do_mounts_initrd.js';
import { cpuParams } from '../../arch/x86/kernel/cpu/common/common.js';
import { initMmParams } from '../../arch/x86/mm/init/params.js';
import { ioApicParams } from '../../arch/x86/kernel/apic/io_apic.js';
import { patParams } from '../../arch/x86/mm/pat/params.js';
import { setupNxParams } from '../../arch/x86/mm/setup_nx.js';
import { always, early_param, __setup, type ObsKernelParam } from '../../include/linux/init.js';
import type { OptionKind } from '../../options/types.js';
import { rowsOf } from '../../options/options.js';
import { cString, parameq, parameqn, parse_args, type Param } from '../../kernel/params.js';
import { pciDmaParams } from '../../arch/x86/kernel/pci-dma/params.js';
import { setupParams } from '../../arch/x86/kernel/setup/params.js';
import { efiFirmwareParams } from '../../drivers/firmware/efi/efi/params.js';
import { smpParams } from '../../arch/x86/kernel/smpboot/params.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    parse_early_param(k: Kernel): void;
    /** Handles the __setup() options that are modelled, and collects the words for init. */
    'start_kernel:parse_args'(k: Kernel): void;
    /** Panics if there were too many words for init. */
    'start_kernel:panic_later'(k: Kernel): void;
  }
}

const consoleParams: readonly ObsKernelParam[] = [
  early_param('earlyprintk', (k, value) => always(0, () => k.fn.setup_early_printk(value))(k)),
  __setup('console=', (k, value) => always(1, () => k.fn.console_setup(value))(k)),
];

/**
 * __setup_start: the modelled options, each with its function. A name that several files handle (efi=, iommu=) is listed
 * once per file; the order matters only among those.
 */
export const SETUP_PARAMS: readonly ObsKernelParam[] = [
  ...consoleParams,
  ...e820Params,
  ...setupParams,
  ...setupNxParams,
  ...initMmParams,
  ...patParams,
  ...cpuParams,
  ...apicParams,
  ...ioApicParams,
  ...smpParams,
  ...acpiParams,
  ...efiParams,
  ...efiFirmwareParams,
  ...pciDmaParams,
  ...amdIommuParams,
  ...initrdParams,
];

/** The command line in memory up to its NUL; strlcpy() reserves a byte for it. */
const lineOf = (k: Kernel): string =>
  cString(k.readBytes(k.sym('boot_command_line'), COMMAND_LINE_SIZE).subarray(0, -1));

function do_early_param(k: Kernel, param: string, val: string | undefined): void {
  for (const p of SETUP_PARAMS) {
    if (!p.early || !parameq(param, p.str)) continue;
    if (p.setup(k, val) !== 0) k.fn.printk(`Malformed early option '${param}'`);
  }
}

/** obsolete_checksetup() for a whole word. */
function obsolete_checksetup(k: Kernel, line: string): void {
  for (const p of SETUP_PARAMS) {
    if (p.early || !parameqn(line, p.str)) continue;
    if (p.setup(k, line.slice(p.str.length)) !== 0) return;
  }
}

/** MAX_INIT_ARGS and MAX_INIT_ENVS (CONFIG_INIT_ENV_ARG_LIMIT). */
const MAX_INIT = 32;
/** Kinds of options whose words are not passed to init; a word that the kernel only searches for is passed. */
const NOT_FOR_INIT: readonly OptionKind[] = ['early', 'setup', 'core', 'module'];

/** Adds a word to argv_init or envp_init, in place of a variable of the same name; too many set panic_later. */
function addInitWord(k: Kernel, vars: 'init' | 'env', param: string, word: string): void {
  const { params } = k.state;
  const list = vars === 'init' ? params.argvInit : params.envpInit;
  const same = vars === 'env' ? list.findIndex((each) => each.startsWith(`${param}=`)) : -1;
  // The search passes the last place without a panic only if it finds the name before it.
  if (list.length > MAX_INIT && (same < 0 || same >= MAX_INIT)) {
    params.panicLater = { vars, param: word };
  }
  list[same < 0 ? list.length : same] = word;
}

/** unknown_bootoption(): an option without a handler is passed to init, unless it has a dot (a module parameter). */
function unknown_bootoption(k: Kernel, param: Param): void {
  const word = wordOf(param);
  obsolete_checksetup(k, word);
  if (rowsOf(param).some(([, kind]) => NOT_FOR_INIT.includes(kind)) || param.param.includes('.'))
    return;
  if (k.state.params.panicLater !== null) return;
  addInitWord(k, param.val === undefined ? 'init' : 'env', param.param, word);
}

/** repair_env_string() */
const wordOf = ({ param, val }: Param): string => (val === undefined ? param : `${param}=${val}`);

export const earlyParam = bodies({
  parse_early_param: inline((k: Kernel) => {
    for (const { param, val } of parse_args(lineOf(k)).params) do_early_param(k, param, val);
  }),
  // static_command_line is a copy of the line; the model reads the line itself.
  'start_kernel:parse_args': inline((k: Kernel) => {
    const { params, afterDashes = '' } = parse_args(lineOf(k));
    for (const param of params) unknown_bootoption(k, param);
    // set_init_arg()
    for (const param of parse_args(afterDashes).params) {
      if (k.state.params.panicLater !== null) break;
      addInitWord(k, 'init', param.param, wordOf(param));
    }
  }),
  'start_kernel:panic_later': inline((k: Kernel) => {
    const { panicLater } = k.state.params;
    if (panicLater === null) return;
    k.fn.panic(`Too many boot ${panicLater.vars} vars at \`${panicLater.param}'`);
  }),
});
