/** arch/x86/platform/efi/quirks.c: deleting the dummy variable. */
import { guid } from '../../../../../../firmware/efi/layout.js';
import { fn, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';
import type { Variable } from '../../../../../../kernel/variables.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    efi_delete_dummy_variable(k: Kernel): void;
  }
}

/** EFI_VARIABLE_NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS (UEFI 7.2). */
const DUMMY_ATTRIBUTES = 7;
const DUMMY_NAME = 'DUMMY';

const file = 'arch/x86/platform/efi/quirks.c';
export const efiRuntimeVariables: readonly Variable[] = [
  {
    name: 'efi_dummy_name',
    size: 2 * (DUMMY_NAME.length + 1),
    align: 8,
    section: '.data',
    file,
    init: () => Uint8Array.from([...DUMMY_NAME].flatMap((c) => [c.charCodeAt(0), 0])),
  },
  {
    // A literal in the source, which has no symbol.
    name: 'EFI_DUMMY_GUID',
    size: 16,
    align: 8,
    section: '.rodata',
    file,
    init: () => guid('4424ac57-be4b-47dd-9e97-ed50f09f92a9'),
  },
];

export const efiDummy = bodies({
  // The returned status is ignored.
  efi_delete_dummy_variable: fn((k: Kernel) => {
    k.fn.virt_efi_set_variable(
      k.sym('efi_dummy_name'),
      k.sym('EFI_DUMMY_GUID'),
      DUMMY_ATTRIBUTES,
      0,
      0n,
    );
  }, true),
});
