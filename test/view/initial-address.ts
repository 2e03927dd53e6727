/** The address of the viewer's page before anything is chosen. */
import { LAST_STAGE } from '../../src/series/patches.js';
import type { Address } from '../../src/view/choice.js';

export const INITIAL: Address = {
  choice: {
    scenario: 'epyc-efi',
    execute: false,
    entry: 'kernel',
    until: '',
    most: 0,
    stage: LAST_STAGE,
    activate: false,
    without: [],
    stub: false,
    with: [],
    set: [],
  },
  place: { panel: 'events', place: 'kernel text', layer: 'dram', filter: '' },
};
