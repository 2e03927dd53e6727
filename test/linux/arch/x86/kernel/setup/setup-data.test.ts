/** A setup_data chain that is linked in a loop: the kernel walks it for ever. */
import { describe, expect, test } from '@jest/globals';
import { SETUP_DATA } from '../../../../../../src/firmware/efi/layout.js';
import { pa } from '../../../../../../src/machine/address.js';
import { boot, scenario } from '../../../../../helpers.js';

describe('a setup_data chain', () => {
  test('whose last node links to the first one hangs the kernel, in bounded time', () => {
    const subject = boot({
      scenario: scenario('bios-minimal', 'loader.deviceTree=true'),
      stage: 0,
    });
    subject.runTo('early_ioremap_init');
    const at = subject.loaded.setupData[0]?.at ?? 0;
    const link = new Uint8Array(8);
    new DataView(link.buffer).setBigUint64(0, BigInt(at), true);
    subject.machine.dmaWrite(pa(at + SETUP_DATA.next), link);
    expect(subject.run().outcome).toEqual({
      kind: 'hung',
      where: 'parse_setup_data',
      message: `the setup_data node at 0x${at.toString(16)} is linked in a loop`,
    });
  });
});
