/** Alternatives to patch 10: firmware tables that it does not map in the clear. */
import type { Alternative } from '../kernel/hunk.js';
import { byAddress } from './10-by-address.js';

export const efiAlternatives: readonly Alternative[] = [
  byAddress,
  {
    id: '10/properties-table',
    file: 'drivers/firmware/efi/efi.c',
    what: 'the properties table is mapped by efi_me_early_memremap(), as the other configuration tables are',
    // Later revisions decide in early_memremap() itself (early_memremap_pgprot_adjust).
    source: 'our choice',
    needs: ['efi_me_early_memremap'],
    replaces: {
      'efi_config_parse_tables:memremap': () => (k, paddr, size) =>
        k.fn.efi_me_early_memremap(paddr, size),
    },
  },
];
