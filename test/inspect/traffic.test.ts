import { expect, test } from '@jest/globals';
import { EngineTraffic, type Blocks } from '../../src/inspect/traffic.js';
import { KEY_HOST, KEY_PLAIN, pa } from '../../src/machine/address.js';
import { Probes } from '../../src/machine/probes.js';
import { boot, scenario } from '../helpers.js';

test('counts blocks of 16 bytes by key and direction', () => {
  const traffic = new EngineTraffic();
  const probes = new Probes();
  traffic.listen(probes);
  probes.filled.notify(pa(0), KEY_HOST, 64, false, 0);
  probes.filled.notify(pa(64), KEY_HOST, 128, true, 0);
  probes.filled.notify(pa(0), KEY_PLAIN, 64, true, 0);
  probes.writtenBack.notify(pa(0), KEY_HOST, 192, 0);
  probes.writtenBack.notify(pa(0), KEY_PLAIN, 64, 0);
  expect(traffic.blocks).toEqual({
    decrypted: 4,
    decryptedUnread: 8,
    encrypted: 12,
    plainRead: 4,
    plainWritten: 4,
  });
});

test('a boot passes the engine only if encryption is on', () => {
  const blocks = (stage: number): Blocks => {
    const b = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB'), stage });
    const traffic = new EngineTraffic();
    traffic.listen(b.machine.probes);
    b.run();
    return traffic.blocks;
  };
  expect(blocks(17)).toMatchObject({ decrypted: 0, decryptedUnread: 0, encrypted: 0 });
  // The kernel's 16 MiB are encrypted in place.
  expect(blocks(18).encrypted).toBeGreaterThan((16 * 2 ** 20) / 16);
});
