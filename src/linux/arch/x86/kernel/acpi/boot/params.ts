/** arch/x86/kernel/acpi/boot.c and drivers/acpi/osl.c: acpi=, pci=noacpi and acpi_rsdp=. */
import { own } from '../../../../../../base/own.js';
import { EINVAL } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { early_param, type ObsKernelParam } from '../../../../../include/linux/init.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

/** Values of acpi=; those without an effect in the model are accepted too. */
const ACPI: Readonly<Record<string, (k: Kernel) => void>> = {
  off: (k) => {
    k.fn.disable_acpi();
  },
  force: (k) => {
    k.state.params.acpiForce = true;
    k.state.acpi.disabled = false;
  },
  // acpi_noirq_set()
  noirq: (k) => {
    k.state.params.acpiNoirq = true;
  },
  rsdt: (k) => {
    k.state.params.doNotUseXsdt = true;
  },
  strict: () => undefined,
  copy_dsdt: () => undefined,
  nocmcff: () => undefined,
};

function parse_acpi(k: Kernel, arg: string | undefined): number {
  const take = arg === undefined ? undefined : own(ACPI, arg);
  if (take === undefined) return -EINVAL;
  take(k);
  return 0;
}

/** pci=noacpi, alone (acpi_disable_pci()) or in a list (pcibios_setup()); only acpi_noirq is modelled. */
function parse_pci(k: Kernel, arg: string | undefined): number {
  if (arg?.split(',').includes('noacpi') === true) k.state.params.acpiNoirq = true;
  return 0;
}

/** kstrtoul(arg, 16): hexadecimal digits after an optional `0x`, and nothing after them. CONFIG_KEXEC is set. */
function setup_acpi_rsdp(k: Kernel, arg: string | undefined): number {
  const digits = /^\+?(?:0[xX])?([0-9a-fA-F]+)\n?$/.exec(arg ?? '')?.[1];
  const address = digits === undefined ? 0n : BigInt(`0x${digits}`);
  if (digits === undefined || address >= 2n ** 64n) return -EINVAL;
  k.state.params.acpiRsdp = Number(address);
  return 0;
}

export const acpiParams: readonly ObsKernelParam[] = [
  early_param('acpi', parse_acpi),
  early_param('pci', parse_pci),
  early_param('acpi_rsdp', setup_acpi_rsdp),
];
